/**
 * The seal of a checkpoint: `recriu.manifest` beside the images, with what each was when it was sealed. It tells damage and
 * mix-ups; and forgery, where it has to be signed (recriu.manifest.minisig).
 */
import { closeSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { ENOENT } from "../sys/errno.ts";
import { basename, dirname, join } from "../sys/path.ts";
import { openRegular } from "../sys/regular.ts";
import { isAbsent, statAt } from "../sys/look.ts";
import { parseManifest } from "./manifest-text.ts";

export const MANIFEST = "recriu.manifest";

/**
 * Beside the images of a pack: page data, and the files that were taken along, were left out of it on purpose
 * (`pack --without-pages`). It is looked at as if they were there, and not restored.
 */
export const LEFT_OUT = "recriu.left-out";

export interface Sum {
  readonly size: number;
  readonly sha256: string;
}

/** A file outside the images that the tree has open, mapped or runs; `build_id` in hexadecimal. */
export interface NeededFile {
  path: string;
  size: number;
  /** Permission bits. */
  mode: number;
  build_id: string | null;
  /** When it was last written to, as ISO 8601; seals of recriu 0.1 have none. */
  mtime?: string;
  /** What was taken along (`seal --with-files`). */
  taken?: Taken;
}

/** A file that stands in recriu.files, and what it was besides its bytes. */
export interface Taken {
  /** Of its bytes. */
  sha256: string;
  /** What stands there where it is packed (beside.ts); seals of recriu 0.1 have none. */
  packed?: Sum;
  uid: number;
  gid: number;
  /** Extended attributes, xattr(7), in base64: file capabilities too. */
  xattrs: Record<string, string>;
  /** It was written to after the dump: these are not the bytes that the tree last saw. */
  newer: boolean;
  /** It has holes: fewer blocks than bytes. */
  sparse?: boolean;
  /** `dev:ino` of one that had further names (hard links): those of the same are one file. */
  inode?: string;
}

/** A directory above a file that was taken along. */
export interface Above {
  path: string;
  /** Permission bits. */
  mode: number;
  uid: number;
  gid: number;
}

/** A machine, as far as it could be told. */
export interface Machine {
  /** Bytes. */
  page_size: number;
  /** Those that are online. */
  processors?: number;
  /** Bytes. */
  memory?: number;
  /** What the cgroups of the tree allow it: bytes, and processors (a quota through its period). */
  limits: { memory?: number; processors?: number };
  /** Security modules, as the kernel names them. */
  lsm?: string[];
  gpus: Gpu[];
}

export interface Gpu {
  model: string;
  /** Version. */
  driver: string | null;
}

export interface Manifest {
  schema: 1;
  /** Versions of what was there when it was sealed. */
  recriu: string;
  criu: string | null;
  kernel: string;
  machine: string;
  /** The processor's flags, as /proc/cpuinfo names them. */
  cpu: string[];
  /** What else it was sealed on; seals of recriu 0.1 have none. */
  host?: Machine;
  /** By name; of an incremental checkpoint those of its parents too, as `parent/NAME`. */
  images: Record<string, Sum>;
  files: NeededFile[];
  /** Of a seal with files. */
  directories?: Above[];
}

interface Altered {
  image: string;
  problem: string;
}

/** What a seal says of the images now. */
export type Seal =
  | {
      ok: true;
      manifest: Manifest;
      altered: readonly Altered[];
      /** Bytes of the images that were left out of a pack, by name. */
      leftOut: ReadonlyMap<string, number>;
      /** The key by which these very bytes of the manifest are signed; undefined: that was not looked at. */
      signedBy: string | undefined;
    }
  /** `signature`: it is signed by none of the keys, and was not read. */
  | { ok: false; file: string; problem: string; signature?: "missing" | "wrong" };

/** The key by which the manifest that was read from `file` is signed, by its bytes; or why it is not. */
export type Signed = (
  manifest: Uint8Array,
  file: string,
) => { by: string } | { signature: "missing" | "wrong"; problem: string };

interface Looking {
  /** What is sealed is one archive, not a directory. */
  readonly archive?: boolean | undefined;
  readonly hashing?: Hashing | undefined;
  /** Asked before anything in the manifest is believed; undefined: signatures are not looked at. */
  readonly signed?: Signed | undefined;
}

/** Called from time to time with the bytes that were hashed, of all that there are. */
export type Hashing = (done: number, total: number) => void;

/** CRIU itself follows no longer chain of parents in earnest. */
const DEEPEST = 64;
const LARGEST = 32 << 20;
const CHUNK = 4 << 20;

/** Where the manifest of an images directory or of an archive is. */
export const manifestOf = (path: string, archive = false): string =>
  archive ? `${path}.${MANIFEST}` : join(path, MANIFEST);

/** Where the signature of a manifest is, as minisign(1) has it. */
export const signatureOf = (manifest: string): string => `${manifest}.minisig`;

/** The images of a directory and of its parents: everything that is called `*.img`. Throws where a parent cannot be read. */
export function imagesIn(dir: string): string[] {
  const images: string[] = [];
  const seen = new Set<string>();
  for (let prefix = "", depth = 0; depth <= DEEPEST; prefix += "parent/", depth += 1) {
    const { dev, ino } = statSync(join(dir, prefix));
    if (seen.has(`${dev}:${ino}`)) throw new Error(`${join(dir, prefix)} leads back to itself`);
    seen.add(`${dev}:${ino}`);
    const names = readdirSync(join(dir, prefix));
    images.push(...names.filter((name) => name.endsWith(".img")).map((name) => prefix + name));
    if (!names.includes("parent")) break;
  }
  return images.sort();
}

/**
 * Size and sha256 of a regular file; an image no link leads to: whoever made the images may not choose what else is read and
 * told. Read once from its beginning to its end; not at all where it has not the size that is `due`. Throws why not.
 */
export function sumOf(
  path: string,
  onBytes: (count: number) => void = () => {},
  due?: number,
  follow = false,
): Sum {
  const opened = openRegular(path, follow);
  if (!opened.ok) throw new Error(`${path}: ${opened.problem}`);
  const { fd, stat } = opened;
  try {
    if (due !== undefined && stat.size !== due) return { size: stat.size, sha256: "" };
    const hash = new Bun.CryptoHasher("sha256"); // node:crypto would cost every start 2 ms
    const chunk = Buffer.allocUnsafe(CHUNK);
    let size = 0;
    for (let read = readSync(fd, chunk); read > 0; read = readSync(fd, chunk)) {
      hash.update(chunk.subarray(0, read));
      size += read;
      onBytes(read);
    }
    return { size, sha256: hash.digest("hex") };
  } finally {
    closeSync(fd);
  }
}

/** The sums of files below a directory. */
export function sumsOf(
  dir: string,
  names: readonly string[],
  hashing?: Hashing,
): Record<string, Sum> {
  const total = names.reduce((sum, name) => sum + statSync(join(dir, name)).size, 0);
  let done = 0;
  const note = (count: number) => hashing?.((done += count), total);
  return Object.fromEntries(names.map((name) => [name, sumOf(join(dir, name), note)]));
}

/** Compare an images directory or an archive with its manifest; undefined when it has none. */
export function sealOf(path: string, looking: Looking = {}): Seal | undefined {
  const sealed = unlookedSeal(path, looking);
  if (sealed?.ok !== true) return sealed;
  const { archive = false, hashing } = looking;
  const dir = archive ? dirname(path) : path;
  let there: string[];
  try {
    there = archive ? [basename(path)] : imagesIn(dir);
  } catch (error) {
    const problem = `the images cannot be listed: ${(error as Error).message}`;
    return { ok: false, file: manifestOf(path, archive), problem };
  }
  return { ...sealed, altered: alteredIn(dir, there, sealed, hashing) };
}

/** What the manifest says, without a look at the images. It is read once: what was signed is what is believed. */
export function unlookedSeal(
  path: string,
  { archive = false, signed }: Looking = {},
): Seal | undefined {
  const file = manifestOf(path, archive);
  const read = smallFile(file);
  if (!("bytes" in read))
    return read.errno === -ENOENT ? undefined : { ok: false, file, problem: read.problem };
  const by = signed?.(read.bytes, file);
  if (by !== undefined && !("by" in by)) return { ok: false, file, ...by };
  const parsed = parseManifest(read.bytes.toString());
  if (!parsed.ok) return { ok: false, file, problem: parsed.problem };
  const { manifest } = parsed;
  const leftOut = archive ? new Map<string, number>() : leftOutOf(path, manifest);
  return { ok: true, manifest, altered: [], leftOut, signedBy: by?.by };
}

/** The bytes of a manifest, or of what stands beside it. */
export function smallFile(file: string): { bytes: Buffer } | { errno: number; problem: string } {
  const opened = openRegular(file);
  if (!opened.ok) return opened;
  try {
    if (opened.stat.size > LARGEST) return { errno: 0, problem: "it is larger than any manifest" };
    return { bytes: readFileSync(opened.fd) };
  } catch (error) {
    return { errno: 0, problem: (error as Error).message };
  } finally {
    closeSync(opened.fd);
  }
}

/** Images that hold what was in memory, and nothing else. */
export const isPages = (image: string): boolean =>
  /^(?:parent\/)*(?:amdgpu-)?pages-[^/]+\.img$/.test(image);

/** Bytes of the images that were left out of a pack, by name, for who only shows what is in it: its seal is not looked at. */
export function leftOutIn(dir: string): ReadonlyMap<string, number> {
  if (typeof statAt(join(dir, LEFT_OUT), false) === "number") return new Map();
  const seal = unlookedSeal(dir);
  return seal?.ok ? seal.leftOut : new Map();
}

function leftOutOf(dir: string, { images }: Manifest): Map<string, number> {
  const stat = (name: string) => statAt(join(dir, name), false);
  if (typeof stat(LEFT_OUT) === "number") return new Map();
  const gone = Object.entries(images).filter(([name]) => {
    const found = isPages(name) ? stat(name) : 0;
    return typeof found === "number" && isAbsent(found);
  });
  return new Map(gone.map(([name, { size }]) => [name, size]));
}

function alteredIn(
  dir: string,
  there: readonly string[],
  { manifest: { images }, leftOut }: Extract<Seal, { ok: true }>,
  hashing: Hashing | undefined,
): Altered[] {
  const total = Object.values(images).reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const altered: Altered[] = there
    .filter((name) => !Object.hasOwn(images, name))
    .map((image) => ({ image, problem: "it was not there when the checkpoint was sealed" }));
  const found = new Set(there);
  for (const [image, sealed] of Object.entries(images)) {
    if (leftOut.has(image)) continue;
    if (!found.has(image)) {
      altered.push({ image, problem: "it is not there any more" });
      continue;
    }
    try {
      const note = (count: number) => hashing?.((done += count), total);
      const now = sumOf(join(dir, image), note, sealed.size);
      if (now.size !== sealed.size)
        altered.push({ image, problem: `it has ${now.size} bytes and had ${sealed.size}` });
      else if (now.sha256 !== sealed.sha256)
        altered.push({ image, problem: "its bytes are not those that were sealed" });
    } catch (error) {
      altered.push({ image, problem: (error as Error).message });
    }
  }
  return altered;
}
