/** Protocol Buffers on the wire: bytes to values and back, by the tables of schema.ts. */
import {
  FIXED32,
  FIXED64,
  indexOf,
  type Infer,
  type Kind,
  LENGTH,
  type Message,
  VARINT,
} from "./schema.ts";
import { type Room, takes } from "./room.ts";
import { type Bytes, fromBytes, toBytes } from "./text.ts";

/** Fields that the table does not know, in the order they were met: number, tag and value as they were. */
const unknown = Symbol("unknown fields");
type UnknownField = { number: number; bytes: Uint8Array };
type Value = Record<string, unknown> & { [unknown]?: UnknownField[] };

/** No message of CRIU's nests deeper than a cgroup tree; a hostile one must not exhaust the stack. */
const DEPTH = 64;

/** An empty message takes 2 bytes and hundreds in memory; CRIU's shortest, of cgroup.img, take 10 on average. */
const mostMessages = (bytes: number): number => 4096 + bytes / 8;

type Decoded<M> = { ok: true; value: Infer<M> } | { ok: false; offset: number; problem: string };

/** Bytes of a text: no path, no name, no value of a file in /proc or a cgroup is longer; what is said of one is as long as it. */
const LONGEST = 128 << 10;

class Malformed extends Error {
  constructor(
    readonly offset: number,
    problem: string,
  ) {
    super(problem);
  }
}

/**
 * Each kind of message as it was last read. Forked tasks have the same mappings, signals and limits, and one signal is
 * handled as the next: where the bytes are the same, so is the object, which therefore may not be changed.
 */
export interface Recent {
  readonly last: Map<Message<any>, Read> | undefined;
  readonly room: Room;
}

interface Read {
  bytes: Buffer;
  start: number;
  end: number;
  value: Value;
}

const buffered = (bytes: Uint8Array): Buffer =>
  Buffer.isBuffer(bytes)
    ? bytes
    : Buffer.from(bytes.buffer as ArrayBuffer, bytes.byteOffset, bytes.length);

/** Is told of each field that a table does not know: the message's name and the field's number. */
export type Strange = (message: string, number: number) => void;

/**
 * Read one message. `base` is where `bytes` begin in their file: problems are told by their place there. Without
 * `recent` every object is new.
 */
export function decode<M extends Message<any>>(
  schema: M,
  bytes: Bytes,
  base = 0,
  recent?: Recent,
  strange?: Strange,
): Decoded<M> {
  try {
    const reader = new Reader(buffered(bytes as Uint8Array), base, recent, strange);
    return { ok: true, value: reader.message(schema, bytes.length, 0) as Infer<M> };
  } catch (error) {
    if (error instanceof Malformed)
      return { ok: false, offset: error.offset, problem: error.message };
    throw error;
  }
}

class Reader {
  private at = 0;
  private messages = 0;
  /** The upper half of the number that was read last. */
  private high = 0;
  constructor(
    private readonly bytes: Buffer,
    private readonly base: number,
    private readonly recent: Recent | undefined,
    private readonly strange: Strange | undefined,
  ) {}

  private fail(problem: string): never {
    throw new Malformed(this.base + this.at, problem);
  }

  private take(bytes: number): void {
    if (this.recent?.room.take(bytes) === false)
      this.fail("what it holds would take more memory than all of a checkpoint of this size");
  }

  message(schema: Message<any>, end: number, depth: number): Value {
    if (depth > DEPTH) this.fail(`${schema.name} is nested more than ${DEPTH} deep`);
    if (++this.messages > mostMessages(this.bytes.length))
      this.fail(`it holds more messages than ${this.bytes.length} bytes of CRIU's would`);
    const begin = this.at;
    const last = this.recent?.last?.get(schema);
    if (last !== undefined && this.isAgain(last, end)) {
      this.at = end;
      return last.value;
    }
    const { byNumber, lists, needed } = indexOf(schema);
    this.take(takes.message + lists.length * takes.list);
    const value: Value = {};
    for (const name of lists) value[name] = [];
    while (this.at < end) {
      const start = this.at;
      const tag = this.varint32(end);
      const wire = tag & 7;
      if (tag >>> 3 === 0) this.fail(`${schema.name} has a field of number 0`);
      const field = byNumber[tag >>> 3];
      if (field === undefined) {
        this.skip(wire, end);
        this.take(takes.unknown + this.at - start);
        this.strange?.(schema.name, tag >>> 3);
        (value[unknown] ??= []).push({ number: tag >>> 3, bytes: this.copy(start, this.at) });
        continue;
      }
      const { name, kind, label } = field;
      if (wire === LENGTH && field.wire !== LENGTH && label === "repeated") {
        const packed = this.length(end);
        for (; this.at < packed; this.take(takes.item))
          (value[name] as unknown[]).push(this.value(schema, kind, packed, depth));
      } else if (wire !== field.wire) this.fail(`${schema.name}.${name} has wire type ${wire}`);
      else if (label === "repeated") {
        this.take(takes.item);
        (value[name] as unknown[]).push(this.value(schema, kind, end, depth));
      }
      // protobuf-c would take the last, or put two messages together: no writer leaves the choice.
      else if (value[name] !== undefined) this.fail(`${schema.name}.${name} is there twice`);
      else value[name] = this.value(schema, kind, end, depth);
    }
    for (const name of needed) {
      if (value[name] === undefined) this.fail(`${schema.name} lacks its required ${name}`);
    }
    if (last !== undefined) Object.assign(last, { bytes: this.bytes, start: begin, end, value });
    else this.recent?.last?.set(schema, { bytes: this.bytes, start: begin, end, value });
    return value;
  }

  /** Whether the bytes from here to `end` are those of a message that was read before. */
  private isAgain({ bytes, start, end: before }: Read, end: number): boolean {
    if (end - this.at !== before - start) return false;
    // Even of a few bytes a loop takes longer here than memcmp(3).
    return this.bytes.compare(bytes, start, before, this.at, end) === 0;
  }

  private value(parent: Message<any>, kind: Kind, end: number, depth: number): unknown {
    this.take(takes.field);
    if (typeof kind !== "string") {
      const stop = this.length(end);
      return this.message(typeof kind === "function" ? kind() : kind, stop, depth + 1);
    }
    switch (kind) {
      case "uint32":
        return this.varint32(end);
      case "enum":
      case "int32":
        return this.int32(end);
      case "sint32": {
        const raw = this.varint32(end);
        return (raw >>> 1) ^ -(raw & 1);
      }
      case "bool":
        return this.varint64(end) !== 0n;
      case "uint64":
        return this.varint64(end);
      case "int64":
        return BigInt.asIntN(64, this.varint64(end));
      case "sint64": {
        const raw = this.varint64(end);
        return BigInt.asIntN(64, (raw >> 1n) ^ -(raw & 1n));
      }
      case "fixed64": {
        if (end - this.at < 8) this.fail(`${parent.name} ends inside a value`);
        this.at += 8;
        return new DataView(this.bytes.buffer, this.bytes.byteOffset).getBigUint64(
          this.at - 8,
          true,
        );
      }
      case "bytes": {
        const stop = this.length(end);
        this.take(takes.bytes + stop - this.at);
        const value = this.copy(this.at, stop);
        this.at = stop;
        return value;
      }
      case "string": {
        const stop = this.length(end);
        if (stop - this.at > LONGEST)
          this.fail(`${parent.name} has a text of ${stop - this.at} bytes`);
        this.take(takes.text + stop - this.at);
        const value = fromBytes(this.bytes.subarray(this.at, stop));
        this.at = stop;
        // To CRIU a string ends there.
        if (value.includes("\0")) this.fail(`${parent.name} has a NUL in a string`);
        return value;
      }
    }
  }

  /** Bytes of a value's own: those that are read are the file's, and slice() of a Buffer is a view of them. */
  private copy(from: number, to: number): Uint8Array {
    return new Uint8Array(this.bytes.subarray(from, to));
  }

  /** A length and where what it measures ends. */
  private length(end: number): number {
    const length = this.varint32(end);
    if (length > end - this.at) this.fail(`a field of ${length} bytes has ${end - this.at} left`);
    return this.at + length;
  }

  /** A number of at most 32 bits, unsigned. */
  private varint32(end: number): number {
    const low = this.varint(end);
    if (this.high !== 0) this.fail("a number of 32 bits has more");
    return low;
  }

  /** Negative ones are written with 64 bits; some writers leave the upper half out. */
  private int32(end: number): number {
    const low = this.varint(end) | 0;
    if (this.high !== 0 && (low >= 0 || this.high !== 0xffffffff))
      this.fail("a number of 32 bits has more");
    return low;
  }

  private varint64(end: number): bigint {
    this.take(takes.bigint);
    const low = this.varint(end);
    return this.high === 0 ? BigInt(low) : (BigInt(this.high) << 32n) | BigInt(low);
  }

  /**
   * The lower half of a varint, unsigned; the upper one is in `high`. In the fewest bytes that hold it, as every writer
   * does it: of more bytes, or bits that the field cannot hold, protobuf-c makes something else than others would.
   */
  private varint(end: number): number {
    this.high = 0;
    // Most are one byte long.
    const first = this.bytes[this.at]!;
    if (this.at < end && first < 0x80) {
      this.at += 1;
      return first;
    }
    let low = 0;
    let high = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      if (this.at >= end) this.fail("the message ends inside a number");
      const byte = this.bytes[this.at++]!;
      const bits = byte & 0x7f;
      if (shift < 28) low |= bits << shift;
      else if (shift === 28) {
        low |= bits << 28;
        high |= bits >>> 4;
      } else high |= bits << (shift - 32);
      if (byte >= 0x80) continue;
      if (byte === 0 || (shift === 63 && byte > 1)) this.fail("a number has bytes to spare");
      this.high = high >>> 0;
      return low >>> 0;
    }
    return this.fail("a number is longer than ten bytes");
  }

  private skip(wire: number, end: number): void {
    if (wire === VARINT) this.varint(end);
    else if (wire === LENGTH) this.at = this.length(end);
    else {
      const size =
        wire === FIXED64
          ? 8
          : wire === FIXED32
            ? 4
            : this.fail(`wire type ${wire} is none that CRIU writes`);
      if (end - this.at < size) this.fail("the message ends inside a value");
      this.at += size;
    }
  }
}

/** Write one message: required, present and unknown fields by number, as protobuf-c of a CRIU that knows them all does. */
export function encode<M extends Message<any>>(schema: M, value: Infer<M>): Uint8Array {
  const pieces: Uint8Array[] = [];
  const fields = value as Value;
  const strange = fields[unknown] ?? [];
  let next = 0;
  for (const { name, number, label, kind, wire } of indexOf(schema).sorted) {
    for (; next < strange.length && strange[next]!.number < number; next++)
      pieces.push(strange[next]!.bytes);
    const present = fields[name];
    if (present === undefined) continue;
    const tag = varint((BigInt(number) << 3n) | BigInt(wire));
    for (const item of label === "repeated" ? (present as unknown[]) : [present])
      pieces.push(tag, encodeValue(kind, item));
  }
  for (const { bytes } of strange.slice(next)) pieces.push(bytes);
  return Buffer.concat(pieces);
}

function encodeValue(kind: Kind, value: unknown): Uint8Array {
  if (typeof kind !== "string")
    return delimited(encode(typeof kind === "function" ? kind() : kind, value as never));
  switch (kind) {
    case "string":
      return delimited(toBytes(value as string));
    case "bytes":
      return delimited(value as Uint8Array);
    case "fixed64": {
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(value as bigint);
      return bytes;
    }
    case "sint32":
      return varint(BigInt((((value as number) << 1) ^ ((value as number) >> 31)) >>> 0));
    case "sint64":
      return varint(BigInt.asUintN(64, ((value as bigint) << 1n) ^ ((value as bigint) >> 63n)));
    case "bool":
      return varint(value ? 1n : 0n);
    default:
      // Negative int32, enum and int64 are ten bytes long: sign-extended to 64 bits.
      return varint(BigInt.asUintN(64, BigInt(value as number | bigint)));
  }
}

const delimited = (bytes: Uint8Array): Uint8Array =>
  Buffer.concat([varint(BigInt(bytes.length)), bytes]);

function varint(value: bigint): Uint8Array {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 0x7fn) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  bytes.push(Number(rest));
  return Uint8Array.from(bytes);
}
