/**
 * An image file: one or two magic words, then entries, each a length and a message, some with data behind it.
 * Integers are little-endian (all architectures that CRIU knows but s390).
 */
import type { Fault } from "./fault.ts";
import { COMMON_MAGIC, type Format, SERVICE_MAGIC, tableAt } from "./formats.ts";
import type { Infer, Message } from "./schema.ts";
import { ipc_msg } from "./tables/namespaces.ts";
import { Room, takes } from "./room.ts";
import { decode, encode, type Recent, type Strange } from "./wire.ts";

/** Bytes of a file, to be had piecewise: what lies behind an entry is skipped, not read. */
export interface Source {
  file: string;
  /** The name that CRIU prints in its messages. */
  path: string;
  size: number;
  /** Bytes that its file system has, where holes make it longer. */
  stored?: number;
  /** All of them, where they are in memory. */
  all?: Uint8Array;
  /** At most `length` bytes from `offset`; fewer at the end of the file. */
  read(offset: number, length: number): Uint8Array;
}

export interface Entry<Value = unknown> {
  /** Where its length word is. */
  offset: number;
  value: Value;
  /** Data behind it that is no message. */
  payload: { offset: number; length: number };
}

export type Framed =
  { ok: true; magics: number; entries: readonly Entry[] } | { ok: false; fault: Fault };

/**
 * Images as the last one of their format was read. Forked tasks have the same mappings and descriptors, and their page maps
 * differ in the first entry alone: what follows with the same bytes is the same objects.
 */
export interface RecentImages extends Recent {
  readonly images?: Map<Format, ReadImage>;
}

interface ReadImage {
  readonly bytes: Uint8Array;
  readonly entries: readonly Entry[];
}

/** None of CRIU's entries is anywhere near this large, nor all of a file: more is an attack on our memory. */
const LARGEST = 64 << 20;
const LARGEST_SUM = 1 << 30;

/**
 * Read all entries. `version` is img_version of the inventory: 1 means that there is one magic word in every file. With
 * `recent`, messages that are as the last one of their kind are the same object, and all its images have one room.
 */
export function readFrames(
  source: Source,
  format: Format,
  version = 2,
  recent: RecentImages = { last: undefined, room: new Room() },
  strange?: Strange,
): Framed {
  recent.room.grow(source.stored ?? source.size);
  const words =
    source.file === "inventory.img" || version === 1
      ? [format.magic]
      : [format.service ? SERVICE_MAGIC : COMMON_MAGIC, format.magic];
  const fault = (
    kind: Fault["kind"],
    offset: number,
    problem: string,
    criu_message: string | null,
  ): Framed => ({
    ok: false,
    fault: { file: source.file, offset, kind, problem, criu_message },
  });
  for (let index = 0; index < words.length; index++) {
    const at = index * 4;
    const word = words[index]!;
    const found = word32(source, at);
    const which = words.length === 2 && index === 0 ? "Head magic" : "Magic";
    if (found === undefined)
      return fault(
        "truncated",
        at,
        `it ends inside its magic, at ${source.size} bytes`,
        source.size === at ? "Unexpected EOF" : `Img trimmed ${source.size - at}/4`,
      );
    if (found !== word) {
      return fault(
        "magic",
        at,
        `it is another kind of image: its magic is 0x${found.toString(16)}, not 0x${word.toString(16)}`,
        `${which} doesn't match for ${source.file}`,
      );
    }
  }

  const entries: Entry[] = [];
  const before = recent.images?.get(format);
  const takesRoom = (value: unknown) =>
    recent.room.take(takes.entry + (format.weight?.(value) ?? 0));
  let sum = 0;
  for (let at = words.length * 4; at < source.size;) {
    const rest = entries.length > 1 ? undefined : restAgain(before, source, entries.length, at);
    if (rest?.every(({ value }) => takesRoom(value))) {
      if (entries.length === 0) return { ok: true, magics: words.length, entries: rest };
      // One by one: a call with all of them would take as much of the stack.
      for (const entry of rest) entries.push(entry);
      break;
    }
    const size = word32(source, at);
    const left = source.size - at - 4;
    if (size === undefined)
      return fault(
        "truncated",
        at,
        "it ends inside the length of an entry",
        `Read ${left + 4} bytes while 4 expected on ${source.path}`,
      );
    if (size > left)
      return fault(
        "truncated",
        at,
        `an entry of ${size} bytes has ${left} left`,
        `Read ${left} bytes while ${size} expected from ${source.path}`,
      );
    sum += size;
    if (size > LARGEST || sum > LARGEST_SUM)
      return fault("malformed", at, `an entry of ${size} bytes is more than CRIU writes`, null);
    const bytes = source.read(at + 4, size);
    const decoded = decode(tableAt(format, entries.length), bytes, at + 4, recent, strange);
    if (!decoded.ok)
      return fault("malformed", decoded.offset, decoded.problem, "Failed unpacking object");
    const start = at + 4 + size;
    const payload = payloadLength(source, format, decoded.value, entries.length, start);
    if (payload === undefined || !(payload <= source.size - start)) {
      return fault(
        "truncated",
        start,
        `the data behind an entry is short: ${source.size - start} bytes are left`,
        null,
      );
    }
    if (!takesRoom(decoded.value))
      return fault("malformed", at, "it has more entries than there is memory for", null);
    entries.push({ offset: at, value: decoded.value, payload: { offset: start, length: payload } });
    at = start + payload;
    if (format.single) break; // CRIU reads no further
  }
  if ((format.single || format.needed) && entries.length === 0)
    return fault(
      "truncated",
      words.length * 4,
      "it has no entry",
      format.silent ? null : `Unexpected EOF on ${source.path}`,
    );
  if (source.all !== undefined) recent.images?.set(format, { bytes: source.all, entries });
  return { ok: true, magics: words.length, entries };
}

/** The entries from number `index` on, which is at `at`, where all bytes from there on are those of the image that was read before. */
function restAgain(
  before: ReadImage | undefined,
  { all }: Source,
  index: number,
  at: number,
): readonly Entry[] | undefined {
  if (before === undefined || all?.length !== before.bytes.length) return undefined;
  if (before.entries[index]?.offset !== at) return undefined;
  return Buffer.compare(all.subarray(at), before.bytes.subarray(at)) === 0
    ? index === 0
      ? before.entries
      : before.entries.slice(index)
    : undefined;
}

/** Whether a table is that of the first entry alone. To ask it of a format without such a table is a fault. */
export function isHead({ head, entry }: Format, of: Message<any>): boolean {
  if (of !== head && of !== entry) throw new Error(`an image of ${entry.name} has no ${of.name}`);
  return of === head;
}

/** What all entries of an image hold that are of a table. */
export function valuesOf<M extends Message<any>>(
  format: Format,
  entries: readonly Entry[],
  of: M,
): readonly Infer<M>[] {
  const head = isHead(format, of);
  const values: Infer<M>[] = [];
  for (let at = head || !format.head ? 0 : 1; at < (head ? 1 : entries.length); at++)
    if (at < entries.length) values.push(entries[at]!.value as Infer<M>);
  return values;
}

/** Length of what lies between an entry and the next; undefined when it runs out of the file. */
function payloadLength(
  source: Source,
  format: Format,
  entry: unknown,
  index: number,
  start: number,
): number | undefined {
  const payload = format.payload?.(entry, index) ?? 0;
  if (payload === "rest") return source.size - start;
  if (typeof payload === "number") return payload;
  // A message queue: per message a framed ipc_msg and its text, padded to 8 bytes.
  let at = start;
  for (let message = 0; message < payload.messages; message++) {
    const length = word32(source, at);
    if (length === undefined || length > source.size - at - 4) return undefined;
    const decoded = decode(ipc_msg, source.read(at + 4, length));
    if (!decoded.ok) return undefined;
    at += 4 + length + Math.ceil(decoded.value.msize / 8) * 8;
  }
  return at - start;
}

/** The number of 32 bits at `at`, little-endian; undefined where the file ends before its end. */
function word32({ all, read }: Source, at: number): number | undefined {
  const [bytes, from] = all === undefined ? [read(at, 4), 0] : [all, at];
  if (bytes.length < from + 4) return undefined;
  return (
    (bytes[from]! |
      (bytes[from + 1]! << 8) |
      (bytes[from + 2]! << 16) |
      (bytes[from + 3]! << 24)) >>>
    0
  );
}

/** The bytes of an image again: magic words and data from where they were read, entries from their values. */
export function writeFrames(
  source: Source,
  format: Format,
  framed: Framed & { ok: true },
): Uint8Array {
  const pieces = [source.read(0, framed.magics * 4)];
  for (const [index, entry] of framed.entries.entries()) {
    const bytes = encode(tableAt(format, index), entry.value as never);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    pieces.push(length, bytes, source.read(entry.payload.offset, entry.payload.length));
  }
  return Buffer.concat(pieces);
}
