/** Files that were taken along with a sealed checkpoint: which of them is the one that CRIU will want. */
import type { Host, Lookup } from "../../host/index.ts";
import { upward } from "../../host/upward.ts";
import {
  type Above,
  besideOf,
  FILES,
  type Manifest,
  type NeededFile,
  oncePer,
  PACKED,
  type RegFileEntry,
} from "../../image/index.ts";
import { basename, dirname, join } from "../../sys/path.ts";
import { sh, typedOption } from "../../sys/shell.ts";
import { imagesLater } from "../again.ts";
import type { Context, Problem, PutFile, Remedy } from "../finding.ts";
import type { HostPlace } from "../paths.ts";
import { accessMode } from "./file-content.ts";
import { type Names, namesOf, namesText } from "./hard-links.ts";
import { opensToOthers, withCapabilities, wordFor } from "./gives-rights.ts";
import { usedFiles } from "./used-files.ts";
import { constants } from "node:fs";

/** What the images say of a file. */
type Known = Pick<RegFileEntry, "name" | "size" | "mode" | "build_id">;

/** A build-id as the images have it, in words, as hexadecimal text; "" where there is none. */
export function buildIdOf({ build_id: words }: Known): string {
  const bytes = Buffer.alloc(words.length * 4);
  for (const [index, word] of words.entries()) bytes.writeUInt32LE(word, index * 4);
  return bytes.toString("hex");
}

/** A manifest can name as much as is missing: neither is gone through for each of the other. */
const byPath = oncePer(({ files, directories = [] }: Manifest) => ({
  files: new Map(files.map((file) => [file.path, file])),
  directories: new Map(directories.map((directory) => [directory.path, directory])),
}));

interface Found {
  readonly file: PutFile;
  readonly newer: boolean;
  readonly names: Names | undefined;
  /** It gives rights, and no --use-packed names it. */
  readonly wantsWord: boolean;
}

/** The file that was taken along, to be put at that place; undefined where it was not, or is not the one that was saved. */
function takenFor(context: Context, reg: Known, place: HostPlace): Found | undefined {
  const { checkpoint, seal, settings, host } = context;
  const { root, path, hostPath } = place;
  // Untrusted images choose no file on this machine.
  if (!seal?.ok || settings.untrusted) return undefined;
  const { files } = byPath(seal.manifest);
  const sealed = files.get(reg.name);
  if (sealed?.taken === undefined || !isSaved(reg, sealed)) return undefined;
  const word = wordFor(context, sealed, hostPath);
  if (word === "never") return undefined;
  const { size, mode, mtime, taken } = sealed;
  const { sha256, uid, gid, xattrs, newer, sparse } = taken;
  const from = besideOf(checkpoint.dir, taken);
  // Where nothing is, as a pack without pages leaves it out, nothing leads elsewhere.
  const isLeftOut = seal.leftOut.size > 0 && host.entry(from) === undefined;
  if (!isLeftOut && !isBeside(host, from, taken.packed?.size ?? size)) return undefined;
  const put = { action: "file", root: root.path, path, mode, uid, gid } as const;
  const rights = word === "none" ? undefined : true;
  const names = word === "none" ? namesOf(context, seal.manifest, sealed, place) : undefined;
  const links = names && { inode: taken.inode, link: names.same };
  return {
    file: { ...put, from, sha256, size, mtime, xattrs, sparse, ...links, rights, directories: [] },
    newer,
    names,
    wantsWord: word === "wanted",
  };
}

/** Whether what was taken along stands there itself: of a link in its place the command would put back what that leads to. */
function isBeside(host: Host, from: string, size: number): boolean {
  const file = host.entry(dirname(from))?.isDirectory() ? host.entry(from) : undefined;
  return file?.isFile() === true && file.size === size && host.access(from, constants.R_OK) === 0;
}

/** Where its bytes are for a person who types: those of a pack where it will have been unpacked. */
const besides = (context: Context, { from }: PutFile): string =>
  join(imagesLater(context), FILES, basename(from));

/** Of nothing the packed form is nothing, which zstd(1) takes for cut off. */
const isPacked = ({ from, size }: PutFile): boolean => size > 0 && from.endsWith(PACKED);

/** Put the file that is gone back from beside the images; undefined where it was not taken along, or is not the one that was saved. */
export function fromBeside(context: Context, reg: Known, place: HostPlace): Remedy | undefined {
  const { seal } = context;
  const found = takenFor(context, reg, place);
  if (!seal?.ok || found === undefined) return undefined;
  const { root, path, hostPath } = place;
  const { directories } = byPath(seal.manifest);
  const { size, mode, uid, gid, xattrs } = found.file;
  const lost = [...upward(dirname(path))]
    .toReversed()
    .flatMap((at) => (path === reg.name ? (directories.get(at) ?? []) : []))
    .filter((above) => !root.look(above.path).ok);
  if (lost.some(opensToOthers)) return undefined;
  if (found.wantsWord)
    return {
      kind: "human",
      text: "it gives its caller rights that are not his own (set-user-id, set-group-id, file capabilities), so it is put back, with them, where you say so",
      command: typedOption(`--use-packed=${hostPath}`),
    };
  const octal = octalOf(mode);
  const beside = besides(context, found.file);
  const names = found.names === undefined ? "" : namesText(found.names, place);
  return {
    kind: "repair",
    text: `put back the file that was taken along: ${size} bytes, mode ${octal}, owner ${uid}:${gid}${names}${found.newer ? "; it had been written to after the dump when it was sealed" : ""}`,
    command: withCapabilities(
      isPacked(found.file)
        ? sh`zstd -tq ${beside} && zstd -dqc ${beside} | install -D -m ${octal} -o ${uid} -g ${gid} /dev/stdin ${hostPath}`
        : sh`install -D -m ${octal} -o ${uid} -g ${gid} ${beside} ${hostPath}`,
      xattrs,
      hostPath,
    ),
    repair: { ...found.file, directories: lost },
  };
}

const inodeOf = (found: Lookup): string | undefined =>
  found.ok && found.stat.isFile() ? `${found.stat.dev}:${found.stat.ino}` : undefined;

/** What of this machine the tree has open for writing, or mapped to be written, by whatever name. */
const writtenFiles = oncePer(
  (context: Context): ReadonlySet<string | undefined> =>
    new Set(
      usedFiles(context)
        .filter(({ reg }) => accessMode(reg) !== constants.O_RDONLY)
        .map(({ reg }) => {
          const place = context.namespaces.place(reg.name, reg.mnt_id);
          return place.onHost ? inodeOf(place.root.look(place.path)) : undefined;
        }),
    ),
);

/** Under which name the file is kept that another is put in the place of. */
const KEPT = ".before-restore";

/**
 * What answers a file that is another by now, where `remedy` does: with the one that was taken along, bound over it for the tree
 * alone, or, where a person says so (--use-packed), put in its place.
 */
export function orTaken(
  context: Context,
  reg: RegFileEntry,
  place: HostPlace,
  remedy: Remedy,
): Pick<Problem, "remedy" | "over"> {
  const taken = takenFor(context, reg, place);
  if (taken === undefined || inodeOf(place.root.look(place.path, false)) === undefined)
    return { remedy };
  const { hostPath } = place;
  if (context.settings.usePacked.includes(hostPath))
    return { remedy: inPlace(context, taken.file, hostPath) };
  const bound = taken.wantsWord ? undefined : over(context, place, taken.file);
  // What only grew, and may have, is to be as it is now.
  if (bound !== undefined) return remedy.kind === "edit" ? { remedy } : { remedy, over: bound };
  if (remedy.kind !== "human") return { remedy };
  const option = `--use-packed=${hostPath}`;
  return {
    remedy: {
      ...remedy,
      text: `${remedy.text}; or --use-packed puts the one that was taken along in its place, and keeps this one beside it`,
      command: remedy.command ?? typedOption(option),
    },
  };
}

function inPlace(context: Context, file: PutFile, hostPath: string): Remedy {
  const { mode, uid, gid, size, xattrs } = file;
  const octal = octalOf(mode);
  const beside = besides(context, file);
  const aside = ["-nT", "--", hostPath, `${hostPath}${KEPT}`];
  return {
    kind: "repair",
    text: `put the file that was taken along in its place: ${size} bytes, mode ${octal}, owner ${uid}:${gid}; this one is kept as ${hostPath}${KEPT}`,
    command: withCapabilities(
      isPacked(file)
        ? sh`zstd -tq ${beside} && mv ${aside} && zstd -dqc ${beside} | install -m ${octal} -o ${uid} -g ${gid} /dev/stdin ${hostPath}`
        : sh`mv ${aside} && install -m ${octal} -o ${uid} -g ${gid} ${beside} ${hostPath}`,
      xattrs,
      hostPath,
    ),
    repair: { ...file, aside: `${basename(hostPath)}${KEPT}` },
  };
}

/**
 * The file that was taken along, to be bound over another one, whose path it has, without links; undefined where that is not the one
 * that was saved, where the tree writes to it, as then the other may be the newer truth, and in mounts that CRIU makes itself.
 */
function over(context: Context, { root, path }: HostPlace, file: PutFile): PutFile | undefined {
  const inode = inodeOf(root.look(path));
  if (context.namespaces.created.mnt || inode === undefined) return undefined;
  const real = writtenFiles(context).has(inode) ? undefined : root.real(path);
  return real === undefined ? undefined : { ...file, path: real };
}

const octalOf = (mode: number): string => mode.toString(8).padStart(4, "0");

type Repaired = Extract<Remedy, { kind: "repair" }>;

/** What was at that path when it was sealed, directory or file, of which the images say no more; undefined where it was not taken along. */
export function backAsSealed(context: Context, path: string, place: HostPlace): Remedy | undefined {
  const known = { name: path, build_id: [] };
  return asSealed(context, known, place) ?? fromBeside(context, known, place);
}

/** What a seal says of the directory at a path of the tree's. */
export function sealedDirectory({ seal, settings }: Context, path: string): Above | undefined {
  return seal?.ok && !settings.untrusted ? byPath(seal.manifest).directories.get(path) : undefined;
}

/** Make the directory again as it was; undefined where the seal says nothing of it. */
export function asSealed(
  context: Context,
  reg: Known,
  { root, path, hostPath }: HostPlace,
): Repaired | undefined {
  const sealed = sealedDirectory(context, reg.name);
  if (sealed === undefined || (reg.mode !== undefined && (reg.mode & 0o7777) !== sealed.mode))
    return undefined;
  const { mode, uid, gid } = sealed;
  const octal = octalOf(mode);
  return {
    kind: "repair",
    text: `make the directory as it was when it was sealed, mode ${octal}, owner ${uid}:${gid}; what was in it besides was not taken along`,
    command: sh`install -d -m ${octal} -o ${uid} -g ${gid} ${hostPath}`,
    repair: { action: "mkdir", root: root.path, path, mode, uid, gid },
  };
}

/** Whether CRIU will take it for the file of the dump. */
const isSaved = (reg: Known, { size, mode, build_id }: NeededFile): boolean =>
  (reg.size === undefined || reg.size === BigInt(size)) &&
  (reg.mode === undefined || (reg.mode & 0o7777) === mode) &&
  (reg.build_id.length === 0 || buildIdOf(reg) === build_id);
