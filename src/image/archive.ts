/**
 * Checkpoints that Podman and CRI-O export: a tar(5), plain or compressed by gzip or zstd, with the images in
 * `checkpoint/` and the container's configuration beside it; and packs (src/pack), with the images in
 * `checkpoint/images/` behind the script that restores them. Page data is passed over, and what was taken along: of such a
 * file only its size is kept.
 */
import { closeSync, ftruncateSync, mkdirSync, openSync, rmSync } from "node:fs";
import { constants as system } from "node:os";
import { privateDirectory } from "../sys/own-directory.ts";
import { writeAll } from "../sys/own-file.ts";
import { dirname, join } from "../sys/path.ts";
import { openTar, sourceOf, STDIN, streamed } from "./archive-source.ts";
import { BESIDE, FILES } from "./beside.ts";
import { type Member, readMembers, type Sink } from "./members.ts";

export interface Archive {
  /** What restores it: its container's engine, or recriu. */
  readonly kind: "container" | "pack";
  /** A private directory with the images, of pages images empty ones of the right size. */
  dir: string;
  /** Texts beside the images: `config.dump`, `spec.dump`, `network.status`; of a pack `checkpoint/pack.json`. */
  texts: ReadonlyMap<string, string>;
  /** Bytes of what the container has changed in its root file system; undefined: the archive does not have it. */
  readonly changed: number | undefined;
  dispose(): void;
}

/** `damaged`: what is wrong is the archive itself, which is one. */
type ArchiveResult =
  { ok: true; archive: Archive } | { ok: false; problem: string; damaged: boolean };

/** Of an image other than page data; a real one has a few MiB. Bytes. */
const LARGEST = 256 << 20;
/** Of a text, which is read at once. */
const LARGEST_TEXT = 16 << 20;
/** Of all that is kept; a small file can be packed so that it unpacks to terabytes. Bytes. */
const LARGEST_SUM = 1 << 30;
const MOST_MEMBERS = 1_000_000;
const texts = new Set(["config.dump", "spec.dump", "network.status", "checkpoint/pack.json"]);
/** CRIU's statistics of the dump, which Podman puts beside the images. */
const STATISTICS = "stats-dump";
/** What the container has changed in its root file system. */
const CHANGED = "rootfs-diff.tar";
/** The first member of a pack (src/pack/pack.ts). */
const PACKED = "checkpoint/restore.sh";
/** Where images are. */
const places = {
  container: /^(?:\.\/)?checkpoint\/(?!\.{1,2}$)([^/\0]+)$/,
  pack: /^checkpoint\/images\/((?:parent\/){0,64}(?!\.{1,2}$)[^/\0]+)$/,
};
/** Files that were taken along (beside.ts): like page data they are passed over. */
const TAKEN = `checkpoint/images/${FILES}/`;

/** Whether a file begins as such an archive does. */
export function isArchive(file: string): boolean {
  const opened = openTar(file);
  if (opened !== undefined) closeSync(opened.fd);
  return opened !== undefined;
}

/** Whether an archive is a pack, by its first member's name. */
export async function isPack(file: string): Promise<boolean> {
  const source = await sourceOf(openTar(file));
  try {
    const head = Buffer.from((await source?.next(0)) ?? []);
    return head.toString("latin1", 0, PACKED.length + 1) === `${PACKED}\0`;
  } catch {
    return false; // It is damaged, as will be told.
  } finally {
    source?.close();
  }
}

/** Read an archive. `dispose` removes what was unpacked; so does a signal that ends recriu before. */
export async function openArchive(file: string): Promise<ArchiveResult> {
  const source = file === STDIN ? await streamed(0) : await sourceOf(openTar(file));
  if (source === undefined)
    return { ok: false, problem: "it is no tar, gzip or zstd archive", damaged: false };
  let unpacked: Unpacked | undefined;
  try {
    const into = (unpacked = new Unpacked());
    await readMembers(source.next, (member) => into.take(member));
    return { ok: true, archive: into };
  } catch (error) {
    unpacked?.dispose();
    const { message, syscall } = error as NodeJS.ErrnoException;
    return syscall === undefined
      ? { ok: false, problem: message, damaged: true }
      : { ok: false, problem: `it cannot be unpacked: ${message}`, damaged: false };
  } finally {
    source.close();
  }
}

const ENDING = ["SIGHUP", "SIGINT", "SIGTERM"] as const;

/** What is kept of an archive. */
class Unpacked implements Archive {
  kind: Archive["kind"] = "container";
  readonly #own = privateDirectory();
  readonly dir = this.#own.path;
  readonly texts = new Map<string, string>();
  changed: number | undefined;
  readonly #images = new Set<string>();
  #members = 0;
  #sum = 0;

  constructor() {
    for (const signal of ENDING) process.on(signal, this.#end);
  }

  /** Where a member's bytes go; undefined: they are not kept. Throws where there is too much. */
  take({ name, isFile, size }: Member): Sink | undefined {
    this.#members += 1;
    if (this.#members > MOST_MEMBERS) throw new Error("it has more members than any checkpoint");
    if (!isFile) return undefined;
    if (this.#members === 1 && name === PACKED) this.kind = "pack";
    const text = name.replace(/^\.\//, "");
    if (text === CHANGED) this.changed = size;
    // No slash, not `..`: it stays in the directory.
    const image = places[this.kind].exec(name)?.[1] ?? (text === STATISTICS ? text : undefined);
    if (image !== undefined && /(?:^|\/)pages-\d+\.img$/.test(image)) {
      this.#image(image, size).close();
      return undefined;
    }
    const beside = this.kind === "pack" && name.startsWith(TAKEN) && name.slice(TAKEN.length);
    if (beside && BESIDE.test(beside)) {
      this.#image(`${FILES}/${beside}`, size).close();
      return undefined;
    }
    if (image === undefined && !texts.has(text)) return undefined;
    this.#sum += size;
    if (size > (image === undefined ? LARGEST_TEXT : LARGEST) || this.#sum > LARGEST_SUM)
      throw new Error(`${name} is larger than any image is`);
    return image === undefined ? this.#text(text) : this.#image(image);
  }

  dispose(): void {
    for (const signal of ENDING) process.off(signal, this.#end);
    rmSync(this.dir, { recursive: true, force: true });
    this.#own.release();
  }

  /** A file of `size` bytes of holes, to be written from its beginning. */
  #image(name: string, size = 0): Sink {
    if (this.#images.has(name)) throw new Error(`it has ${name} twice`);
    this.#images.add(name);
    if (name.includes("/")) mkdirSync(join(this.dir, dirname(name)), { recursive: true });
    const fd = openSync(join(this.dir, name), "wx", 0o600);
    if (size > 0) ftruncateSync(fd, size);
    return { write: (bytes) => writeAll(fd, bytes), close: () => closeSync(fd) };
  }

  #text(name: string): Sink {
    const parts: Uint8Array[] = [];
    return {
      write: (bytes) => void parts.push(bytes),
      close: () => void this.texts.set(name, Buffer.concat(parts).toString()),
    };
  }

  readonly #end = (signal: NodeJS.Signals): never => {
    this.dispose();
    process.exit(128 + system.signals[signal]);
  };
}
