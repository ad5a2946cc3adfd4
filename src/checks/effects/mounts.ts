/** Mounts of the tree's own mount namespaces, and what of this machine comes into them (mount.c, filesystems.c). */
import { binfmt_misc_entry } from "../../image/tables/namespaces.ts";
import type { Context } from "../finding.ts";
import {
  AUTO,
  AUTODETECTED,
  fstypes,
  imageOf,
  type Mount,
  savedMounts,
} from "../mounts/external.ts";
import { effect, type Effect, type Refusal } from "./effect.ts";

const MS_RDONLY = 1;

export function* mountEffects(context: Context): Iterable<Effect> {
  const mounts = savedMounts(context);
  yield* mounts.values().map((mount) => mounted(context, mount));
  yield* mounts.values().flatMap((mount) => contents(context, mount));
}

function mounted(context: Context, mount: Mount): Effect {
  const { entry, at, isRoot, key, source } = mount;
  const { root } = context.request;
  const shared = { verb: "mount", name: at, image: imageOf(mount) } as const;
  if (isRoot)
    return effect({
      ...shared,
      what: "directory",
      path: root ?? null,
      detail: "the tree's root, by --root",
    });
  if (key !== undefined) {
    const host = context.host.root("/");
    const real = source?.startsWith("/") && host.ok ? host.root.real(source) : undefined;
    const autodetected = key === AUTODETECTED;
    return effect({
      ...shared,
      what: "directory",
      path: real ?? source ?? null,
      detail: autodetected
        ? "of this machine, as the images name it"
        : `the external mount ${key}, as the options name it`,
      check: autodetected ? "untrusted-mount" : null,
    });
  }
  const type = entry.fstype === AUTO ? (entry.fsname ?? "auto") : fstypes[entry.fstype];
  // What is left is bound from another place of the same file system.
  if (type === undefined)
    return effect({
      ...shared,
      what: "directory",
      detail: `bound from ${entry.root} of another mount of the tree`,
    });
  const path = entry.source.startsWith("/") ? entry.source : null;
  return effect({
    ...shared,
    what: type,
    path,
    detail: `from ${entry.source}${entry.options === "" ? "" : `, options ${entry.options}`}`,
    check: refusal(context, mount, type),
  });
}

/** File systems that hold nothing of this machine. */
const treesOwnTypes = new Set(["tmpfs", "devpts", "mqueue", "proc"]);

/** Those that are the machine itself wherever they are mounted; harmless when read-only. */
const kernels = new Set(["sysfs", "cgroup", "cgroup2"]);

function refusal({ namespaces }: Context, { entry }: Mount, type: string): Refusal | null {
  // The kernel lets a user namespace mount only what is safe there.
  if (namespaces.created.user) return null;
  if (type === "proc") return namespaces.created.pid ? null : "untrusted-mount";
  if (treesOwnTypes.has(type)) return null;
  const readOnly = (entry.flags | (entry.sb_flags ?? 0)) & MS_RDONLY;
  return kernels.has(type) && readOnly ? null : "untrusted-mount";
}

/** What CRIU fills a mount with. */
function contents({ checkpoint }: Context, mount: Mount): Effect[] {
  const { entry, at } = mount;
  const type = fstypes[entry.fstype];
  if (type === "binfmt_misc")
    return [...checkpoint.files]
      .filter((file) => /^binfmt-misc(-\d+)?\.img$/.test(file))
      .flatMap((file) =>
        checkpoint.values(file, binfmt_misc_entry).map(({ name, interpreter, flags = "" }) =>
          effect({
            verb: "load",
            what: "binary format",
            path: interpreter,
            name,
            detail: `programs of this kind are run by ${interpreter}, on the whole machine; flags ${flags}`,
            image: file,
            check: "untrusted-kernel",
          }),
        ),
      );
  const archive = [...checkpoint.files].find(
    (file) => /^tmpfs-(dev-)?\d+\.tar\.gz\.img$/.test(file) && file.includes(`-${entry.root_dev}.`),
  );
  if (archive === undefined) return [];
  return [
    effect({
      verb: "run",
      what: "program",
      name: "tar",
      detail: `unpacks the image into the ${type ?? "file system"} at ${at}`,
      image: archive,
    }),
  ];
}
