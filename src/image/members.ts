/**
 * The members of a tar(5), read by tar-stream: names and sizes in their three forms (octal, GNU's binary, pax), checksums. What
 * it passes over is looked at here: where the archive ends, and what no checkpoint has.
 */
import type { Header } from "tar-stream";

const BLOCK_BYTES = 512;
/** Two blocks of zeros. */
const END_MARK = 2 * BLOCK_BYTES;
/** Behind it a record is filled up; more is not read. */
const FILLING = 1 << 20;

export interface Member {
  readonly name: string;
  readonly isFile: boolean;
  /** Bytes. */
  readonly size: number;
}

/** The receiver of a member's bytes; `close` is called when there are no more, whatever ended them. */
export interface Sink {
  write(bytes: Uint8Array): void;
  close(): void;
}

/**
 * The next bytes of an archive, undefined at its end. So many of them as `unwanted` says may be any: they are not looked at, and
 * there are no others then. Where so many as `within` are of one body that is taken, they are not held when the next are asked for.
 */
export type Source = (unwanted: number, within?: number) => Promise<Uint8Array | undefined>;

/**
 * Go through an archive in its order. `take` is asked of each member; the bytes of one that it does not take are passed over.
 * Throws what is wrong with the archive, and what `take` and a sink throw.
 */
export async function readMembers(
  next: Source,
  take: (member: Member) => Sink | undefined,
): Promise<void> {
  const { extract } = await import("tar-stream");
  // It takes no more than one piece at a time, so that all members in a piece are known when it asks for the next.
  const tar = extract({ highWaterMark: 1 });
  const end = new End();
  let refused: unknown;
  let inside: string | undefined;
  tar.on("entry", (header, body, done) => {
    body.on("error", () => undefined); // which is the archive's, too
    const attempt = (work: () => void) => {
      try {
        work();
      } catch (error) {
        refused ??= error;
        done(error as Error);
      }
    };
    attempt(() => {
      const member = memberOf(header);
      const sink = take(member);
      const { byteOffset } = header as unknown as { byteOffset: number };
      end.pass(byteOffset, member.size, sink !== undefined);
      inside = member.name;
      body.on("data", (bytes) => attempt(() => sink?.write(bytes as Uint8Array)));
      body.on("close", () => sink?.close());
      body.on("end", () => {
        inside = undefined;
        done();
      });
    });
  });
  const failed = new Promise<never>((_, reject) =>
    tar.on("error", (error) =>
      reject(refused ?? new Error(`a member's header is damaged (${error.message})`)),
    ),
  );
  const taken = (bytes: Uint8Array) =>
    new Promise<void>(
      (resolve) => void (tar.write(bytes) ? resolve() : tar.once("drain", resolve)),
    );

  for (
    let bytes = await next(0);
    bytes !== undefined;
    bytes = await next(end.unwanted, end.within)
  ) {
    await Promise.race([failed, taken(bytes)]);
    end.look(bytes);
    if (!end.reached) continue;
    // What unpacks the archive looks at its sum at the end: that is read, too.
    for (let behind = 0; behind < FILLING;) {
      const filling = await next(0);
      if (filling === undefined) break;
      behind += filling.length;
    }
    break;
  }
  if (inside !== undefined) throw new Error(`it ends inside ${inside}`);
  if (!end.reached) throw new Error("it ends without an end mark: it was cut short");
  tar.destroy();
}

function memberOf({ name, type, size, pax }: Header): Member {
  const said = (pax ?? {}) as Record<string, string>;
  if (said["size"] !== undefined && !/^\d+$/.test(said["size"]))
    throw new Error(`${name} has no size`);
  if (!Number.isSafeInteger(size)) throw new Error(`${name} is larger than any file`);
  const sparse = Object.keys(said).some((key) => key.startsWith("GNU.sparse."));
  // tar-stream knows no name for some types.
  if (sparse || (type as string | null) === null)
    throw new Error(`${name} is of a kind that no checkpoint has`);
  if (type !== "file" && size > 0) throw new Error(`${name} is a ${type} with content`);
  return { name, isFile: type === "file", size };
}

/** Looks for the end mark between the members' bodies. */
class End {
  reached = false;
  /** Bytes looked at. */
  #at = 0;
  /** Zeros in a row, in whole blocks or not, since the last header or body. */
  #zeros = 0;
  readonly #bodies: { start: number; end: number; wanted: boolean }[] = [];

  /** A body of `size` bytes begins at `start`: what stands in it, and in the header before it, is no end mark. */
  pass(start: number, size: number, wanted: boolean): void {
    this.#bodies.push({ start, end: start + Math.ceil(size / BLOCK_BYTES) * BLOCK_BYTES, wanted });
  }

  /** How many of the next bytes belong to a body that is not taken. */
  get unwanted(): number {
    const [body] = this.#bodies;
    return body === undefined || body.wanted ? 0 : body.end - this.#at;
  }

  /** How many of the next bytes are of a body that is taken, and of no other. */
  get within(): number {
    const [body] = this.#bodies;
    return body?.wanted === true ? Math.max(0, body.end - BLOCK_BYTES - this.#at) : 0;
  }

  /** Look at the next bytes of the archive; all bodies that begin in them were passed to `pass`. */
  look(bytes: Uint8Array): void {
    const start = this.#at;
    const end = start + bytes.length;
    while (this.#at < end) {
      const [body] = this.#bodies;
      const until = Math.min(body?.start ?? end, end);
      for (; this.#at < until; this.#at++) {
        if (bytes[this.#at - start] === 0) this.#zeros += 1;
        else if (this.#zeros < END_MARK) this.#zeros = 0;
        else throw new Error("there are more members behind its end mark");
      }
      if (body === undefined || body.start > end) break;
      this.#zeros = 0;
      this.#at = Math.min(body.end, end);
      if (body.end > end) break;
      this.#bodies.shift();
    }
    this.reached = this.#zeros >= END_MARK;
  }
}
