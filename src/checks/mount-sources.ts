/** Where mounts of the tree come from and go to on this machine (mount.c, mount-v2.c). */
import type { Lookup } from "../host/index.ts";
import type { Check, Context, Finding, Remedy } from "./finding.ts";
import { AUTODETECTED, compatible, imageOf, type Mount, savedMounts } from "./mounts.ts";
import { sh } from "../sys/shell.ts";

/** What is at a path of this machine, a link at its end not followed. */
export function lookOnHost({ host }: Context, path: string): Lookup | undefined {
  const root = host.root("/");
  return root.ok && path.startsWith("/") ? root.root.look(path, false) : undefined;
}

/** What is at the place where a mount of the root task's namespace goes, when the host decides that. */
function lookAtPlace({ namespaces }: Context, { entry, at }: Mount) {
  const place = namespaces.place(at, entry.parent_mnt_id);
  return place.known ? { place, found: place.root.look(place.path) } : undefined;
}

/** Of the root task's mount namespace, whose paths `namespaces.place` knows. */
const inRootNamespace = ({ checkpoint }: Context, { image }: Mount) =>
  image === `mountpoints-${checkpoint.root?.ids?.mnt_ns_id}.img`;

export const externalMountSourceMissing: Check = {
  id: "external-mount-source-missing",
  title: "The path that an external mount is mapped to cannot be mounted there",
  reads:
    "mountpoints-*.img; the paths that --external mnt[KEY]:PATH names, and their mount points under --root",
  why: "CRIU binds the path as it is: it has to be there, and to be a directory where the mount point is one, or a file where that is one.",
  proof: "criu",
  run: (context) =>
    savedMounts(context).flatMap((mount): Finding[] => {
      const { entry, at, source, key } = mount;
      const found = source === undefined || entry.deleted ? undefined : lookOnHost(context, source);
      if (found === undefined || (key === AUTODETECTED && !context.request.autodetectExtMounts))
        return [];
      const shared = {
        id: "external-mount-source-missing",
        severity: "blocker",
        task: null,
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
              command: null,
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
          remedy: { kind: "human", text: `map ${key} to ${wants}`, command: null },
        },
      ];
    }),
};

export const mountpointMissing: Check = {
  id: "mountpoint-missing",
  title: "The place of a mount is not there",
  reads: "mountpoints-*.img; the mount points under --root and in external mounts",
  why:
    "CRIU makes mounts, but not the directories and files that they cover. In the root file system of a container they are usually " +
    "made by the runtime, and lost with an image that is unpacked anew.",
  proof: "criu",
  run: (context) =>
    savedMounts(context).flatMap((mount): Finding[] => {
      if (mount.isRoot || !inRootNamespace(context, mount)) return [];
      const look = lookAtPlace(context, mount);
      if (look === undefined || look.found.ok || !look.found.missing) return [];
      const { place } = look;
      const source = mount.source === undefined ? undefined : lookOnHost(context, mount.source);
      const directory = source?.ok
        ? source.stat.isDirectory()
        : mount.key === undefined && (mount.entry.root === "/" || mount.entry.fstype !== 0);
      const remedy: Remedy = directory
        ? {
            kind: "repair",
            text: `make the directory ${place.hostPath}`,
            command: sh`install -d -m 0755 ${place.hostPath}`,
            repair: {
              id: "mountpoint-missing",
              action: "mkdir",
              root: place.root.path,
              path: place.path,
              mode: 0o755,
              uid: 0,
              gid: 0,
            },
          }
        : {
            kind: "human",
            text: "make it: an empty file if a file is mounted there, else a directory",
            command: sh`touch ${place.hostPath}`,
          };
      return [
        {
          id: "mountpoint-missing",
          severity: "blocker",
          task: null,
          image: imageOf(mount),
          subject: place.hostPath,
          message: `${mount.at} of the tree cannot be mounted: ${place.hostPath}: ${look.found.problem}`,
          criu_message: compatible(context)
            ? mount.key === undefined
              ? "mnt: Can't mount at"
              : "mnt: Can't bind-mount at"
            : "mnt-v2: Can't stat mountpoint",
          remedy,
        },
      ];
    }),
};
