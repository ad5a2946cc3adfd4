/**
 * `bun scripts/needs-proc.ts BINARY`: makes a built recriu say that /proc is missing.
 *
 * Bun aborts with a crash report of its own where /proc is not mounted, before any code of recriu's runs. So the
 * ELF gets another entry point: a few instructions that look for /proc/self/maps, and either go on to Bun's entry
 * point or write a line and exit. They stand at the end of the file, in a segment of their own, whose program header
 * takes the place of PT_NOTE (elf(5)); nothing else in the file is changed.
 */
import { closeSync, fstatSync, openSync, readSync, writeSync } from "node:fs";

const PATH = "/proc/self/maps";
const MESSAGE = "recriu: /proc is not mounted here, and nothing can be restored without it\n";
/** recriu's exit code for what is blocked and untouched. */
const EXIT = 3;

const PT_LOAD = 1;
const PT_NOTE = 4;
const READ_EXECUTE = 5;
/** The largest page of any machine that is built for. */
const PAGE = 0x10000;

const words = (...values: number[]): Buffer => {
  const data = Buffer.alloc(4 * values.length);
  values.forEach((value, at) => data.writeUInt32LE(value >>> 0, 4 * at));
  return data;
};
const text = Buffer.from(`${PATH}\0${MESSAGE}`);
const messageAt = PATH.length + 1;

/** x86-64: rdx holds what the dynamic loader hands on. */
function x64(entry: number): Buffer {
  const code = [0x52]; //                                  push rdx
  code.push(0xb8, ...words(21)); //                        mov eax, access
  code.push(0x48, 0x8d, 0x3d, ...words(0)); //             lea rdi, [path]
  code.push(0x31, 0xf6, 0x0f, 0x05, 0x5a); //              xor esi, esi; syscall; pop rdx
  code.push(0x85, 0xc0, 0x75, 0x07); //                    test eax, eax; jnz missing
  code.push(0xb8, ...words(entry), 0xff, 0xe0); //         mov eax, entry; jmp rax
  // missing:
  code.push(0x6a, 0x01, 0x58, 0x6a, 0x02, 0x5f); //        push write; pop rax; push 2; pop rdi
  code.push(0xba, ...words(MESSAGE.length)); //            mov edx, length
  code.push(0x48, 0x8d, 0x35, ...words(0)); //             lea rsi, [message]
  const lea = code.length;
  code.push(0x0f, 0x05, 0xb8, ...words(231)); //           syscall; mov eax, exit_group
  code.push(0x6a, EXIT, 0x5f, 0x0f, 0x05); //              push EXIT; pop rdi; syscall
  const bytes = Buffer.from(code);
  bytes.writeInt32LE(bytes.length - 13, 9);
  bytes.writeInt32LE(bytes.length + messageAt - lea, lea - 4);
  return Buffer.concat([bytes, text]);
}

/** AArch64: x0 holds what the dynamic loader hands on. */
function arm64(entry: number): Buffer {
  const length = 22 * 4;
  const adr = (register: number, at: number, target: number): number => {
    const distance = target - at;
    return 0x10000000 | ((distance & 3) << 29) | ((distance >> 2) << 5) | register;
  };
  const code = words(
    0xaa0003e9, //                                mov x9, x0
    0xd2800608, //                                mov x8, faccessat
    0x92800c60, //                                mov x0, AT_FDCWD
    adr(1, 12, length), //                        adr x1, path
    0xd2800002, //                                mov x2, F_OK
    0xd4000001, //                                svc
    0xaa0003ea, //                                mov x10, x0
    0xaa0903e0, //                                mov x0, x9
    0xb5000000 | (3 << 5) | 10, //                cbnz x10, missing
    0x58000000 | (10 << 5) | 16, //               ldr x16, entry
    0xd61f0200, //                                br x16
    0xd2800808, //                       missing: mov x8, write
    0xd2800040, //                                mov x0, 2
    adr(1, 52, length + messageAt), //            adr x1, message
    0xd2800002 | (MESSAGE.length << 5), //        mov x2, length
    0xd4000001, //                                svc
    0xd2800bc8, //                                mov x8, exit_group
    0xd2800000 | (EXIT << 5), //                  mov x0, EXIT
    0xd4000001, //                                svc
    entry, //                              entry: .quad
    0,
    0xd503201f, //                                nop
  );
  return Buffer.concat([code, text]);
}

/** Machine numbers of elf(5). */
const stubs: Record<number, (entry: number) => Buffer> = { 62: x64, 183: arm64 };

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
  const entry = Number(elf.readBigUInt64LE(24));
  const stub = stubs[elf.readUInt16LE(18)]?.(entry);
  // Segments have to stand in the order of their addresses: the note's header has to be behind every PT_LOAD's.
  const loads = headers.filter((header) => header.readUInt32LE(0) === PT_LOAD);
  if (stub === undefined || note < headers.lastIndexOf(loads.at(-1)!) || entry >= 2 ** 32)
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
