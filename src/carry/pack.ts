/** A checkpoint with all that restores it, as one archive. */
import { closeSync, constants, fstatSync, openSync, readFileSync, readSync } from "node:fs";
import { basename, join } from "../sys/path.ts";
import { criuEnvironment } from "../criu/environment.ts";
import { imagesIn, MANIFEST, type Seal } from "../image/index.ts";
import { replaceFile } from "../sys/own-file.ts";
import { writeEnd, writeMember } from "./tar.ts";
import { sh } from "../sys/shell.ts";

interface Packing {
  /** The sealed directory of images. */
  dir: string;
  /** The archive; "-" is stdout. */
  out: string;
  /** The CRIU to take along; undefined: none. */
  criu: string | undefined;
  /** Options of every restore, as they are written in restore.sh. */
  options: readonly string[];
}

type Packed = { ok: true; members: number; bytes: number } | { ok: false; problem: string };

/** The top directory in the archive. */
const TOP = "checkpoint";
const EXECUTABLE = 0o755;
const PLAIN = 0o600;
const CHUNK = 4 << 20;

/** Write the archive. It holds memory of programs: only its owner may read it. */
export function pack(packing: Packing): Packed {
  const { out } = packing;
  let packed = { members: 0, bytes: 0 };
  const fill = (fd: number) => void (packed = writeArchive(fd, packing));
  try {
    if (out === "-") fill(1);
    else replaceFile(out, PLAIN, fill);
    return { ok: true, ...packed };
  } catch (error) {
    return { ok: false, problem: (error as Error).message };
  }
}

function writeArchive(fd: number, { dir, criu, options }: Packing) {
  let members = 0;
  let bytes = 0;
  const libraries = criu === undefined ? [] : librariesOf(criu);
  const note = (size: number) => {
    members += 1;
    bytes += size;
  };
  const text = (name: string, content: string) => {
    const body = Buffer.from(content);
    writeMember(fd, { name: `${TOP}/${name}`, mode: EXECUTABLE, size: body.length }, (write) =>
      write(body),
    );
    note(body.length);
  };
  const file = (name: string, path: string, mode: number) =>
    note(copyFile(fd, `${TOP}/${name}`, path, mode));
  text("restore.sh", restoreScript(options));
  file("recriu", "/proc/self/exe", EXECUTABLE);
  for (const name of [...imagesIn(dir), MANIFEST]) file(`images/${name}`, join(dir, name), PLAIN);
  if (criu !== undefined) {
    text("criu/criu", criuScript(basename(libraries[0]!)));
    file("criu/criu.bin", criu, EXECUTABLE);
    for (const library of libraries) file(`criu/lib/${basename(library)}`, library, EXECUTABLE);
  }
  writeEnd(fd);
  return { members, bytes };
}

/** A regular file's bytes, as many as it has now. */
function copyFile(out: number, name: string, path: string, mode: number): number {
  const fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY);
  try {
    const stat = fstatSync(fd);
    if (!stat.isFile()) throw new Error(`${path} is no regular file`);
    const chunk = Buffer.allocUnsafe(CHUNK);
    writeMember(out, { name, mode, size: stat.size }, (write) => {
      for (let read = readSync(fd, chunk); read > 0; read = readSync(fd, chunk))
        write(chunk.subarray(0, read));
    });
    return stat.size;
  } finally {
    closeSync(fd);
  }
}

/** What is wrong with a seal that is to be packed; undefined when nothing is. */
export function unfit(dir: string, seal: Seal | undefined): string | undefined {
  if (seal === undefined) return `${dir} is not sealed: ${sh`recriu seal ${dir}`}`;
  if (!seal.ok) return `${seal.file}: ${seal.problem}`;
  const [first] = seal.altered;
  return first && `${first.image}: ${first.problem}; seal it again if that was meant`;
}

const restoreScript = (options: readonly string[]): string => `#!/bin/sh
# Restores this checkpoint with the recriu, and the CRIU if there is one, that came with it: as root, with
# options of \`recriu restore\` to add. ./recriu preflight -D images only looks.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 2
[ ! -x "$here/criu/criu" ] || export RECRIU_CRIU="$here/criu/criu"
${sh`exec "$here/recriu" restore -D "$here/images" ${options} "$@"`}
`;

const criuScript = (loader: string): string => `#!/bin/sh
# CRIU with the libraries of the machine that it comes from.
here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd) || exit 127
exec "$here/lib/${loader}" --library-path "$here/lib" "$here/criu.bin" "$@"
`;

/** The loader of a program, then the libraries that it loads. Throws where that cannot be found out. ld.so(8) */
function librariesOf(program: string): string[] {
  const loader = interpreterOf(program);
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

/** PT_INTERP of a 64-bit little-endian ELF. elf(5) */
function interpreterOf(program: string): string {
  const elf = readFileSync(program);
  if (elf.readUInt32BE(0) !== 0x7f454c46)
    throw new Error(`${program} is no ELF program; name the program itself by --criu`);
  const [start, size, count] = [
    Number(elf.readBigUInt64LE(32)),
    elf.readUInt16LE(54),
    elf.readUInt16LE(56),
  ];
  for (let i = 0; i < count; i++) {
    const at = start + i * size;
    if (elf.readUInt32LE(at) !== 3) continue;
    const offset = Number(elf.readBigUInt64LE(at + 8));
    const length = Number(elf.readBigUInt64LE(at + 32));
    return elf.toString("utf8", offset, offset + length - 1);
  }
  throw new Error(`${program} names no loader: it is static, copy it beside the archive`);
}
