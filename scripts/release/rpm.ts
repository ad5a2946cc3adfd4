/** An .rpm, format 3 with the tags of rpm 4.14 and later. No scriptlets; owned are its files and the directories of its documents. */
import { createHash } from "node:crypto";
import type { About } from "./about.ts";
import { byPath, cpio, directoriesOf, type Item } from "./archives.ts";
import { gzipped } from "./gzip.ts";

/** Tag, type, value: numbers of header entries as rpm's tags have them. */
type Entry = readonly [
  tag: number,
  type: keyof typeof types,
  value: readonly number[] | readonly string[] | Uint8Array,
];

const types = { int16: 3, int32: 4, string: 6, binary: 7, strings: 8, i18n: 9 } as const;
const width = { int16: 2, int32: 4, string: 1, binary: 1, strings: 1, i18n: 1 } as const;

export async function rpm(about: About, arch: string, items: readonly Item[]): Promise<Buffer> {
  const entries = byPath([
    ...items.map((item) => ({ ...item, mode: 0o100000 | item.mode })),
    ...directoriesOf(items)
      .filter((path) => path.startsWith("usr/share/doc/recriu"))
      .map((path) => ({ path, mode: 0o040755, data: new Uint8Array() })),
  ]);
  const archive = cpio(entries, about.epoch);
  const payload = await gzipped(archive);
  const header = headerOf(63, [
    ...aboutEntries(about, arch),
    ...fileEntries(about, entries),
    ...payloadEntries(payload),
  ]);
  const signature = headerOf(62, [
    [269, "string", [hash("sha1", header)]],
    [273, "string", [hash("sha256", header)]],
    [1000, "int32", [header.length + payload.length]],
    [1004, "binary", createHash("md5").update(header).update(payload).digest()],
    [1007, "int32", [archive.length]],
  ]);
  const lead = leadOf(`recriu-${about.version}-1`);
  const gap = Buffer.alloc(-signature.length & 7);
  return Buffer.concat([lead, signature, gap, header, payload]);
}

function aboutEntries(
  { version, epoch, summary, description, license, vendor }: About,
  arch: string,
): Entry[] {
  const provided = ["recriu", arch === "x86_64" ? "recriu(x86-64)" : "recriu(aarch-64)"];
  // 0x1000008: rpm itself must know this, and at least so new. 0x4000: found by looking at the program.
  const required: [string, number, string][] = [
    ["libc.so.6(GLIBC_2.17)(64bit)", 0x4000, ""],
    ["rpmlib(CompressedFileNames)", 0x100000a, "3.0.4-1"],
    ["rpmlib(FileDigests)", 0x100000a, "4.6.0-1"],
    ["rpmlib(PayloadFilesHavePrefix)", 0x100000a, "4.0-1"],
  ];
  return [
    [100, "strings", ["C"]],
    [1000, "string", ["recriu"]],
    [1001, "string", [version]],
    [1002, "string", ["1"]],
    [1004, "i18n", [summary]],
    [1005, "i18n", [description.join("\n")]],
    [1006, "int32", [epoch]],
    [1007, "string", ["localhost"]],
    [1011, "string", [vendor]],
    [1014, "string", [license]],
    [1016, "i18n", ["System/Base"]],
    [1021, "string", ["linux"]],
    [1022, "string", [arch]],
    [1044, "string", [`recriu-${version}-1.src.rpm`]],
    [1047, "strings", provided],
    [1048, "int32", required.map(([, flags]) => flags)],
    [1049, "strings", required.map(([name]) => name)],
    [1050, "strings", required.map(([, , least]) => least)],
    [1064, "string", ["4.14.0"]],
    [1112, "int32", provided.map(() => 8)],
    [1113, "strings", provided.map(() => `${version}-1`)],
    [1132, "string", [`${arch}-linux`]],
    // Recommends, which rpm lets fail: CRIU, of the distribution or another one.
    [5046, "strings", ["criu"]],
    [5047, "strings", ["3.17"]],
    [5048, "int32", [0xc]],
  ];
}

function fileEntries({ epoch }: About, entries: readonly Item[]): Entry[] {
  const directories = [
    ...new Set(entries.map(({ path }) => `/${path.slice(0, path.lastIndexOf("/") + 1)}`)),
  ];
  const each = <T>(value: (item: Item, index: number) => T): T[] => entries.map(value);
  const isDirectory = ({ mode }: Item) => (mode & 0o040000) !== 0;
  return [
    [1009, "int32", [entries.reduce((total, { data }) => total + data.length, 0)]],
    [1028, "int32", each(({ data }) => data.length)],
    [1030, "int16", each(({ mode }) => mode)],
    [1033, "int16", each(() => 0)],
    [1034, "int32", each(() => epoch)],
    [1035, "strings", each((item) => (isDirectory(item) ? "" : hash("sha256", item.data)))],
    [1036, "strings", each(() => "")],
    // 2: documentation, which --excludedocs leaves out.
    [1037, "int32", each(({ path }) => (/^usr\/share\/(doc|man)\//.test(path) ? 2 : 0))],
    [1039, "strings", each(() => "root")],
    [1040, "strings", each(() => "root")],
    [1045, "int32", each(() => -1)],
    [1095, "int32", each(() => 1)],
    [1096, "int32", each((_, index) => index + 1)],
    [1097, "strings", each(() => "")],
    [
      1116,
      "int32",
      each(({ path }) => directories.indexOf(`/${path.slice(0, path.lastIndexOf("/") + 1)}`)),
    ],
    [1117, "strings", each(({ path }) => path.slice(path.lastIndexOf("/") + 1))],
    [1118, "strings", directories],
    [5011, "int32", [8]],
  ];
}

const payloadEntries = (payload: Buffer): Entry[] => [
  [1124, "string", ["cpio"]],
  [1125, "string", ["gzip"]],
  [1126, "string", ["6"]],
  [5092, "strings", [hash("sha256", payload)]],
  [5093, "int32", [8]],
];

/** A header: its index, its store, and the region tag that makes it one that cannot be added to. */
function headerOf(region: number, unsorted: readonly Entry[]): Buffer {
  const entries = [...unsorted].sort(([a], [b]) => a - b);
  const index: number[][] = [];
  const store: Buffer[] = [];
  let length = 0;
  const add = (data: Buffer) => {
    store.push(data);
    length += data.length;
  };
  for (const [tag, type, value] of entries) {
    add(Buffer.alloc(-length & (width[type] - 1)));
    index.push([tag, types[type], length, value.length]);
    add(bytesOf(type, value));
  }
  // The region's entry points at a copy of itself behind everything, which says how long the index is.
  const count = entries.length + 1;
  index.unshift([region, types.binary, length, 16]);
  add(words([region, types.binary, -16 * count, 16]));
  return Buffer.concat([
    Buffer.from([0x8e, 0xad, 0xe8, 1, 0, 0, 0, 0]),
    words([count, length]),
    words(index.flat()),
    ...store,
  ]);
}

function bytesOf(type: Entry[1], value: Entry[2]): Buffer {
  if (value instanceof Uint8Array) return Buffer.from(value);
  if (type === "int32") return words(value as number[]);
  if (type === "int16") {
    const data = Buffer.alloc(2 * value.length);
    (value as number[]).forEach((each, at) => data.writeUInt16BE(each, 2 * at));
    return data;
  }
  return Buffer.from((value as string[]).map((each) => `${each}\0`).join(""));
}

/** Numbers as rpm writes them, big-endian. */
function words(values: readonly number[]): Buffer {
  const data = Buffer.alloc(4 * values.length);
  values.forEach((value, at) => data.writeInt32BE(value | 0, 4 * at));
  return data;
}

/** The lead, which nothing but file(1) reads any more. */
function leadOf(name: string): Buffer {
  const lead = Buffer.alloc(96);
  lead.set([0xed, 0xab, 0xee, 0xdb, 3, 0, 0, 0, 0, 1]);
  lead.write(name.slice(0, 65), 10);
  lead.set([0, 1, 0, 5], 76);
  return lead;
}

const hash = (algorithm: string, data: Uint8Array): string =>
  createHash(algorithm).update(data).digest("hex");
