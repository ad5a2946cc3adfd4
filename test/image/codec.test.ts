/** The codec against bytes written by hand, so that an error of the encoder cannot hide one of the decoder. */
import { expect, test } from "bun:test";
import { message, optional, repeated, required } from "../../src/image/schema.ts";
import { fromBytes, toBytes } from "../../src/image/text.ts";
import { decode, encode } from "../../src/image/wire.ts";
import { cgroup_dir_entry } from "../../src/image/tables/cgroup.ts";
import { pstree_entry } from "../../src/image/tables/process.ts";

const bytes = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");
const hex = (data: Uint8Array) => Buffer.from(data).toString("hex");

const numbers = message("numbers", {
  u32: optional(1, "uint32"),
  i32: optional(2, "int32"),
  s32: optional(3, "sint32"),
  u64: optional(4, "uint64"),
  i64: optional(5, "int64"),
  s64: optional(6, "sint64"),
  f64: optional(7, "fixed64"),
  flag: optional(8, "bool"),
  list: repeated(9, "uint32"),
});
const need = message("need", { id: required(1, "uint32"), name: optional(3, "string") });

test("a message of CRIU's, byte for byte", () => {
  const raw = bytes("08b960 1000 18b960 20b960 28b960 28ba60");
  const decoded = decode(pstree_entry, raw);
  expect(decoded).toEqual({
    ok: true,
    value: { pid: 12345, ppid: 0, pgid: 12345, sid: 12345, threads: [12345, 12346] },
  });
  if (decoded.ok) expect(hex(encode(pstree_entry, decoded.value))).toBe(hex(raw));
});

const cases: [string, string, object][] = [
  ["largest uint32", "08ffffffff0f", { u32: 0xffffffff }],
  ["negative int32 is ten bytes", "10ffffffffffffffffff01", { i32: -1 }],
  ["sint32 at both ends", "18ffffffff0f", { s32: -0x80000000 }],
  ["largest uint64", "20ffffffffffffffffff01", { u64: 0xffffffffffffffffn }],
  ["bits around the 32nd", "208080808030", { u64: 0x300000000n }],
  ["smallest int64", "2880808080808080808001", { i64: -0x8000000000000000n }],
  ["smallest sint64", "30ffffffffffffffffff01", { s64: -0x8000000000000000n }],
  ["fixed64", "39 0807060504030201", { f64: 0x0102030405060708n }],
  ["bool", "4001", { flag: true }],
];
for (const [name, raw, value] of cases) {
  test(name, () => {
    const decoded = decode(numbers, bytes(raw));
    expect(decoded).toEqual({ ok: true, value: { list: [], ...value } });
    if (decoded.ok) expect(hex(encode(numbers, decoded.value))).toBe(hex(bytes(raw)));
  });
}

test("an absent optional field is no key", () => {
  const decoded = decode(need, bytes("0801"));
  expect(decoded.ok && Object.keys(decoded.value)).toEqual(["id"]);
});

test("packed lists are read", () => {
  const decoded = decode(numbers, bytes("4a04 01 8001 02 4803"));
  expect(decoded).toEqual({ ok: true, value: { list: [1, 128, 2, 3] } });
});

for (const raw of [
  "0801 1005 1a0161",
  "0801 1a0161 2205 68656c6c6f",
  "0801 11 0102030405060708 1a0161 25 01020304",
]) {
  test(`unknown fields stay where they were: ${raw}`, () => {
    const decoded = decode(need, bytes(raw));
    expect(decoded).toMatchObject({ ok: true, value: { id: 1, name: "a" } });
    if (decoded.ok) expect(hex(encode(need, { ...decoded.value }))).toBe(hex(bytes(raw)));
  });
}

const refused: [string, string, number, RegExp][] = [
  ["a missing required field is named", "1a0161", 103, /need lacks its required id/],
  ["a varint of eleven bytes", "0880808080808080808080 01", 111, /ten bytes/],
  ["a varint that the message ends in", "0880", 102, /ends inside a number/],
  ["a length past the end", "0801 1a0561", 104, /5 bytes has 1 left/],
  ["a group", "0801 1b 1c", 103, /wire type 3/],
  ["field number 0", "0801 0001", 103, /number 0/],
  ["another wire type than the table's", "0d01020304", 101, /wire type 5/],
];
for (const [name, raw, offset, problem] of refused) {
  test(`${name} is refused, with its place in the file`, () => {
    const decoded = decode(need, bytes(raw), 100);
    expect(decoded).toEqual({ ok: false, offset, problem: expect.stringMatching(problem) });
  });
}

test("a packed number does not reach past its list", () => {
  expect(decode(numbers, bytes("4a0180 4801")).ok).toBe(false);
});

test("nesting is bounded, and a deep cgroup tree is within", () => {
  const nested = (depth: number) => {
    let dir = bytes("0a00");
    for (let level = 0; level < depth; level++) {
      const size = dir.length < 128 ? [dir.length] : [(dir.length & 0x7f) | 0x80, dir.length >> 7];
      dir = Buffer.concat([bytes("0a00 12"), Buffer.from(size), dir]);
    }
    return dir;
  };
  expect(decode(cgroup_dir_entry, nested(40)).ok).toBe(true);
  expect(decode(cgroup_dir_entry, nested(2000)).ok).toBe(false);
});

test("many empty messages do not fill the memory", () => {
  const list = message("list", { items: repeated(1, message("item", {})) });
  expect(decode(list, Buffer.alloc(2 << 20, bytes("0a00"))).ok).toBe(false);
  expect(decode(list, Buffer.alloc(2000, bytes("0a00"))).ok).toBe(true);
});

const texts: [string, string][] = [
  ["2f746d702f61", "/tmp/a"],
  ["ff", "\udcff"],
  ["61ff62", "a\udcffb"],
  ["c3a4", "ä"],
  ["c3", "\udcc3"],
  ["c080", "\udcc0\udc80"],
  ["eda080", "\udced\udca0\udc80"],
  ["f4908080", "\udcf4\udc90\udc80\udc80"],
  ["f09f9880ff", "😀\udcff"],
  ["e282", "\udce2\udc82"],
  ["efbbbf61", "\ufeffa"],
];
for (const [raw, text] of texts) {
  test(`text of ${raw}, as Python's surrogateescape has it`, () => {
    expect(fromBytes(bytes(raw))).toBe(text);
    expect(hex(toBytes(text))).toBe(raw);
  });
}

test("any bytes become text and the same bytes again", () => {
  const next = random(1);
  const leads = [0x41, 0xc3, 0xe0, 0xed, 0xf0, 0xf4, 0x80, 0xff];
  for (let round = 0; round < 20_000; round++) {
    const data = Buffer.from(
      Array.from({ length: next(9) }, () => (next(2) ? leads[next(8)]! : next(256))),
    );
    expect(hex(toBytes(fromBytes(data)))).toBe(hex(data));
  }
});

test("mutated messages decode or are refused, and what decodes is stable", () => {
  const next = random(2);
  const dir = bytes("0a0161 1206 0a0162 1202 0a00 1a06 0a0163 120164 2206 08ed03 1000 1800");
  let decodes = 0;
  for (let round = 0; round < 20_000; round++) {
    const data = Buffer.from(dir);
    for (let flips = next(4); flips >= 0; flips--) data[next(data.length)] = next(256);
    const decoded = decode(cgroup_dir_entry, data.subarray(0, 1 + next(data.length)));
    if (!decoded.ok) continue;
    decodes++;
    const again = encode(cgroup_dir_entry, decoded.value);
    const second = decode(cgroup_dir_entry, again);
    expect(second).toEqual(decoded);
    if (second.ok) expect(hex(encode(cgroup_dir_entry, second.value))).toBe(hex(again));
  }
  expect(decodes).toBeGreaterThan(100);
});

/** Mulberry32: the same numbers in every run. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}
