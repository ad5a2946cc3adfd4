/**
 * `bun scripts/needs-proc.ts BINARY`: makes a built recriu start where Bun would not.
 *
 * Bun aborts with a crash report of its own where /proc is not mounted, and refuses to start where the working directory
 * has no name that getcwd(2) could give (deleted, out of reach, longer than PATH_MAX), before any code of recriu's runs.
 * So the ELF gets another entry point, a few instructions. They look for /proc/self/maps, and without it write a line and
 * exit with recriu's code for what is blocked and untouched, 3. From a directory without a name they step aside: it is
 * opened (O_PATH, close-on-exec, which no descriptor is that somebody handed over) and left for /; recriu goes back
 * there (src/sys/working-directory.ts). Then they go on to Bun's entry point. They stand at the end of the file, in a
 * segment of their own, whose program header takes the place of PT_NOTE (elf(5)); nothing else in the file is changed.
 */
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";

const ET_EXEC = 2;
const PT_LOAD = 1;
const PT_NOTE = 4;
const READ_EXECUTE = 5;
/** The largest page of any machine that is built for. */
const PAGE = 0x10000;

/** What it says and looks at; it stands behind the code, and the listings are assembled with it there. */
const TEXT =
  "/proc/self/maps\0/proc/self/cwd\0/\0" +
  "recriu: /proc is not mounted here, and nothing can be restored without it\n";

/** x86-64: rdx holds what the dynamic loader hands on. */
const x64 = `
  52                                 push rdx
  48 8d 3d 8c 00 00 00               lea rdi, path[rip]
  31 f6                              xor esi, esi
  b8 15 00 00 00                     mov eax, 21
  0f 05                              syscall
  85 c0                              test eax, eax
  75 53                              jnz missing
  48 81 ec 00 10 00 00               sub rsp, 4096
  48 89 e7                           mov rdi, rsp
  be 00 10 00 00                     mov esi, 4096
  b8 4f 00 00 00                     mov eax, 79
  0f 05                              syscall
  85 c0                              test eax, eax
  78 06                              js aside
  80 3c 24 2f                        cmp byte ptr [rsp], 0x2f
  74 25                              je go
  48 8d 3d 68 00 00 00      aside:   lea rdi, cwd[rip]
  be 00 00 29 00                     mov esi, 0x290000
  b8 02 00 00 00                     mov eax, 2
  0f 05                              syscall
  85 c0                              test eax, eax
  78 0e                              js go
  48 8d 3d 60 00 00 00               lea rdi, root[rip]
  b8 50 00 00 00                     mov eax, 80
  0f 05                              syscall
  48 81 c4 00 10 00 00      go:      add rsp, 4096
  5a                                 pop rdx
  ff 25 24 00 00 00                  jmp qword ptr entry[rip]
  bf 02 00 00 00            missing: mov edi, 2
  48 8d 35 41 00 00 00               lea rsi, message[rip]
  ba 4a 00 00 00                     mov edx, offset end-message
  b8 01 00 00 00                     mov eax, 1
  0f 05                              syscall
  bf 03 00 00 00                     mov edi, 3
  b8 e7 00 00 00                     mov eax, 231
  0f 05                              syscall
  00 00 00 00 00 00 00 00   entry:   .quad 0
`;

/** AArch64: x0 holds what the dynamic loader hands on. */
const arm64 = `
  e9 03 00 aa                        mov x9, x0
  60 0c 80 92                        mov x0, #-100
  e1 04 00 10                        adr x1, path
  02 00 80 d2                        mov x2, #0
  08 06 80 d2                        mov x8, #48
  01 00 00 d4                        svc #0
  20 03 00 b5                        cbnz x0, missing
  ff 07 40 d1                        sub sp, sp, #4096
  e0 03 00 91                        mov x0, sp
  01 00 82 d2                        mov x1, #4096
  28 02 80 d2                        mov x8, #17
  01 00 00 d4                        svc #0
  80 00 f8 b7                        tbnz x0, #63, aside
  e0 03 40 39                        ldrb w0, [sp]
  1f bc 00 71                        cmp w0, #0x2f
  80 01 00 54                        b.eq go
  60 0c 80 92               aside:   mov x0, #-100
  81 03 00 10                        adr x1, cwd
  02 00 88 d2                        mov x2, #0x4000
  02 05 a0 f2                        movk x2, #0x28, lsl #16
  03 00 80 d2                        mov x3, #0
  08 07 80 d2                        mov x8, #56
  01 00 00 d4                        svc #0
  80 00 f8 b7                        tbnz x0, #63, go
  00 03 00 70                        adr x0, root
  28 06 80 d2                        mov x8, #49
  01 00 00 d4                        svc #0
  ff 07 40 91               go:      add sp, sp, #4096
  e0 03 09 aa                        mov x0, x9
  50 01 00 58                        ldr x16, entry
  00 02 1f d6                        br x16
  40 00 80 d2               missing: mov x0, #2
  21 02 00 30                        adr x1, message
  42 09 80 d2                        mov x2, end-message
  08 08 80 d2                        mov x8, #64
  01 00 00 d4                        svc #0
  60 00 80 d2                        mov x0, #3
  c8 0b 80 d2                        mov x8, #94
  01 00 00 d4                        svc #0
  00 00 00 00 00 00 00 00   entry:   .quad 0
`;

/** Machine numbers of elf(5). */
const listings: Record<number, string> = { 62: x64, 183: arm64 };

/** The code for a machine, which goes on at `entry`; undefined: there is none for it. */
function stubFor(machine: number, entry: bigint): Buffer | undefined {
  const listing = listings[machine];
  if (listing === undefined) return undefined;
  const hex = [...listing.matchAll(/^ {2}((?:[0-9a-f]{2} )+)/gm)].map(([, bytes]) => bytes);
  const code = Buffer.from(hex.join("").replaceAll(" ", ""), "hex");
  code.writeBigUInt64LE(entry, code.length - 8);
  return Buffer.concat([code, Buffer.from(TEXT)]);
}

function patch(binary: string): void {
  const fd = openSync(binary, "r+");
  const read = (offset: number, length: number): Buffer => {
    const data = Buffer.alloc(length);
    readSync(fd, data, 0, length, offset);
    return data;
  };
  const elf = read(0, 64);
  const headersAt = Number(elf.readBigUInt64LE(32));
  const count = elf.readUInt16LE(56);
  const headers = Array.from({ length: count }, (_, index) => read(headersAt + 56 * index, 56));
  const note = headers.findIndex((header) => header.readUInt32LE(0) === PT_NOTE);
  const stub = stubFor(elf.readUInt16LE(18), elf.readBigUInt64LE(24));
  // Segments have to stand in the order of their addresses: the note's header has to be behind every PT_LOAD's.
  const loads = headers.filter((header) => header.readUInt32LE(0) === PT_LOAD);
  const fixed = elf.readUInt16LE(16) === ET_EXEC;
  if (stub === undefined || !fixed || note < headers.lastIndexOf(loads.at(-1)!))
    throw new Error(`${binary} is not the ELF that this knows how to change`);

  const end = Math.max(
    ...loads.map((load) => Number(load.readBigUInt64LE(16) + load.readBigUInt64LE(40))),
  );
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
  writeSync(fd, header, 0, header.length, headersAt + 56 * note);
  writeSync(fd, elf, 0, elf.length, 0);
  closeSync(fd);
}

const align = (value: number, to: number): number => Math.ceil(value / to) * to;

patch(process.argv[2]!);
