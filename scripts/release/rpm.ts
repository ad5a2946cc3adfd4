/** An .rpm, format 3 with the tags of rpm 4.14 and later. No scriptlets; owned are its files and the directories of its documents. */
import { createHash } from "node:crypto";
import type { About } from "./about.ts";
import { byPath, cpio, directoriesOf, type Item } from "./archives.ts";
import { gzipped } from "./gzip.ts";
import { PGPHASHALGO_SHA256, RPMFILE_DOC, sense, signatureTag, tag } from "./rpm-tags.ts";

/** What stands in a header. */
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
  const header = headerOf(tag.HEADERIMMUTABLE, [
    ...aboutEntries(about, arch),
    ...fileEntries(about, entries),
    ...payloadEntries(payload),
  ]);
  const signature = headerOf(signatureTag.HEADERSIGNATURES, [
    [signatureTag.SHA1, "string", [hash("sha1", header)]],
    [signatureTag.SHA256, "string", [hash("sha256", header)]],
    [signatureTag.SIZE, "int32", [header.length + payload.length]],
    [signatureTag.MD5, "binary", createHash("md5").update(header).update(payload).digest()],
    [signatureTag.PAYLOADSIZE, "int32", [archive.length]],
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
  // What rpm itself must know.
  const rpmlib = sense.RPMLIB | sense.LESS | sense.EQUAL;
  const required: [string, number, string][] = [
    ["libc.so.6(GLIBC_2.17)(64bit)", sense.FIND_REQUIRES, ""],
    ["rpmlib(CompressedFileNames)", rpmlib, "3.0.4-1"],
    ["rpmlib(FileDigests)", rpmlib, "4.6.0-1"],
    ["rpmlib(PayloadFilesHavePrefix)", rpmlib, "4.0-1"],
  ];
  return [
    [tag.HEADERI18NTABLE, "strings", ["C"]],
    [tag.NAME, "string", ["recriu"]],
    [tag.VERSION, "string", [version]],
    [tag.RELEASE, "string", ["1"]],
    [tag.SUMMARY, "i18n", [summary]],
    [tag.DESCRIPTION, "i18n", [description.join("\n")]],
    [tag.BUILDTIME, "int32", [epoch]],
    [tag.BUILDHOST, "string", ["localhost"]],
    [tag.VENDOR, "string", [vendor]],
    [tag.LICENSE, "string", [license]],
    [tag.GROUP, "i18n", ["System/Base"]],
    [tag.OS, "string", ["linux"]],
    [tag.ARCH, "string", [arch]],
    [tag.SOURCERPM, "string", [`recriu-${version}-1.src.rpm`]],
    [tag.PROVIDENAME, "strings", provided],
    [tag.REQUIREFLAGS, "int32", required.map(([, flags]) => flags)],
    [tag.REQUIRENAME, "strings", required.map(([name]) => name)],
    [tag.REQUIREVERSION, "strings", required.map(([, , least]) => least)],
    [tag.RPMVERSION, "string", ["4.14.0"]],
    [tag.PROVIDEFLAGS, "int32", provided.map(() => sense.EQUAL)],
    [tag.PROVIDEVERSION, "strings", provided.map(() => `${version}-1`)],
    [tag.PLATFORM, "string", [`${arch}-linux`]],
    // Recommends, which rpm lets fail: CRIU, of the distribution or another one.
    [tag.RECOMMENDNAME, "strings", ["criu"]],
    [tag.RECOMMENDVERSION, "strings", ["3.17"]],
    [tag.RECOMMENDFLAGS, "int32", [sense.GREATER | sense.EQUAL]],
  ];
}

function fileEntries({ epoch }: About, entries: readonly Item[]): Entry[] {
  const directories = [
    ...new Set(entries.map(({ path }) => `/${path.slice(0, path.lastIndexOf("/") + 1)}`)),
  ];
  const each = <T>(value: (item: Item, index: number) => T): T[] => entries.map(value);
  const isDirectory = ({ mode }: Item) => (mode & 0o040000) !== 0;
  return [
    [tag.SIZE, "int32", [entries.reduce((total, { data }) => total + data.length, 0)]],
    [tag.FILESIZES, "int32", each(({ data }) => data.length)],
    [tag.FILEMODES, "int16", each(({ mode }) => mode)],
    [tag.FILERDEVS, "int16", each(() => 0)],
    [tag.FILEMTIMES, "int32", each(() => epoch)],
    [
      tag.FILEDIGESTS,
      "strings",
      each((item) => (isDirectory(item) ? "" : hash("sha256", item.data))),
    ],
    [tag.FILELINKTOS, "strings", each(() => "")],
    // --excludedocs leaves documentation out.
    [
      tag.FILEFLAGS,
      "int32",
      each(({ path }) => (/^usr\/share\/(doc|man)\//.test(path) ? RPMFILE_DOC : 0)),
    ],
    [tag.FILEUSERNAME, "strings", each(() => "root")],
    [tag.FILEGROUPNAME, "strings", each(() => "root")],
    [tag.FILEVERIFYFLAGS, "int32", each(() => -1)],
    [tag.FILEDEVICES, "int32", each(() => 1)],
    [tag.FILEINODES, "int32", each((_, index) => index + 1)],
    [tag.FILELANGS, "strings", each(() => "")],
    [
      tag.DIRINDEXES,
      "int32",
      each(({ path }) => directories.indexOf(`/${path.slice(0, path.lastIndexOf("/") + 1)}`)),
    ],
    [tag.BASENAMES, "strings", each(({ path }) => path.slice(path.lastIndexOf("/") + 1))],
    [tag.DIRNAMES, "strings", directories],
    [tag.FILEDIGESTALGO, "int32", [PGPHASHALGO_SHA256]],
  ];
}

const payloadEntries = (payload: Buffer): Entry[] => [
  [tag.PAYLOADFORMAT, "string", ["cpio"]],
  [tag.PAYLOADCOMPRESSOR, "string", ["gzip"]],
  [tag.PAYLOADFLAGS, "string", ["6"]],
  [tag.PAYLOADDIGEST, "strings", [hash("sha256", payload)]],
  [tag.PAYLOADDIGESTALGO, "int32", [PGPHASHALGO_SHA256]],
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
  for (const [number, type, value] of entries) {
    add(Buffer.alloc(-length & (width[type] - 1)));
    index.push([number, types[type], length, value.length]);
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
