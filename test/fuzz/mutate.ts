/** Changes to what recriu reads: any bytes, and values of images. Every number comes from the seed, so each can be had again. */
import { formatOf } from "../../src/image/formats.ts";
import { readFrames } from "../../src/image/frame.ts";
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

const pick = <T>(dice: Dice, from: readonly T[]): T => from[dice(from.length)]!;

const NUMBERS = [0, 1, 2, 3, 7, 127, 128, 255, 4096, 65535, 0x7fffffff, 0x80000000, 0xffffffff];
const LARGE = [0n, 1n, 4095n, 1n << 31n, 1n << 32n, 1n << 53n, 1n << 63n, (1n << 64n) - 1n];
const TEXTS = [
  "",
  "/",
  "../../x",
  "/proc/self/fd/0",
  "a\u001b[2Jb",
  "\udcff\udc80",
  "$(id)\n'\"",
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

/** One value of an image is another; its bytes are changed where that cannot be written. */
export function mutateImage(dice: Dice, file: string, bytes: Uint8Array): Uint8Array {
  const format = formatOf(file);
  if (format === undefined || dice(3) === 0) return mutateBytes(dice, bytes);
  const framed = readFrames(
    {
      file,
      path: file,
      size: bytes.length,
      read: (from, count) => bytes.subarray(from, from + count),
    },
    format,
  );
  if (!framed.ok || framed.entries.length === 0) return mutateBytes(dice, bytes);
  const entries = framed.entries.map(({ value }) => value as object);
  for (let times = 1 + dice(3); times > 0; times -= 1) {
    if (dice(8) === 0) entries.push(pick(dice, entries));
    else change(dice, pick(dice, entries) as Record<string, unknown>);
  }
  try {
    return image(file, entries);
  } catch {
    return mutateBytes(dice, bytes);
  }
}

function change(dice: Dice, value: Record<string, unknown>): void {
  const names = Object.keys(value);
  if (names.length === 0) return;
  const name = pick(dice, names);
  const old = value[name];
  if (Array.isArray(old)) {
    if (old.length > 0 && typeof old[0] === "object" && dice(2) === 0)
      change(dice, pick(dice, old));
    else if (old.length > 0 && dice(2) === 0) old.push(pick(dice, old));
    else old.splice(0, 1 + dice(2));
  } else if (old instanceof Uint8Array) value[name] = mutateBytes(dice, old);
  else if (typeof old === "number") value[name] = pick(dice, NUMBERS);
  else if (typeof old === "bigint") value[name] = pick(dice, LARGE);
  else if (typeof old === "string") value[name] = pick(dice, TEXTS);
  else if (typeof old === "boolean") value[name] = !old;
  else if (typeof old === "object" && old !== null) {
    if (dice(6) === 0) delete value[name];
    else change(dice, old as Record<string, unknown>);
  }
}
