/** Changes to what recriu reads: any bytes, and values of messages. Every number comes from the seed, so each can be had again. */
import { formatOf, tableAt } from "../../src/image/formats.ts";
import { readFrames } from "../../src/image/frame.ts";
import { indexOf, type Kind, type Message } from "../../src/image/schema.ts";
import { image } from "../image/fixture.ts";

export type Dice = (sides: number) => number;

/** Numbers below `sides`, the same for the same seed: mulberry32. */
export function diceOf(seed: number): Dice {
  let state = seed >>> 0;
  return (sides) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * sides);
  };
}

export const pick = <T>(dice: Dice, from: readonly T[]): T => from[dice(from.length)]!;

const NUMBERS = [0, 1, 2, 3, 7, 127, 128, 255, 4096, 65535, 0x7fffffff, 0x80000000, 0xffffffff];
const LARGE = [0n, 1n, 4095n, 1n << 31n, 1n << 32n, 1n << 53n, 1n << 63n, (1n << 64n) - 1n];
const TEXTS = [
  "",
  "/",
  ".",
  "../../x",
  "/proc/self/fd/0",
  "a\u001b[2Jb\u009b31m\u202e",
  "\udcff\udc80",
  "$(id)\n'\"",
  "__proto__",
  "/x".repeat(3000),
  "x".repeat(70000),
];

/** Some bytes flipped, left out, repeated, put in or cut off. */
export function mutateBytes(dice: Dice, bytes: Uint8Array): Uint8Array {
  let made = Buffer.from(bytes);
  for (let times = 1 + dice(4); times > 0; times -= 1) {
    const at = dice(made.length + 1);
    const end = Math.min(made.length, at + 1 + dice(16));
    switch (dice(5)) {
      case 0:
        if (at < made.length) made[at] = pick(dice, [0, 1, 0x7f, 0x80, 0xff, dice(256)]);
        break;
      case 1:
        made = Buffer.concat([made.subarray(0, at), made.subarray(end)]);
        break;
      case 2:
        made = Buffer.concat([made.subarray(0, end), made.subarray(at)]);
        break;
      case 3:
        made = Buffer.concat([made.subarray(0, at), Buffer.of(dice(256)), made.subarray(at)]);
        break;
      default:
        if (dice(4) === 0) made = made.subarray(0, at);
    }
  }
  return made;
}

/** Lines left out, repeated, exchanged, or with other bytes. */
export function mutateLines(dice: Dice, bytes: Uint8Array): Uint8Array {
  const lines = Buffer.from(bytes).toString("latin1").split("\n");
  for (let times = 1 + dice(3); times > 0; times -= 1) {
    const [at, other] = [dice(lines.length), dice(lines.length)];
    const kind = dice(5);
    if (kind === 0) lines.splice(at, 1 + dice(3));
    else if (kind === 1) lines.splice(other, 0, lines[at] ?? "");
    else if (kind === 2) lines[at] = pick(dice, TEXTS);
    else
      lines[at] = Buffer.from(mutateBytes(dice, Buffer.from(lines[at] ?? ""))).toString("latin1");
  }
  return Buffer.from(lines.join("\n"), "latin1");
}

/** Some values of a document are others, or gone; or its text has other bytes. */
export function mutateJson(dice: Dice, document: object): Uint8Array {
  const whole = structuredClone(document);
  for (let times = 1 + dice(3); times > 0; times -= 1) {
    let at = whole as Record<string, unknown>;
    let name = pick(dice, Object.keys(at));
    for (let next = at[name]; isFilled(next) && dice(8) > 0; next = at[name]) {
      at = next;
      name = pick(dice, Object.keys(at));
    }
    if (dice(8) === 0) delete at[name];
    else at[name] = pick(dice, [...NUMBERS, -1, 1.5, 2 ** 60, ...TEXTS, null, true, [], {}, whole]);
    if (at[name] === whole) at[name] = structuredClone(document);
  }
  return Buffer.from(JSON.stringify(whole));
}

const isFilled = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && Object.keys(value).length > 0;

/** One value of an image is another; its bytes are changed where that cannot be written. */
export function mutateImage(dice: Dice, file: string, bytes: Uint8Array): Uint8Array {
  const format = formatOf(file);
  if (format === undefined || dice(5) === 0) return mutateBytes(dice, bytes);
  const read = (from: number, count: number) => bytes.subarray(from, from + count);
  const framed = readFrames({ file, path: file, size: bytes.length, read }, format);
  if (!framed.ok || framed.entries.length === 0) return mutateBytes(dice, bytes);
  const entries = framed.entries.map(({ value }) => structuredClone(value) as object);
  for (let times = 1 + dice(3); times > 0; times -= 1) {
    const at = dice(entries.length);
    const kind = dice(16);
    if (kind === 0) entries.push(structuredClone(entries[at]!));
    else if (kind === 1 && entries.length > 1) entries.splice(at, 1);
    else mutateMessage(dice, tableAt(format, at), entries[at]!, entries);
  }
  try {
    return image(file, entries);
  } catch {
    return mutateBytes(dice, bytes);
  }
}

const BLOCK = 512;

/** A tar of others: bytes anywhere, or a header's field with a sum that is right; then perhaps compressed. */
export function mutateTar(dice: Dice, tar: Uint8Array): Uint8Array {
  let bytes = Buffer.from(tar);
  if (dice(3) === 0) bytes = Buffer.from(mutateBytes(dice, bytes));
  else {
    const header = bytes
      .subarray(dice(Math.floor(bytes.length / BLOCK)) * BLOCK)
      .subarray(0, BLOCK);
    const [at, length] = pick(dice, [
      [0, 100], // name
      [100, 8], // mode
      [124, 12], // size
      [156, 1], // type
      [157, 100], // linkname
      [257, 8], // magic, version
      [345, 155], // prefix
    ] as const);
    const values = [
      "",
      "checkpoint/../x",
      "/etc/x",
      "77777777777",
      "\xff\xff\xff\xff",
      "x",
      "g",
      "L",
      "S",
      "2",
    ];
    if (header.length === BLOCK) {
      header.subarray(at, at + length).fill(0);
      header.write(pick(dice, values), at, length, "latin1");
      header.fill(" ", 148, 156);
      const sum = header.reduce((all, byte) => all + byte, 0);
      header.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148, "latin1");
    }
    if (dice(4) === 0)
      bytes = Buffer.concat([bytes.subarray(0, dice(bytes.length)), header, bytes]);
  }
  const kind = dice(4);
  if (kind === 0) return mutateBytes(dice, Bun.gzipSync(bytes));
  return kind === 1 ? mutateBytes(dice, Bun.zstdCompressSync(bytes, { level: 1 })) : bytes;
}

/** Change one field of a message, whether it is there or not. `others`: messages whose numbers mean something here. */
export function mutateMessage(
  dice: Dice,
  schema: Message<any>,
  message: object,
  others: readonly object[] = [],
): void {
  const value = message as Record<string, unknown>;
  const { sorted } = indexOf(schema);
  if (sorted.length === 0) return;
  const present = sorted.filter(({ name }) => value[name] !== undefined);
  const { name, kind, label } = pick(dice, present.length > 0 && dice(3) > 0 ? present : sorted);
  const old = value[name];
  const nested = typeof kind === "function" ? kind() : kind;
  if (label === "repeated") {
    const list = (old ?? []) as unknown[];
    const item = list[dice(list.length)];
    if (item !== undefined && typeof nested === "object" && dice(2) === 0)
      mutateMessage(dice, nested, item as object, others);
    else if (dice(3) === 0) list.splice(dice(list.length), 1 + dice(2));
    else list.push(item !== undefined && dice(3) === 0 ? item : valueOf(dice, kind, others, 0));
    value[name] = list;
  } else if (old !== undefined && label === "optional" && dice(6) === 0) delete value[name];
  else if (typeof old === "object" && typeof nested === "object" && dice(5) > 0)
    mutateMessage(dice, nested, old as object, others);
  else if (old instanceof Uint8Array && dice(2) === 0) value[name] = mutateBytes(dice, old);
  else value[name] = valueOf(dice, kind, others, 0);
}

/** A value of that kind; of a number also one that stands elsewhere, as ids do. */
function valueOf(dice: Dice, kind: Kind, others: readonly object[], depth: number): unknown {
  if (typeof kind === "function") return messageOf(dice, kind(), others, depth + 1);
  if (typeof kind === "object") return messageOf(dice, kind, others, depth + 1);
  const known = others.length === 0 ? [] : Object.values(pick(dice, others));
  const near = (type: string) => known.filter((value) => typeof value === type);
  switch (kind) {
    case "bool":
      return dice(2) === 0;
    case "string":
      return pick(dice, [...TEXTS, ...near("string")]);
    case "bytes":
      return Buffer.from(pick(dice, TEXTS));
    case "uint64":
    case "int64":
    case "sint64":
    case "fixed64":
      return pick(dice, [...LARGE, ...near("bigint")]);
    default:
      return pick(dice, [...NUMBERS, dice(64), ...near("number")]);
  }
}

const DEEPEST = 4;

function messageOf(
  dice: Dice,
  schema: Message<any>,
  others: readonly object[],
  depth: number,
): object {
  const made: Record<string, unknown> = {};
  for (const { name, label, kind } of indexOf(schema).sorted) {
    const wanted = label === "required" || (depth < DEEPEST && dice(3) === 0);
    if (label === "repeated") made[name] = wanted ? [valueOf(dice, kind, others, depth)] : [];
    else if (wanted) made[name] = valueOf(dice, kind, others, depth);
  }
  return made;
}
