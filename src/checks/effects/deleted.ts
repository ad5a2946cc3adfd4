/** Deleted files: made again for the moment, or linked back from the name that the dump gave them (files-reg.c). */
import { GHOST, LINKED } from "../../image/flags.ts";
import {
  type GhostFileEntry,
  oncePer,
  type RegFileEntry,
  type RemapFilePathEntry,
} from "../../image/index.ts";
import { dirname, join } from "../../sys/path.ts";
import type { Context } from "../finding.ts";
import {
  effect,
  type Effect,
  imageOf,
  landing,
  type Landing,
  octal,
  type Refusal,
} from "./effect.ts";
import { deviceNumber, isCommonGround, isHarmlessDevice, isOutside } from "./policy.ts";
import { constants } from "node:fs";

const { S_IFBLK, S_IFCHR, S_IFDIR, S_IFIFO, S_IFLNK, S_IFMT } = constants;

/** Of images before remap_type there was this bit. */
const OLD_GHOST = 0x80000000;

/** Of a file with several the last. */
const byFile = oncePer(
  (remaps: readonly RemapFilePathEntry[]) => new Map(remaps.map((remap) => [remap.orig_id, remap])),
);

/** The file that a deleted one is linked back from; undefined when it is made again, or a task's file in /proc. */
export function linkTarget(
  { checkpoint }: Context,
  { id }: RegFileEntry,
): RegFileEntry | undefined {
  const remap = byFile(checkpoint.remaps).get(id);
  if (remap === undefined) return undefined;
  return typeOf(remap) === LINKED ? checkpoint.openFiles.get(remap.remap_id)?.reg : undefined;
}

const typeOf = ({ remap_id, remap_type }: RemapFilePathEntry): number =>
  remap_type ?? (remap_id & OLD_GHOST ? GHOST : LINKED);

export function deletedEffects(context: Context): Iterable<Effect> {
  const { checkpoint } = context;
  const made = new Set<number>();
  return checkpoint.remaps.values().flatMap((remap): Effect[] => {
    const { orig_id, remap_id, remap_type } = remap;
    const type = typeOf(remap);
    const id = (remap_type === undefined ? remap_id & ~OLD_GHOST : remap_id) >>> 0;
    const reg = checkpoint.openFiles.get(orig_id)?.reg;
    if (reg === undefined) return [];
    if (type === LINKED) {
      const target = checkpoint.openFiles.get(id)?.reg;
      return target === undefined ? [] : linked(context, reg, target);
    }
    const ghost = type === GHOST ? checkpoint.ghost(id) : undefined;
    if (ghost === undefined) return [];
    const first = !made.has(id);
    made.add(id);
    const isDirectory = (ghost.mode & S_IFMT) === S_IFDIR;
    return [
      ...(first ? [created(context, reg, ghost, id)] : []),
      ...(isDirectory ? [] : [named(context, reg)]),
    ];
  });
}

const kinds: Readonly<Record<number, string>> = {
  [S_IFDIR]: "directory",
  [S_IFIFO]: "fifo",
  [S_IFLNK]: "link",
  [S_IFCHR]: "character device",
  [S_IFBLK]: "block device",
};

/** The file itself, under a name of CRIU's, in the nearest directory above that is there. */
function created(context: Context, reg: RegFileEntry, ghost: GhostFileEntry, id: number): Effect {
  const type = ghost.mode & S_IFMT;
  const name = type === S_IFDIR ? reg.name : `${reg.name}.cr.${id.toString(16)}.ghost`;
  const land = climbed(context, name, reg);
  const device = type === S_IFCHR || type === S_IFBLK ? ` ${deviceNumber(ghost.rdev ?? 0)}` : "";
  const there = land.stat !== undefined && type === S_IFDIR;
  const target = type === S_IFLNK ? ` to ${ghost.symlnk_target}` : "";
  return effect({
    verb: there ? "delete" : "create",
    what: `${kinds[type] ?? "file"}${device}`,
    path: land.path ?? null,
    name,
    detail: `${there ? "taken for the deleted one and removed" : "for the moment"}${target}: mode ${octal(ghost.mode)}, owner ${ghost.uid}:${ghost.gid}`,
    image: imageOf(reg.id),
    check: there ? refused(context, land, "untrusted-delete") : ghostRefusal(context, ghost, land),
  });
}

function ghostRefusal(context: Context, ghost: GhostFileEntry, land: Landing): Refusal | null {
  const type = ghost.mode & S_IFMT;
  // In a user namespace of its own neither means anything to this machine.
  if (!context.namespaces.created.user) {
    if (type === S_IFBLK || (type === S_IFCHR && !isHarmlessDevice(ghost.rdev ?? 0)))
      return "untrusted-device";
    if (kinds[type] === undefined && ghost.mode & 0o6000) return "untrusted-setuid";
  }
  return refused(context, land, "untrusted-write");
}

const refused = (context: Context, land: Landing, check: Refusal): Refusal | null =>
  isOutside(context, land) && !isCommonGround(context, land) ? check : null;

/** Where the directory of a name is gone, CRIU takes the one above it. `..` leads through the mounts of CRIU's own. */
function climbed(context: Context, name: string, reg: RegFileEntry): Landing {
  if (context.namespaces.created.mnt && /(^|\/)\.\.(\/|$)/.test(name)) return escaped(name, reg);
  let path = name;
  for (;;) {
    const land = landing(context, path, reg.mnt_id, false);
    const parent = dirname(path);
    if (land.path === null || land.stat !== undefined || parent === "/") return land;
    const above = landing(context, parent, reg.mnt_id);
    if (above.stat !== undefined || above.path === undefined) return land;
    path = join(dirname(parent), path.slice(parent.length + 1));
  }
}

/** CRIU makes it from where it mounts all file systems of the tree at first (mount.c, service_mountpoint). */
const escaped = (name: string, { mnt_id = 0 }: RegFileEntry): Landing => ({
  path: join(`/tmp/.criu.mntns.XXXXXX/mnt-${String(mnt_id).padStart(10, "0")}`, name),
  stat: undefined,
  kernelFs: () => undefined,
  escaped: true,
});

/** The file's own name, under which it is opened and from which it is removed at once. */
function named(context: Context, reg: RegFileEntry): Effect {
  const land = landing(context, reg.name, reg.mnt_id, false);
  const taken = land.stat !== undefined;
  const made = taken ? landing(context, `${reg.name}.cr_link`, reg.mnt_id, false) : land;
  return effect({
    verb: "create",
    what: "file",
    path: made.path ?? null,
    name: taken ? `${reg.name}.cr_link` : reg.name,
    detail: `for the moment: a link to the deleted file, ${taken ? "as its name is taken" : "with the directories above it"}`,
    image: imageOf(reg.id),
    check: refused(context, made, "untrusted-write"),
  });
}

function linked(context: Context, reg: RegFileEntry, target: RegFileEntry): Effect[] {
  const land = landing(context, target.name, reg.mnt_id, false);
  return [
    named(context, reg),
    effect({
      verb: "delete",
      what: "file",
      path: land.path ?? null,
      name: target.name,
      detail: `the name that the dump gave to the deleted file ${reg.name}`,
      image: imageOf(target.id),
      when: "succeeding",
      check: isOutside(context, land) ? "untrusted-delete" : null,
    }),
  ];
}
