/** A checkpoint with all that restores it, as one archive. */
import { closeSync, readSync } from "node:fs";
import { basename, join } from "../sys/path.ts";
import { criuEnvironment } from "../criu/environment.ts";
import { interpreterOf } from "../host/elf.ts";
import {
  besideOf,
  imagesIn,
  isPages,
  LEFT_OUT,
  MANIFEST,
  type NeededFile,
  type Seal,
  signatureOf,
  sumOf,
} from "../image/index.ts";
import { statAt } from "../sys/look.ts";
import { tidying } from "../sys/garbage.ts";
import { replacing } from "../sys/own-file.ts";
import { openRegular } from "../sys/regular.ts";
import { CONTENTS, type PackContents, SCRIPT, TOP } from "./layout.ts";
import { licenceOf } from "./licence.ts";
import { type Member, writeTar } from "./tar.ts";
import { sh } from "../sys/shell.ts";

interface Packing {
  /** The sealed directory of images. */
  dir: string;
  /** Of its manifest. */
  files: readonly NeededFile[];
  /** The archive; "-" is stdout. */
  out: string;
  /** The CRIU to take along; undefined: none. */
  criu: { path: string; version: string | undefined } | undefined;
  /** Without memory, files, recriu and CRIU: only to look whether a machine can take the checkpoint. */
  withoutPages: boolean;
  /** Options of every restore, as they are written in restore.sh. */
  options: readonly string[];
}

type Packed = { ok: true; members: number; bytes: number } | { ok: false; problem: string };

const EXECUTABLE = 0o755;
const PLAIN = 0o600;
const PIECE = 1 << 16;
/** Bytes that may be held of what went through. */
const GARBAGE = 8 << 20;

/** Write the archive. It holds memory of programs: only its owner may read it. */
export async function pack(packing: Packing): Promise<Packed> {
  const { out } = packing;
  let members = 0;
  let bytes = 0;
  const counted = function* () {
    for (const member of membersOf(packing)) {
      members += 1;
      bytes += member.size;
      yield { ...member, name: `${TOP}/${member.name}` };
    }
  };
  try {
    if (out === "-") await writeTar(1, counted());
    else {
      using file = replacing(out, PLAIN);
      await writeTar(file.fd, counted());
      file.done();
    }
    return { ok: true, members, bytes };
  } catch (error) {
    return { ok: false, problem: (error as Error).message };
  }
}

/** The signature comes before the manifest, and that before what it has sums of: each is looked at before what follows is believed. */
function* membersOf(packing: Packing): Iterable<Member> {
  const { dir, files, criu, options, withoutPages } = packing;
  const programs = criu === undefined ? {} : programsOf(criu);
  yield textMember(SCRIPT, withoutPages ? NO_RESTORE : restoreScript(options));
  if (withoutPages) yield textMember(`images/${LEFT_OUT}`, LEFT_OUT_WORDS, PLAIN);
  yield textMember(CONTENTS, contentsOf(options, programs), PLAIN);
  if (!withoutPages) yield fileMember("recriu", "/proc/self/exe", EXECUTABLE);
  const signature = signatureOf(MANIFEST);
  const isSigned = typeof statAt(join(dir, signature), false) !== "number";
  const images = imagesIn(dir).filter((name) => !withoutPages || !isPages(name));
  const beside = withoutPages ? [] : besides(files);
  for (const name of [...(isSigned ? [signature] : []), MANIFEST, ...images, ...beside])
    yield fileMember(`images/${name}`, join(dir, name), PLAIN, false);
  for (const [name, from] of Object.entries(programs))
    yield "text" in from
      ? textMember(`criu/${name}`, from.text)
      : fileMember(`criu/${name}`, from.path, EXECUTABLE);
}

/** What stands below `criu/`: a text, or a copy of a file. */
type Programs = Readonly<Record<string, { readonly text: string } | { readonly path: string }>>;

function programsOf(criu: NonNullable<Packing["criu"]>): Programs {
  const libraries = librariesOf(criu.path);
  return {
    criu: { text: criuScript(basename(libraries[0]!)) },
    "LICENSE-AND-SOURCE": { text: licenceOf(criu, libraries) },
    "criu.bin": { path: criu.path },
    ...Object.fromEntries(libraries.map((path) => [`lib/${basename(path)}`, { path }])),
  };
}

function contentsOf(options: readonly string[], programs: Programs): string {
  const sums = Object.entries(programs).map(([name, from]) => [
    name,
    "text" in from
      ? { size: Buffer.byteLength(from.text), sha256: Bun.SHA256.hash(from.text, "hex") }
      : sumOf(from.path, undefined, undefined, true),
  ]);
  const contents: PackContents = { schema: 1, options, criu: Object.fromEntries(sums) };
  return `${JSON.stringify(contents, null, 2)}\n`;
}

/** Of what was taken along, each once, from the images' directory. */
const besides = (files: readonly NeededFile[]): string[] => [
  ...new Set(files.flatMap(({ taken }) => (taken ? besideOf("", taken) : []))),
];

function textMember(name: string, text: string, mode = EXECUTABLE): Member {
  const bytes = Buffer.from(text);
  return { name, mode, size: bytes.length, pieces: [bytes] };
}

/** A regular file, as long as it is now. An image is one itself: a link to one would take along whatever it names. */
function fileMember(name: string, path: string, mode: number, follow = true): Member {
  const opened = openRegular(path, follow);
  if (!opened.ok) throw new Error(`${path}: ${opened.problem}`);
  const { fd, stat } = opened;
  return { name, mode, size: stat.size, pieces: piecesOf(fd, name, stat.size) };
}

/** The file's bytes; it is closed behind them. */
function* piecesOf(fd: number, name: string, size: number): Iterable<Uint8Array> {
  let left = size;
  const tidy = tidying(GARBAGE);
  try {
    for (;;) {
      tidy();
      const piece = Buffer.allocUnsafeSlow(PIECE);
      const read = readSync(fd, piece);
      left -= read;
      if (left < 0) throw new Error(`${name} grew while it was packed`);
      if (read === 0) break;
      yield piece.subarray(0, read);
    }
    if (left > 0) throw new Error(`${name} shrank while it was packed`);
  } finally {
    closeSync(fd);
  }
}

/** What is wrong with a seal that is to be packed; undefined when nothing is. */
export function unfit(dir: string, seal: Seal | undefined): string | undefined {
  if (seal === undefined) return `${dir} is not sealed: ${sh`recriu seal ${dir}`}`;
  if (!seal.ok) return `${seal.file}: ${seal.problem}`;
  if (seal.leftOut.size > 0)
    return `${dir} is of a pack without memory: pack the checkpoint itself`;
  const [first] = seal.altered;
  return first && `${first.image}: ${first.problem}; seal it again if that was meant`;
}

const restoreScript = (options: readonly string[]): string => `#!/bin/sh
# Restores this checkpoint with the recriu, and the CRIU if there is one, that came with it: as root, with
# options of \`recriu restore\` to add. ./recriu preflight -D images only looks.
here=$(CDPATH='' cd -- "\${0%"\${0##*/}"}." && pwd) || exit 2
[ ! -x "$here/criu/criu" ] || export RECRIU_CRIU="$here/criu/criu"
${sh`exec "$here/recriu" restore -D "$here/images" ${options} "$@"`}
`;

const NO_RESTORE = `#!/bin/sh
echo "$0: the memory was left out of this pack: \`recriu preflight\` looks at it, and nothing can be restored from it" >&2
exit 3
`;

const LEFT_OUT_WORDS = `The memory of the programs was left out of this pack, and the files that were taken along.
recriu preflight tells whether a machine could take the checkpoint, as if they were there.
`;

const criuScript = (loader: string): string => `#!/bin/sh
# CRIU with the libraries of the machine that it comes from.
here=$(CDPATH='' cd -- "\${0%"\${0##*/}"}." && pwd) || exit 127
exec "$here/lib/${loader}" --library-path "$here/lib" "$here/criu.bin" "$@"
`;

/** The loader of a program, then the libraries that it loads. Throws where that cannot be found out. ld.so(8) */
function librariesOf(program: string): string[] {
  const opened = openRegular(program);
  if (!opened.ok) throw new Error(`${program}: ${opened.problem}`);
  const loader = interpreterOf(opened.fd);
  closeSync(opened.fd);
  if (loader === undefined)
    throw new Error(
      `${program} is no ELF program that names a loader: name the program itself by --criu, or copy a static one beside the archive`,
    );
  const listed = Bun.spawnSync([loader, "--list", program], {
    env: criuEnvironment(process.env),
    stdin: "ignore",
  });
  if (listed.exitCode !== 0)
    throw new Error(`${loader} --list ${program}: ${listed.stderr.toString().trim()}`);
  const found = [...listed.stdout.toString().matchAll(/ => (\/\S+) \(0x/g)].map(
    ([, path]) => path!,
  );
  return [loader, ...found.filter((path) => basename(path) !== basename(loader))];
}
