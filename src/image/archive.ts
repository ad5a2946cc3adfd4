/**
 * Checkpoints that Podman and CRI-O export: a tar(5), plain or compressed by gzip or zstd, with the images in
 * `checkpoint/` and the container's configuration beside it. Page data is passed over: of a pages image only its size
 * is kept.
 */
import {
  closeSync,
  constants,
  createReadStream,
  ftruncateSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "../sys/path.ts";
import type { Readable } from "node:stream";
import { safePlace, writeAll } from "../sys/own-file.ts";

interface Archive {
  /** A private directory with the images, of pages images empty ones of the right size. */
  dir: string;
  /** Texts beside the images: `config.dump`, `spec.dump`. */
  texts: ReadonlyMap<string, string>;
  dispose(): void;
}

type ArchiveResult = { ok: true; archive: Archive } | { ok: false; problem: string };

const BLOCK = 512;
/** Of an image other than page data, and of a text; a real one has a few MiB. */
const LARGEST = 256 << 20;
/** Of all that is kept; a small file can be packed so that it unpacks to terabytes. */
const LARGEST_SUM = 1 << 30;
const MOST_MEMBERS = 1_000_000;
const texts = new Set(["config.dump", "spec.dump"]);

/** Whether a file begins as such an archive does. */
export function isArchive(file: string): boolean {
  return kindOf(file) !== undefined;
}

type Kind = "tar" | "gzip" | "zstd";

function kindOf(file: string): Kind | undefined {
  const head = Buffer.alloc(BLOCK);
  let fd: number;
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  } catch {
    return undefined;
  }
  try {
    readSync(fd, head, 0, BLOCK, 0);
  } catch {
    return undefined;
  } finally {
    closeSync(fd);
  }
  if (head.readUInt16BE(0) === 0x1f8b) return "gzip";
  if (head.readUInt32LE(0) === 0xfd2fb528) return "zstd";
  return head.toString("latin1", 257, 262) === "ustar" ? "tar" : undefined;
}

/** Read an archive. `dispose` removes what was unpacked. */
export async function openArchive(file: string): Promise<ArchiveResult> {
  const kind = kindOf(file);
  if (kind === undefined) return { ok: false, problem: "it is no tar, gzip or zstd archive" };
  let dir: string;
  try {
    dir = mkdtempSync(join(safePlace([tmpdir(), "/tmp", "/run"]), "recriu-archive-"));
  } catch (error) {
    return { ok: false, problem: `it cannot be unpacked: ${(error as Error).message}` };
  }
  const archive = {
    dir,
    texts: new Map<string, string>(),
    dispose: () => rmSync(dir, { recursive: true, force: true }),
  };
  try {
    const problem = await unpack(await plain(file, kind), dir, archive.texts);
    if (problem === undefined) return { ok: true, archive };
    archive.dispose();
    return { ok: false, problem };
  } catch (error) {
    archive.dispose();
    return { ok: false, problem: (error as Error).message };
  }
}

async function plain(file: string, kind: Kind): Promise<Readable> {
  const source = createReadStream(file, { highWaterMark: 1 << 20 });
  if (kind === "tar") return source;
  const { createGunzip, createZstdDecompress } = await import("node:zlib");
  const unpacker = kind === "gzip" ? createGunzip() : createZstdDecompress();
  source.on("error", (error) => unpacker.destroy(error));
  return source.pipe(unpacker);
}

/** Go through the members. Returns what is wrong with the archive. */
async function unpack(
  stream: Readable,
  dir: string,
  kept: Map<string, string>,
): Promise<string | undefined> {
  const reader = new BlockReader(stream);
  let sum = 0;
  let longName: string | undefined;
  for (let members = 0; members < MOST_MEMBERS; members += 1) {
    const header = await reader.read(BLOCK);
    if (header === undefined || header.every((byte) => byte === 0)) {
      stream.destroy();
      return header === undefined && members === 0 ? "it is empty" : undefined;
    }
    const member = memberOf(header);
    if (member === undefined) return "a member's header is damaged";
    const padded = Math.ceil(member.size / BLOCK) * BLOCK;
    const extended = member.type === "L" || member.type === "x";
    const name = longName ?? member.name;
    longName = undefined;
    const image = /^(?:\.\/)?checkpoint\/([^/]+)$/.exec(name)?.[1];
    const text = name.replace(/^\.\//, "");
    const wanted = extended || (isFile(member.type) && (image !== undefined || texts.has(text)));
    const passedOver = image !== undefined && /^pages-\d+\.img$/.test(image);
    if (!wanted || passedOver) {
      if (passedOver && isFile(member.type)) keep(dir, image, undefined, member.size);
      if (!(await reader.skip(padded))) return `it ends inside ${name}`;
      continue;
    }
    sum += padded;
    if (member.size > LARGEST || sum > LARGEST_SUM) return `${name} is larger than any image is`;
    const bytes = await reader.read(padded);
    if (bytes === undefined) return `it ends inside ${name}`;
    const content = bytes.subarray(0, member.size);
    if (extended) longName = nameIn(content, member.type);
    else if (image !== undefined) keep(dir, image, content, member.size);
    else kept.set(text, content.toString());
  }
  return "it has more members than any checkpoint";
}

const isFile = (type: string): boolean => type === "0" || type === "\0";

/** A name has no slash and is not `..`: it stays in the directory. */
function keep(dir: string, name: string, content: Buffer | undefined, size: number): void {
  if (name === "." || name === ".." || name.includes("\0")) return;
  const fd = openSync(join(dir, name), "wx", 0o600);
  if (content === undefined) ftruncateSync(fd, size);
  else writeAll(fd, content);
  closeSync(fd);
}

/** tar(5): name and prefix, size in octal or (first bit set) binary, type. */
function memberOf(header: Buffer): { name: string; size: number; type: string } | undefined {
  const text = (from: number, length: number) =>
    header.toString("utf8", from, from + length).replace(/\0.*$/s, "");
  const binary = (header[124]! & 0x80) !== 0;
  const size = binary
    ? Number(header.readBigUInt64BE(128))
    : Number.parseInt(text(124, 12).trim() || "0", 8);
  if (!Number.isSafeInteger(size) || size < 0) return undefined;
  const ustar = header.toString("latin1", 257, 263) === "ustar\0";
  const prefix = ustar ? text(345, 155) : "";
  const name = prefix === "" ? text(0, 100) : `${prefix}/${text(0, 100)}`;
  return { name, size, type: String.fromCharCode(header[156]!) };
}

/** GNU's long name, or `path` of a pax header: `LENGTH path=NAME\n`. */
function nameIn(content: Buffer, type: string): string | undefined {
  if (type === "L") return content.toString().replace(/\0.*$/s, "");
  return /(?:^|\n)\d+ path=(.*)\n/.exec(content.toString())?.[1];
}

/** Exact numbers of bytes out of a stream. */
class BlockReader {
  private readonly chunks: AsyncIterator<Buffer>;
  private rest: Buffer = Buffer.alloc(0);

  constructor(stream: Readable) {
    this.chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  }

  async read(length: number): Promise<Buffer | undefined> {
    const parts: Buffer[] = [];
    for (let missing = length; missing > 0;) {
      if (this.rest.length === 0 && !(await this.next())) return undefined;
      const part = this.rest.subarray(0, missing);
      this.rest = this.rest.subarray(part.length);
      missing -= part.length;
      parts.push(part);
    }
    return parts.length === 1 ? parts[0] : Buffer.concat(parts);
  }

  async skip(length: number): Promise<boolean> {
    for (let missing = length; missing > 0;) {
      if (this.rest.length === 0 && !(await this.next())) return false;
      const part = Math.min(missing, this.rest.length);
      this.rest = this.rest.subarray(part);
      missing -= part;
    }
    return true;
  }

  private async next(): Promise<boolean> {
    const { done, value } = await this.chunks.next();
    if (done) return false;
    this.rest = value;
    return true;
  }
}
