/** Files that were taken along with a sealed checkpoint: which of them is the one that CRIU will want. */
import { upward } from "../../host/upward.ts";
import {
  FILES,
  type Manifest,
  type NeededFile,
  oncePer,
  type RegFileEntry,
  type Taken,
} from "../../image/index.ts";
import { STICKY, WORLD_WRITES } from "../../sys/linux.ts";
import { dirname, join } from "../../sys/path.ts";
import { sh } from "../../sys/shell.ts";
import { imagesLater } from "../again.ts";
import type { Context, Remedy } from "../finding.ts";
import type { HostPlace } from "../paths.ts";
import { constants } from "node:fs";

const SET_IDS = 0o6000;

/** A build-id as the images have it, in words, as hexadecimal text; "" where there is none. */
export function buildIdOf({ build_id: words }: RegFileEntry): string {
  const bytes = Buffer.alloc(words.length * 4);
  for (const [index, word] of words.entries()) bytes.writeUInt32LE(word, index * 4);
  return bytes.toString("hex");
}

/** A manifest can name as much as is missing: neither is gone through for each of the other. */
const byPath = oncePer(({ files, directories = [] }: Manifest) => ({
  files: new Map(files.map((file) => [file.path, file])),
  directories: new Map(directories.map((directory) => [directory.path, directory])),
}));

/** Put the file that is gone back from beside the images; undefined where it was not taken along, or is not the one that was saved. */
export function fromBeside(
  context: Context,
  reg: RegFileEntry,
  { root, path, hostPath }: HostPlace,
): Remedy | undefined {
  const { checkpoint, seal, settings, host } = context;
  // Untrusted images choose no file on this machine.
  if (!seal?.ok || settings.untrusted) return undefined;
  const { files, directories } = byPath(seal.manifest);
  const sealed = files.get(reg.name);
  if (sealed?.taken === undefined || !isSaved(reg, sealed, sealed.taken)) return undefined;
  const { size, mode, mtime, taken } = sealed;
  const { sha256, uid, gid, xattrs, newer } = taken;
  const from = join(checkpoint.dir, FILES, sha256);
  if (host.access(from, constants.R_OK) < 0) return undefined;
  const lost = [...upward(dirname(path))]
    .toReversed()
    .flatMap((at) => (path === reg.name ? (directories.get(at) ?? []) : []))
    .filter((above) => !root.look(above.path).ok);
  if (lost.some(givesRights)) return undefined;
  const octal = mode.toString(8).padStart(4, "0");
  return {
    kind: "repair",
    text: `put back the file that was taken along: ${size} bytes, mode ${octal}, owner ${uid}:${gid}${newer ? "; it had been written to after the dump when it was sealed" : ""}`,
    command: sh`install -D -m ${octal} -o ${uid} -g ${gid} ${join(imagesLater(context), FILES, sha256)} ${hostPath}`,
    repair: {
      action: "file",
      root: root.path,
      path,
      mode,
      uid,
      gid,
      from,
      sha256,
      size,
      mtime,
      xattrs,
      directories: lost,
    },
  };
}

/** Make the directory again as it was; undefined where the seal says nothing of it. */
export function asSealed(
  { seal, settings }: Context,
  reg: RegFileEntry,
  { root, path, hostPath }: HostPlace,
): Remedy | undefined {
  if (!seal?.ok || settings.untrusted) return undefined;
  const sealed = byPath(seal.manifest).directories.get(reg.name);
  if (sealed === undefined || (reg.mode !== undefined && (reg.mode & 0o7777) !== sealed.mode))
    return undefined;
  const { mode, uid, gid } = sealed;
  const octal = mode.toString(8).padStart(4, "0");
  return {
    kind: "repair",
    text: `make the directory as it was when it was sealed, mode ${octal}, owner ${uid}:${gid}; what was in it besides was not taken along`,
    command: sh`install -d -m ${octal} -o ${uid} -g ${gid} ${hostPath}`,
    repair: { action: "mkdir", root: root.path, path, mode, uid, gid },
  };
}

/** A directory that is a person's to make: it gives rights to others than its owner. */
const givesRights = ({ mode }: { mode: number }): boolean =>
  (mode & SET_IDS) !== 0 || ((mode & WORLD_WRITES) !== 0 && (mode & STICKY) === 0);

/** Attributes that are put back; of others the kernel makes its own. */
const OWN_ATTRIBUTES = /^(?:user\.|system\.posix_acl_access$)/;

/** Whether CRIU will take it for the file of the dump. One with set-id bits or capabilities is left to a person. */
const isSaved = (
  reg: RegFileEntry,
  { size, mode, build_id }: NeededFile,
  { xattrs }: Taken,
): boolean =>
  (reg.size === undefined || reg.size === BigInt(size)) &&
  (reg.mode === undefined || (reg.mode & 0o7777) === mode) &&
  (reg.build_id.length === 0 || buildIdOf(reg) === build_id) &&
  (mode & SET_IDS) === 0 &&
  Object.keys(xattrs).every((name) => OWN_ATTRIBUTES.test(name));
