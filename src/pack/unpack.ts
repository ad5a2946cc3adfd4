/**
 * Unpacks what `recriu pack` made to restore it: into a directory that no other user can change, each byte compared with the
 * pack's own manifest while it is written. The program and the script in it are passed over.
 */
import { closeSync, mkdirSync, openSync, readdirSync, rmSync, statfsSync } from "node:fs";
import { constants as system } from "node:os";
import {
  besideOf,
  LEFT_OUT,
  MANIFEST,
  parseManifest,
  type Seal,
  type Signed,
  signatureOf,
  type Sum,
} from "../image/index.ts";
import { type OpenSource, streamed } from "../image/archive-source.ts";
import { type Member, readMembers, type Sink } from "../image/members.ts";
import { ownDirectoryAt, roomyDirectory } from "../sys/own-directory.ts";
import { writeAll } from "../sys/own-file.ts";
import { dirname, join } from "../sys/path.ts";
import { CONTENTS, type PackContents, parseContents, SCRIPT, TOP } from "./layout.ts";

/** What was unpacked; it is removed when it is disposed of, and when this process ends, but for a directory that was asked for. */
export interface UnpackedPack extends Disposable {
  readonly images: string;
  /** The manifest that every image agrees with. */
  readonly seal: Seal;
  readonly options: readonly string[];
  /** The CRIU that came along. */
  readonly criu: string | undefined;
  /** It is not removed. */
  readonly isKept: boolean;
  /** The tree runs: what is large is needed no more, however long recriu stays. */
  dropPages(): void;
  /** Nothing of it is wanted. */
  remove(): void;
}

type UnpackResult =
  | { readonly ok: true; readonly pack: UnpackedPack }
  /** `kind`: what it is instead of a pack that can be restored; or that the restore is refused. */
  | {
      readonly ok: false;
      readonly kind: "other" | "damaged" | "failed" | "refused";
      readonly problem: string;
    };

/** Of a text; a real manifest has a few MiB. Bytes. */
const LARGEST_TEXT = 32 << 20;
const IMAGES = `${TOP}/images/`;
const CRIU = `${TOP}/criu/`;
const EXECUTABLE = 0o755;
const PLAIN = 0o600;

/**
 * Unpack what `fd` gives from where it stands; `into`: into this new directory, which is kept. `signed`: asked before the manifest is
 * believed, and nothing stands before that but what it does not tell of.
 */
export async function unpack(
  fd: number,
  into: string | undefined,
  signed?: Signed,
): Promise<UnpackResult> {
  let source: OpenSource | undefined;
  let unpacking: Unpacking | undefined;
  try {
    source = await streamed(fd);
    if (source === undefined)
      return { ok: false, kind: "other", problem: "it is no tar, gzip or zstd archive" };
    const { next } = source;
    const taken = (unpacking = unpackingInto(into, signed));
    await readMembers(next, (member) => taken.take(member));
    const pack = taken.whole();
    // What went through is not to be held beside what the restore takes.
    Bun.gc(true);
    return { ok: true, pack };
  } catch (error) {
    unpacking?.remove();
    const { message, syscall } = error as NodeJS.ErrnoException;
    if (error instanceof Refused) return { ok: false, kind: "refused", problem: message };
    if (error instanceof NoPack) return { ok: false, kind: "other", problem: message };
    return syscall === undefined && !(error instanceof NoRoom)
      ? { ok: false, kind: "damaged", problem: message }
      : { ok: false, kind: "failed", problem: `it cannot be unpacked: ${message}` };
  } finally {
    source?.close();
  }
}

/** Throws NoRoom where there is no such place. */
function unpackingInto(into: string | undefined, signed: Signed | undefined): Unpacking {
  try {
    return new Unpacking(into, signed);
  } catch (error) {
    throw new NoRoom((error as Error).message);
  }
}

class NoPack extends Error {}
class NoRoom extends Error {}
class Refused extends Error {}

const ENDING = ["SIGHUP", "SIGINT", "SIGTERM"] as const;

class Unpacking implements UnpackedPack {
  readonly #own: { readonly path: string; release?(): void };
  readonly isKept: boolean;
  #isFirst = true;
  #isWhole = false;
  #contents: PackContents | undefined;
  #seal: (Seal & { ok: true }) | undefined;
  /** What is still to come, by the member's name. */
  readonly #due = new Map<string, Sum>();
  /** The last member that was written, until its sum is looked at. */
  #written: { readonly name: string; readonly hash: Bun.CryptoHasher } | undefined;

  constructor(
    into: string | undefined,
    private readonly signed: Signed | undefined,
  ) {
    this.isKept = into !== undefined;
    this.#own = into === undefined ? roomyDirectory() : { path: ownDirectoryAt(into) };
    for (const signal of ENDING) process.on(signal, this.#end);
    process.on("exit", this.#exit);
  }

  get images(): string {
    return join(this.#own.path, "images");
  }

  get seal(): Seal {
    return this.#seal!;
  }

  get options(): readonly string[] {
    return this.#contents!.options;
  }

  get criu(): string | undefined {
    return Object.keys(this.#contents!.criu).length === 0
      ? undefined
      : join(this.#own.path, "criu/criu");
  }

  /** Where a member's bytes go. Throws what a pack does not have. */
  take({ name, isFile, size }: Member): Sink | undefined {
    if (this.#isFirst && name !== `${TOP}/${SCRIPT}`) throw new NoPack("it is no pack");
    this.#isFirst = false;
    this.#settle();
    if (name === `${TOP}/${CONTENTS}`)
      return this.#text(name, size, (text) => this.#take(parseContents(text.toString())));
    if (name === IMAGES + LEFT_OUT)
      throw new Refused(
        "pages-left-out: its memory was left out: it can be looked at, and not restored",
      );
    if (name === IMAGES + signatureOf(MANIFEST))
      return this.#text(name, size, (text) => writeSmall(this.#pathOf(name), text));
    if (name === IMAGES + MANIFEST) return this.#text(name, size, (text) => this.#sealed(text));
    if (!name.startsWith(IMAGES) && !name.startsWith(CRIU)) return undefined;
    const due = this.#due.get(name);
    if (this.#contents === undefined || this.#seal === undefined)
      throw new Error(
        `an older recriu made it: its contents do not stand before its images; tar -xf, ${TOP}/${SCRIPT}`,
      );
    if (due === undefined) throw new Error(`${name} is not in its manifest, or twice in it`);
    if (!isFile || due.size !== size)
      throw new Error(`${name} has ${size} bytes, and ${due.size} in its manifest`);
    return this.#file(name);
  }

  /** Everything is there. Throws what is not. */
  whole(): UnpackedPack {
    this.#settle();
    const [missing] = this.#due.keys();
    if (missing !== undefined) throw new Error(`${missing} is not in it`);
    if (this.#seal === undefined || this.#contents === undefined)
      throw new Error("it has no manifest");
    this.#isWhole = true;
    return this;
  }

  [Symbol.dispose](): void {
    if (this.isKept) this.#forget();
    else this.remove();
  }

  dropPages(): void {
    if (this.isKept) return;
    const names = readdirSync(this.images, { recursive: true }) as string[];
    for (const name of names)
      if (/(?:^|\/)pages-\d+\.img$/.test(name)) remove(join(this.images, name));
  }

  /** What was unpacked is gone; a directory that was asked for stays, empty. */
  remove(): void {
    this.#forget();
    this.#clear();
    this.#own.release?.();
  }

  #clear(): void {
    if (!this.isKept) return remove(this.#own.path);
    for (const name of readdirSync(this.#own.path)) remove(join(this.#own.path, name));
  }

  #forget(): void {
    for (const signal of ENDING) process.off(signal, this.#end);
    process.off("exit", this.#exit);
  }

  #take(contents: PackContents | string): void {
    if (typeof contents === "string") throw new Error(`${CONTENTS}: ${contents}`);
    if (this.#contents !== undefined) throw new Error(`it has ${CONTENTS} twice`);
    this.#contents = contents;
    for (const [name, sum] of Object.entries(contents.criu)) this.#due.set(CRIU + name, sum);
  }

  #sealed(text: Buffer): void {
    const file = this.#pathOf(IMAGES + MANIFEST);
    const by = this.signed?.(text, file);
    if (by !== undefined && !("by" in by)) {
      const problem = by.problem.replace(`${this.#own.path}/`, `${TOP}/`);
      if (by.signature === "missing") throw new Refused(`seal-unsigned: ${problem}`);
      throw new Error(`seal-signature-wrong: ${problem}`);
    }
    const parsed = parseManifest(text.toString());
    if (!parsed.ok) throw new Error(`${MANIFEST}: ${parsed.problem}`);
    if (this.#seal !== undefined) throw new Error(`it has ${MANIFEST} twice`);
    const { manifest } = parsed;
    this.#seal = { ok: true, manifest, altered: [], leftOut: new Map(), signedBy: by?.by };
    for (const [name, sum] of Object.entries(manifest.images)) this.#due.set(IMAGES + name, sum);
    for (const { size, taken } of manifest.files)
      if (taken !== undefined)
        this.#due.set(IMAGES + besideOf("", taken), taken.packed ?? { size, sha256: taken.sha256 });
    const needed = [...this.#due.values()].reduce((sum, { size }) => sum + size, 0);
    const { bavail, bsize } = statfsSync(this.#own.path);
    if (needed > bavail * bsize)
      throw new NoRoom(
        `${mib(needed)} MiB are needed, and ${mib(bavail * bsize)} are free in ${dirname(this.#own.path)}; --unpack-dir names another place`,
      );
    writeSmall(file, text);
  }

  #text(name: string, size: number, use: (text: Buffer) => void): Sink {
    if (size > LARGEST_TEXT) throw new Error(`${name} is larger than any`);
    const bytes = Buffer.alloc(size);
    let at = 0;
    return {
      write: (piece) => {
        bytes.set(piece, at);
        at += piece.length;
        if (at === size) use(bytes);
      },
      close: () => undefined,
    };
  }

  #file(name: string): Sink {
    const isProgram = name.startsWith(CRIU);
    const fd = openSync(this.#pathOf(name), "wx", isProgram ? EXECUTABLE : PLAIN);
    const hash = new Bun.CryptoHasher("sha256");
    this.#written = { name, hash };
    return {
      write: (bytes) => {
        hash.update(bytes);
        writeAll(fd, bytes);
      },
      close: () => closeSync(fd),
    };
  }

  /** Names in a manifest have no `..`. */
  #pathOf(name: string): string {
    const path = join(this.#own.path, name.slice(TOP.length + 1));
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    return path;
  }

  #settle(): void {
    if (this.#written === undefined) return;
    const { name, hash } = this.#written;
    if (hash.digest("hex") !== this.#due.get(name)!.sha256)
      throw new Error(`${name}: its bytes are not those that were sealed`);
    this.#due.delete(name);
    this.#written = undefined;
  }

  readonly #exit = (): void => {
    if (!this.isKept || !this.#isWhole) this.#clear();
  };

  /** Until something else answers for the signal. */
  readonly #end = (signal: NodeJS.Signals): void => {
    if (process.listenerCount(signal) === 1) process.exit(128 + system.signals[signal]);
  };
}

const mib = (bytes: number): number => Math.ceil(bytes / 1048576);

const remove = (path: string): void => rmSync(path, { recursive: true, force: true });

function writeSmall(path: string, text: Buffer): void {
  const fd = openSync(path, "wx", PLAIN);
  try {
    writeAll(fd, text);
  } finally {
    closeSync(fd);
  }
}
