import type { Check, Problem } from "../finding.ts";
import { AUTODETECTED, compatible, imageOf, savedMounts } from "./external.ts";
import { oldWay } from "./mount-groups.ts";
import { inRootNamespace, lookAtPlace, lookOnHost } from "./mount-sources.ts";

export const externalMountSourceMissing: Check = {
  title: "The path that an external mount is mapped to cannot be mounted there",
  reads:
    "mountpoints-*.img; the paths that --external mnt[KEY]:PATH names, and their mount points under --root",
  why:
    "CRIU binds the path as it is: it has to be there, and to be a directory where the mount point is one, or a file where that is one. " +
    "Its newer mount engine does not go where a link leads, and fails on the link itself.",
  proof: "criu",
  answers: ["option", "person"],
  waits: true,
  run: (context) =>
    savedMounts(context)
      .values()
      .flatMap((mount): Problem[] => {
        const { entry, at, source, key } = mount;
        if (source === undefined || entry.deleted) return [];
        const found = lookOnHost(context, source, true);
        if (found === undefined || (key === AUTODETECTED && !context.request.autodetectExtMounts))
          return [];
        const shared = {
          severity: "blocker",
          image: imageOf(mount),
          subject: source,
        } as const;
        const old = compatible(context);
        const itself = lookOnHost(context, source);
        const isLink = itself?.ok === true && itself.stat.isSymbolicLink();
        if (!found.ok)
          return [
            {
              ...shared,
              message: `${source} is to be mounted at ${at}: ${found.problem}`,
              criu_message: old
                ? "mnt: Can't bind-mount at"
                : isLink
                  ? null
                  : `mnt-v2: Failed to open_tree ${source}: ${found.problem}`,
              remedy: {
                kind: "human",
                text: `put back what the tree had at ${at}, or map it to another path`,
              },
            },
          ];
        const there = inRootNamespace(context, mount)
          ? lookAtPlace(context, mount)?.found
          : undefined;
        if (isLink && !old)
          return [
            {
              ...shared,
              message: `${source} is a link, which CRIU's newer mount engine binds to ${at} itself, not what it leads to`,
              criu_message: !there?.ok
                ? null
                : there.stat.isDirectory()
                  ? `mnt-v2: Failed to move_mount from ${source} to`
                  : "mnt-v2: Can't remount /tmp/.criu.mntns.0/mnt-0 with MS_PRIVATE: Invalid argument",
              remedy: {
                ...oldWay(context),
                text: `have the mounts made the old way, which follows links, or map ${key} to where it leads`,
              },
            },
          ];
        if (!there?.ok) return [];
        if (there.stat.isDirectory() === found.stat.isDirectory()) return [];
        const [is, wants] = found.stat.isDirectory()
          ? ["a directory", "a file"]
          : ["a file", "a directory"];
        return [
          {
            ...shared,
            message: `${source} is ${is}, and ${at}, where it is to be mounted, is ${wants}`,
            criu_message: old
              ? "mnt: Can't bind-mount at"
              : `mnt-v2: Failed to move_mount from ${source} to`,
            remedy: { kind: "human", text: `map ${key} to ${wants}` },
          },
        ];
      }),
};
