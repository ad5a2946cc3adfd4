import { describe, expect, test } from "bun:test";
import {
  type Infer,
  type Message,
  message,
  optional,
  repeated,
  required,
} from "../../src/image/schema.ts";
import { cgroup_dir_entry } from "../../src/image/tables/cgroup.ts";
import { fromBytes, toBytes } from "../../src/image/text.ts";
import { decode, encode } from "../../src/image/wire.ts";

const leaf = message("leaf", { number: required(1, "uint32"), name: optional(2, "string") });
const tree: Message<any> = message("tree", {
  name: required(1, "string"),
  children: repeated(2, (): Message<any> => tree),
});
const all = message("all", {
  u32: optional(1, "uint32"),
  i32: optional(2, "int32"),
  s32: optional(3, "sint32"),
  flag: optional(4, "bool"),
  u64: optional(5, "uint64"),
  i64: optional(6, "int64"),
  s64: optional(7, "sint64"),
  f64: optional(8, "fixed64"),
  text: optional(9, "string"),
  data: optional(10, "bytes"),
  leaves: repeated(11, leaf),
  numbers: repeated(12, "uint32"),
});

const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
const problem = (schema: Message<any>, text: string) => {
  const decoded = decode(schema, hex(text), 100);
  return decoded.ok ? undefined : [decoded.offset, decoded.problem];
};

describe("bytes as protobuf has them", () => {
  // Written by hand from the encoding's definition, so that a fault shared by encode and decode shows.
  const cases: [string, Infer<typeof all>][] = [
    ["08 96 01", { u32: 150, leaves: [], numbers: [] }],
    ["08 ff ff ff ff 0f", { u32: 4294967295, leaves: [], numbers: [] }],
    ["10 ff ff ff ff ff ff ff ff ff 01", { i32: -1, leaves: [], numbers: [] }],
    ["18 01", { s32: -1, leaves: [], numbers: [] }],
    ["18 ff ff ff ff 0f", { s32: -2147483648, leaves: [], numbers: [] }],
    ["20 01", { flag: true, leaves: [], numbers: [] }],
    ["28 ff ff ff ff ff ff ff ff ff 01", { u64: 0xffffffffffffffffn, leaves: [], numbers: [] }],
    ["28 80 80 80 80 10", { u64: 0x100000000n, leaves: [], numbers: [] }],
    ["28 80 80 80 80 80 80 80 80 80 01", { u64: 0x8000000000000000n, leaves: [], numbers: [] }],
    ["30 ff ff ff ff ff ff ff ff ff 01", { i64: -1n, leaves: [], numbers: [] }],
    ["38 03", { s64: -2n, leaves: [], numbers: [] }],
    ["41 01 02 03 04 05 06 07 08", { f64: 0x0807060504030201n, leaves: [], numbers: [] }],
    ["4a 02 68 69", { text: "hi", leaves: [], numbers: [] }],
    ["52 02 00 ff", { data: Uint8Array.of(0, 255), leaves: [], numbers: [] }],
    [
      "5a 02 08 01 5a 04 08 02 12 00",
      { leaves: [{ number: 1 }, { number: 2, name: "" }], numbers: [] },
    ],
    ["60 01 60 02", { leaves: [], numbers: [1, 2] }],
  ];
  for (const [text, value] of cases) {
    test(text, () => {
      expect(decode(all, hex(text))).toEqual({ ok: true, value: value as never });
      expect(Buffer.from(encode(all, value)).toString("hex")).toBe(text.replaceAll(" ", ""));
    });
  }

  test("packed numbers are read too", () => {
    expect(decode(all, hex("62 03 01 96 01"))).toMatchObject({ value: { numbers: [1, 150] } });
  });

  test("fields that no table knows are kept", () => {
    const text = "08 01 a0 06 07 aa 06 02 01 02 a9 06 01 02 03 04 05 06 07 08 ad 06 01 02 03 04";
    const decoded = decode(leaf, hex(text));
    if (!decoded.ok) throw new Error(decoded.problem);
    expect(decoded.value.number).toBe(1);
    expect(Buffer.from(encode(leaf, decoded.value)).toString("hex")).toBe(text.replaceAll(" ", ""));
  });
});

describe("bytes that are no message", () => {
  test("a number that ends early, or never", () => {
    expect(problem(leaf, "08 80")).toEqual([102, "the message ends inside a number"]);
    expect(problem(leaf, "08 80 80 80 80 80 80 80 80 80 80 01")).toEqual([
      111,
      "a number is longer than ten bytes",
    ]);
  });
  test("a number of more bytes or bits than its field has, which parsers cut in different ways", () => {
    const spare = "a number has bytes to spare";
    const more = "a number of 32 bits has more";
    for (const [bytes, problemOf] of [
      ["88 00 01", spare],
      ["08 81 00", spare],
      ["08 81 80 80 80 80 80 80 80 80 02", spare],
      ["08 01 12 81 00 61", spare],
      ["88 80 80 80 10 01", more],
      ["08 81 80 80 80 10", more],
    ] as const)
      expect([bytes, decode(leaf, hex(bytes))]).toMatchObject([
        bytes,
        { ok: false, problem: problemOf },
      ]);
  });
  test("a length beyond the end", () => {
    expect(problem(leaf, "08 01 12 05 61")).toEqual([104, "a field of 5 bytes has 1 left"]);
    expect(problem(leaf, "08 01 12 ff ff ff ff 0f")).toEqual([
      108,
      "a field of 4294967295 bytes has 0 left",
    ]);
  });
  test("a child that claims more than its parent has", () => {
    expect(problem(all, "5a 02 12 05 08 01 08 01 08")).toEqual([
      104,
      "a field of 5 bytes has 0 left",
    ]);
  });
  test("a required field that is not there", () => {
    expect(problem(leaf, "")).toEqual([100, "leaf lacks its required number"]);
  });
  test("a field of another wire type, a group", () => {
    expect(problem(leaf, "0a 00")).toEqual([101, "leaf.number has wire type 2"]);
    expect(problem(leaf, "08 01 1b 1c")).toEqual([103, "wire type 3 is none that CRIU writes"]);
  });
  test("nesting without end", () => {
    let bytes: Uint8Array = hex("0a 00");
    for (let depth = 0; depth < 70; depth += 1)
      bytes = encode(tree, { name: "", children: [] } as never).length > 0 ? wrap(bytes) : bytes;
    expect(decode(tree, bytes)).toMatchObject({
      ok: false,
      problem: expect.stringContaining("nested more than"),
    });
  });
});

/** A tree message whose one child is `bytes`. */
function wrap(bytes: Uint8Array): Uint8Array {
  const length: number[] = [];
  for (let rest = bytes.length; ; rest >>= 7) {
    length.push(rest > 127 ? (rest & 127) | 128 : rest);
    if (rest <= 127) break;
  }
  return Uint8Array.from([0x0a, 0, 0x12, ...length, ...bytes]);
}

describe("strings keep every byte", () => {
  const samples = [
    "",
    "61",
    "c3a4",
    "ff",
    "61ff62",
    "c3",
    "e282",
    "f09f9880",
    "f09f98",
    "eda080",
    "00ff00",
    "c080",
  ];
  for (const sample of samples) {
    test(sample || "none", () => {
      const bytes = Uint8Array.from(Buffer.from(sample, "hex"));
      expect(Buffer.from(toBytes(fromBytes(bytes))).toString("hex")).toBe(sample);
    });
  }
  test("what is UTF-8 reads as such", () => {
    expect(fromBytes(Buffer.from("/tmp/ä😀"))).toBe("/tmp/ä😀");
    expect(fromBytes(Uint8Array.of(0x61, 0xff))).toBe("a\udcff");
  });
});

test("the shortest messages that CRIU writes by the thousand are no attack", () => {
  const perms = { mode: 0o644, uid: 0, gid: 0 };
  const properties = ["tasks", "cgroup.procs"].map((name) => ({ name, value: "", perms }));
  const children = Array.from({ length: 20_000 }, (_, n) => ({
    dir_name: `a${n}`,
    children: [],
    properties,
  }));
  const dir: any = { dir_name: "", children, properties: [] };
  const bytes = encode(cgroup_dir_entry, dir);
  expect(decode(cgroup_dir_entry, bytes)).toMatchObject({ ok: true });
});
