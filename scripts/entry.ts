/**
 * `bun scripts/entry.ts BINARY`: makes a built recriu start where Bun would not, and with what it needs of Bun.
 *
 * Bun aborts with a crash report of its own where /proc is not mounted, and refuses to start where the working directory
 * has no name that getcwd(2) could give (deleted, out of reach, longer than PATH_MAX), before any code of recriu's runs.
 * So the ELF gets another entry point, a few instructions (entry/*.S). They look for /proc/self/maps, and without it write a line and
 * exit with recriu's code for what is blocked and untouched, 3. From a directory without a name they step aside: it is
 * opened (O_PATH, close-on-exec, which no descriptor is that somebody handed over) and left for /; recriu goes back
 * there (src/sys/working-directory.ts). Called as criu or as a runtime's wrapper, with "restore" or "swrk" among the words, the
 * process waits in them, and a fork of it goes on: that is recriu (src/sys/front.ts). Then options of the JavaScript engine, which
 * it reads from its environment only, are put in front of that, and the front's numbers behind it, in a copy of all that the
 * kernel has put on the stack (and `environ`, which glibc has filled by then), and they go on to Bun's entry point. They stand at
 * the end of the file, in a segment of their own, whose program header takes the place of PT_NOTE (elf(5)); nothing else in the
 * file is changed.
 */
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { PT_LOAD, PT_NOTE, segmentsOf } from "../src/host/elf.ts";

const ET_EXEC = 2;
const READ_EXECUTE = 5;
/** The largest page of any machine that is built for. */
const PAGE = 0x10000;

/** The names of the sources in entry/ by the machine numbers of elf(5). */
const sources: Record<number, string> = { 62: "x64.S", 183: "arm64.S" };

/** Where the C library's `environ` is, once the dynamic loader has copied it into the program (R_*_COPY). */
function environIn(binary: string): string {
  const symbols = Bun.spawnSync(["readelf", "--wide", "--dyn-syms", binary]).stdout.toString();
  const found = /: (\w+) +8 OBJECT +GLOBAL +DEFAULT +\d+ environ\b/.exec(symbols)?.[1];
  if (found === undefined) throw new Error(`${binary} has no environ of its own`);
  return found;
}

/** The code for a machine, which goes on at `entry`; undefined: there is none for it. */
function stubFor(machine: number, entry: bigint, environ: string): Buffer | undefined {
  const source = sources[machine];
  if (source === undefined) return undefined;
  const made = Bun.spawnSync([
    join(import.meta.dir, "assemble"),
    join(import.meta.dir, "entry", source),
    "--defsym",
    `bun=${entry}`,
    "--defsym",
    `environ=0x${environ}`,
  ]);
  if (!made.success) throw new Error(made.stderr.toString());
  return made.stdout;
}

function patch(binary: string): void {
  const fd = openSync(binary, "r+");
  const elf = Buffer.alloc(64);
  readSync(fd, elf, 0, elf.length, 0);
  const segments = segmentsOf(fd) ?? [];
  const loads = segments.filter(({ type }) => type === PT_LOAD);
  const note = segments.findIndex(({ type }) => type === PT_NOTE);
  const stub = stubFor(elf.readUInt16LE(18), elf.readBigUInt64LE(24), environIn(binary));
  // Segments have to stand in the order of their addresses: the note's header has to be behind every PT_LOAD's.
  const fixed = elf.readUInt16LE(16) === ET_EXEC;
  if (stub === undefined || !fixed || note < segments.lastIndexOf(loads.at(-1)!))
    throw new Error(`${binary} is not the ELF that this knows how to change`);

  const end = Math.max(...loads.map(({ address, memorySize }) => address + memorySize));
  const offset = align(fstatSync(fd).size, 16);
  const address = align(end, PAGE) + (offset % PAGE);
  const header = Buffer.alloc(56);
  header.writeUInt32LE(PT_LOAD, 0);
  header.writeUInt32LE(READ_EXECUTE, 4);
  for (const [value, at] of [
    [offset, 8],
    [address, 16],
    [address, 24],
    [stub.length, 32],
    [stub.length, 40],
    [PAGE, 48],
  ] as const)
    header.writeBigUInt64LE(BigInt(value), at);
  elf.writeBigUInt64LE(BigInt(address), 24);
  writeSync(fd, stub, 0, stub.length, offset);
  writeSync(fd, header, 0, header.length, segments[note]!.at);
  writeSync(fd, elf, 0, elf.length, 0);
  closeSync(fd);
}

const align = (value: number, to: number): number => Math.ceil(value / to) * to;

patch(process.argv[2]!);
