import type { Check, Problem } from "../finding.ts";
import { AUTODETECTED, compatible, imageOf, savedMounts } from "./external.ts";
import { inRootNamespace, lookAtPlace, lookOnHost } from "./mount-sources.ts";

export const externalMountSourceMissing: Check = {
  title: "The path that an external mount is mapped to cannot be mounted there",
  reads:
    "mountpoints-*.img; the paths that --external mnt[KEY]:PATH names, and their mount points under --root",
  why: "CRIU binds the path as it is: it has to be there, and to be a directory where the mount point is one, or a file where that is one.",
  proof: "criu",
  waits: true,
  run: (context) =>
    savedMounts(context)
      .values()
      .flatMap((mount): Problem[] => {
        const { entry, at, source, key } = mount;
        const found =
          source === undefined || entry.deleted ? undefined : lookOnHost(context, source);
        if (found === undefined || (key === AUTODETECTED && !context.request.autodetectExtMounts))
          return [];
        const shared = {
          severity: "blocker",
          image: imageOf(mount),
          subject: source!,
        } as const;
        const old = compatible(context);
        if (!found.ok)
          return [
            {
              ...shared,
              message: `${source} is to be mounted at ${at}: ${found.problem}`,
              criu_message: old
                ? "mnt: Can't bind-mount at"
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
        if (!there?.ok || found.stat.isSymbolicLink()) return [];
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
