/** What a dump writes in two places, and what of it has to agree. */
import { GHOST, LINKED } from "../../image/flags.ts";
import type { Checkpoint, GhostFileEntry, MntEntry, RegFileEntry } from "../../image/index.ts";
import { file_entry } from "../../image/tables/files.ts";
import { mnt_entry } from "../../image/tables/namespaces.ts";
import { dirname } from "../../sys/path.ts";
import { remapsOf } from "../files/remaps.ts";
import type { Forged } from "./walk.ts";
import { constants } from "node:fs";

const { S_IFCHR, S_IFLNK, S_IFMT, S_IFREG } = constants;

export function* forgedRelations(checkpoint: Checkpoint): Generator<Forged> {
  yield* hiddenFiles(checkpoint);
  yield* hiddenMounts(checkpoint);
  yield* links(checkpoint);
  yield* ghosts(checkpoint);
  yield* senders(checkpoint);
}

const REG = 1;
const TUNF = 15;

/** The field that a file_entry of a type has; CRIU reads no other. fd_types: images/fdinfo.proto. */
const fieldOfType: Readonly<Record<number, string>> = {
  1: "reg",
  2: "pipe",
  3: "fifo",
  4: "isk",
  5: "usk",
  6: "efd",
  7: "epfd",
  8: "ify",
  9: "sgfd",
  10: "psk",
  11: "tty",
  12: "ffy",
  13: "nlsk",
  14: "nsf",
  15: "tunf",
  16: "ext",
  17: "tfd",
  18: "memfd",
  19: "bpf",
  20: "pidfd",
};

/**
 * CRIU knows a file by its kind and number and restores all of them; what looks for a number finds one. Of an entry it
 * reads what its type says; what looks for a path finds whatever is there.
 */
function* hiddenFiles(checkpoint: Checkpoint): Generator<Forged> {
  const seen = new Map<number, number>();
  for (const value of checkpoint.values("files.img", file_entry)) {
    const { id, type } = value;
    const told = (field: "id" | "type", written: string, acts: string): Forged => ({
      file: "files.img",
      id,
      field: `file_entry.${field}`,
      value: value[field],
      rule: { written, acts },
    });
    // But a TUN device has its file, too (tun.c).
    const first = seen.get(id);
    if (first !== undefined && !(first === REG && type === TUNF))
      yield told(
        "id",
        "a number of its own for each file",
        "restores every file of a number: sockets are removed and bound that nobody has open",
      );
    seen.set(id, type);
    const field = fieldOfType[type];
    if (field !== undefined && hasOther(value, field)) {
      const others = Object.keys(value).filter((name) => !isOwn(name, field));
      const written = `${field} of a file of that type, and no ${others.join(", ")}`;
      yield told("type", written, "goes by the type");
    }
  }
}

const isOwn = (name: string, field: string): boolean =>
  name === field || name === "id" || name === "type";

/** Whether a file_entry has more than what its type says; no list is made for each of a million. */
function hasOther(entry: object, field: string): boolean {
  for (const name in entry) if (!isOwn(name, field)) return true;
  return false;
}

/** How far a cgroup's mount lies above the cgroup namespace of the dump: its root begins with as many /.. */
const above = ({ root }: MntEntry): number => /^(\/\.\.)*/.exec(root)![0].length / 3;

/** A mount is found by its number; one that is bound below another has the same /.. before its path. */
function* hiddenMounts(checkpoint: Checkpoint): Generator<Forged> {
  for (const file of checkpoint.files) {
    if (!/^mountpoints-\d+\.img$/.test(file)) continue;
    const mounts = checkpoint.values(file, mnt_entry);
    const seen = new Set<number>();
    const levels = new Map<number, number>();
    for (const mount of mounts) {
      const level = levels.get(mount.root_dev) ?? above(mount);
      const field = seen.has(mount.mnt_id) ? "mnt_id" : level === above(mount) ? undefined : "root";
      seen.add(mount.mnt_id);
      levels.set(mount.root_dev, level);
      if (field !== undefined)
        yield {
          file,
          id: mount.mnt_id,
          field: `mnt_entry.${field}`,
          value: mount[field],
          rule: {
            written:
              "a number of its own for each mount, and roots of one cgroup hierarchy that begin alike",
            acts: "joins paths of different mounts",
          },
        };
    }
  }
}

/** create_link_remap() of CRIU: link_remap.ID in the directory of the deleted file, or above where that is gone. */
function* links(checkpoint: Checkpoint): Generator<Forged> {
  for (const { reg, remap } of remapsOf(checkpoint, LINKED)) {
    const target = checkpoint.openFiles.get(remap.remap_id)?.reg;
    if (target === undefined || isLinkRemap(target, reg)) continue;
    yield {
      file: "remap-fpath.img",
      id: remap.orig_id,
      field: "remap_file_path_entry.remap_id",
      value: target.name,
      rule: {
        written: `link_remap.${target.id} beside ${reg.name}, or above it`,
        acts: "removes that file when the tree is restored",
      },
    };
  }
}

function isLinkRemap(target: RegFileEntry, { name }: RegFileEntry): boolean {
  const directory = dirname(target.name);
  const below = directory === "/" ? "/" : `${directory}/`;
  return (
    target.name === `${below}link_remap.${target.id | 0}` &&
    `${dirname(name)}/`.replace("//", "/").startsWith(below)
  );
}

/** The deleted file was the open file: type, mode and size are one file's. */
function* ghosts(checkpoint: Checkpoint): Generator<Forged> {
  for (const { reg, remap } of remapsOf(checkpoint, GHOST)) {
    const ghost = checkpoint.ghost(remap.remap_id);
    if (ghost === undefined) continue;
    const told = (field: string, value: unknown, written: string, acts: string): Forged => ({
      file: `ghost-file-${remap.remap_id.toString(16)}.img`,
      id: undefined,
      field: `ghost_file_entry.${field}`,
      value,
      rule: { written, acts },
    });
    if (reg.mode !== undefined && reg.mode !== ghost.mode)
      yield told(
        "mode",
        ghost.mode,
        `the mode of the open file, 0${reg.mode.toString(8)}`,
        "gives it to the file that it makes",
      );
    if ((ghost.mode & S_IFMT) === S_IFCHR && !isSaved(ghost))
      yield told(
        "rdev",
        ghost.rdev,
        "a memory device (major 1), a terminal or autofs: a dump refuses others",
        "makes that device, with the image's owner and mode",
      );
    if ((ghost.mode & S_IFMT) !== S_IFLNK && ghost.symlnk_target !== undefined)
      yield told(
        "symlnk_target",
        ghost.symlnk_target,
        "a target of symbolic links only",
        "makes a link to it",
      );
    if ((ghost.mode & S_IFMT) !== S_IFREG) continue;
    const { bytes, end } = checkpoint.ghostContent(remap.remap_id);
    const size = ghost.chunks ? ghost.size : BigInt(bytes);
    if (reg.size !== undefined && size !== reg.size)
      yield told("size", size, `the size of the open file, ${reg.size}`, "makes the file so long");
    if (size !== undefined && end > size)
      yield told(
        "size",
        size,
        `as much as its chunks, which end at ${end}`,
        "makes the file longer",
      );
  }
}

/** A dump leaves a message out whose sender is not in the tree. */
function* senders({ socketQueues, tasks }: Checkpoint): Generator<Forged> {
  const pids = new Set(tasks.map(({ pid }) => pid));
  for (const { ucred } of socketQueues)
    if (ucred !== undefined && !pids.has(ucred.pid))
      yield {
        file: "sk-queues.img",
        id: undefined,
        field: "sk_ucred_entry.pid",
        value: ucred.pid,
        rule: {
          written: "a task of the tree",
          acts: "sends the message in the name of whatever process has that number",
        },
      };
}

const MEM = 1;

/** is_tty() of CRIU; 10:235 is autofs. */
const TTYS = new Set([4, 5, 188, 204, ...Array.from({ length: 16 }, (_, at) => 128 + at)]);

function isSaved({ rdev = 0 }: GhostFileEntry): boolean {
  const major = (rdev >>> 8) & 0xfff;
  return major === MEM || TTYS.has(major) || (major === 10 && (rdev & 0xff) === 235);
}
