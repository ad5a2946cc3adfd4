/**
 * The seal of a checkpoint: `recriu.manifest` beside the images, with what each was when it was sealed. It tells damage
 * and mix-ups, not forgery: whoever can change an image can change the manifest.
 */
import { closeSync, readdirSync, readFileSync, readSync, statSync } from "node:fs";
import { ENOENT } from "../sys/errno.ts";
import { basename, dirname, join } from "../sys/path.ts";
import { openRegular } from "../sys/regular.ts";

export const MANIFEST = "recriu.manifest";

/** Beside the images, the files that were taken along, each named by its sha256. */
export const FILES = "recriu.files";

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
  sha256: string;
  uid: number;
  gid: number;
  /** Extended attributes, xattr(7), in base64: file capabilities too. */
  xattrs: Record<string, string>;
  /** It was written to after the dump: these are not the bytes that the tree last saw. */
  newer: boolean;
}

/** A directory above a file that was taken along. */
export interface Above {
  path: string;
  /** Permission bits. */
  mode: number;
  uid: number;
  gid: number;
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
  | { ok: true; manifest: Manifest; altered: readonly Altered[] }
  | { ok: false; file: string; problem: string };

/** Called from time to time with the bytes that were hashed, of all that there are. */
export type Hashing = (done: number, total: number) => void;

/** CRIU itself follows no longer chain of parents in earnest. */
const DEEPEST = 64;
const LARGEST = 64 << 20;
const CHUNK = 4 << 20;
const NAME = /^(?:parent\/){0,64}[^/\0]+$/;

/** Where the manifest of an images directory or of an archive is. */
export const manifestOf = (path: string, archive = false): string =>
  archive ? `${path}.${MANIFEST}` : join(path, MANIFEST);

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
export function sealOf(path: string, archive = false, hashing?: Hashing): Seal | undefined {
  const sealed = unlookedSeal(path, archive);
  if (sealed?.ok !== true) return sealed;
  const { manifest } = sealed;
  const dir = archive ? dirname(path) : path;
  let there: string[];
  try {
    there = archive ? [basename(path)] : imagesIn(dir);
  } catch (error) {
    const problem = `the images cannot be listed: ${(error as Error).message}`;
    return { ok: false, file: manifestOf(path, archive), problem };
  }
  return { ok: true, manifest, altered: alteredIn(dir, there, manifest, hashing) };
}

/** What the manifest says, without a look at the images. */
export function unlookedSeal(path: string, archive = false): Seal | undefined {
  const file = manifestOf(path, archive);
  const opened = openRegular(file);
  if (!opened.ok)
    return opened.errno === -ENOENT ? undefined : { ok: false, file, problem: opened.problem };
  let text: string;
  try {
    if (opened.stat.size > LARGEST)
      return { ok: false, file, problem: "it is larger than any manifest" };
    text = readFileSync(opened.fd, "utf8");
  } catch (error) {
    return { ok: false, file, problem: (error as Error).message };
  } finally {
    closeSync(opened.fd);
  }
  const parsed = parseManifest(text);
  return parsed.ok
    ? { ok: true, manifest: parsed.manifest, altered: [] }
    : { ok: false, file, problem: parsed.problem };
}

function alteredIn(
  dir: string,
  there: readonly string[],
  { images }: Manifest,
  hashing: Hashing | undefined,
): Altered[] {
  const total = Object.values(images).reduce((sum, { size }) => sum + size, 0);
  let done = 0;
  const altered: Altered[] = there
    .filter((name) => !Object.hasOwn(images, name))
    .map((image) => ({ image, problem: "it was not there when the checkpoint was sealed" }));
  const found = new Set(there);
  for (const [image, sealed] of Object.entries(images)) {
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

/** A manifest's text, believed in nothing. */
export function parseManifest(
  text: string,
): { ok: true; manifest: Manifest } | { ok: false; problem: string } {
  let value: Partial<Manifest>;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return { ok: false, problem: `it is no JSON: ${(error as Error).message}` };
  }
  const odd = whatIsOdd(value);
  return odd === undefined
    ? { ok: true, manifest: value as Manifest }
    : { ok: false, problem: odd };
}

const isSize = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
const isText = (value: unknown): value is string => typeof value === "string";
const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

function whatIsOdd(value: unknown): string | undefined {
  if (!isObject(value) || value.schema !== 1) return "it is no manifest that this recriu knows";
  const { recriu, criu, kernel, machine, cpu, images, files } = value;
  if (![recriu, kernel, machine].every(isText) || !(criu === null || isText(criu)))
    return "a version in it is no text";
  if (!Array.isArray(cpu) || !cpu.every(isText)) return "its flags of the processor are no texts";
  if (!isObject(images)) return "it has no images";
  for (const [name, sum] of Object.entries(images)) {
    if (!NAME.test(name) || /(^|\/)\.\.?$/.test(name)) return `${name} is no image's name`;
    if (!isObject(sum) || !isSize(sum.size) || !/^[0-9a-f]{64}$/.test(String(sum.sha256)))
      return `what it says of ${name} is no sum`;
  }
  if (!Array.isArray(files)) return "it has no files";
  const strange = files.find(
    (file) =>
      !isObject(file) ||
      !isText(file.path) ||
      !isSize(file.size) ||
      !isSize(file.mode) ||
      !(file.mtime === undefined || isText(file.mtime)) ||
      !(file.build_id === null || isText(file.build_id)) ||
      !(file.taken === undefined || isTaken(file.taken)),
  );
  if (strange !== undefined) return "a file in it has no path, size, mode or build-id";
  const { directories = [] } = value;
  return Array.isArray(directories) && directories.every(isAbove)
    ? undefined
    : "a directory in it has no path, mode or owner";
}

const isId = (value: unknown): boolean => isSize(value) && (value as number) < 2 ** 32 - 1;

const isTaken = (value: unknown): boolean =>
  isObject(value) &&
  /^[0-9a-f]{64}$/.test(String(value.sha256)) &&
  isId(value.uid) &&
  isId(value.gid) &&
  typeof value.newer === "boolean" &&
  isObject(value.xattrs) &&
  Object.values(value.xattrs).every(isText);

const isAbove = (value: unknown): boolean =>
  isObject(value) && isText(value.path) && isSize(value.mode) && isId(value.uid) && isId(value.gid);
