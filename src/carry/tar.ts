/** A tar(5) that is written as it is made: old GNU headers, so that images larger than 8 GiB have a size. */
import { writeAll } from "../sys/own-file.ts";

const BLOCK = 512;

interface Member {
  /** Relative, at most 100 bytes. */
  name: string;
  mode: number;
  size: number;
}

const octal = (value: number, length: number): string =>
  `${value.toString(8).padStart(length - 1, "0")}\0`;

/** The block before a file's bytes. Owner 0:0, time 0: the same images make the same archive. */
function header({ name, mode, size }: Member): Buffer {
  const block = Buffer.alloc(BLOCK);
  if (block.write(name, 0, 100) < Buffer.byteLength(name)) throw new Error(`${name} is too long`);
  block.write(octal(mode & 0o7777, 8), 100);
  block.write(octal(0, 8), 108);
  block.write(octal(0, 8), 116);
  if (size < 8 ** 11) block.write(octal(size, 12), 124);
  else {
    block.writeUInt8(0x80, 124);
    block.writeBigUInt64BE(BigInt(size), 128);
  }
  block.write(octal(0, 12), 136);
  block.write(" ".repeat(8), 148);
  block.write("0", 156);
  block.write("ustar  \0", 257);
  block.write(
    `${octal(
      block.reduce((sum, byte) => sum + byte, 0),
      7,
    )} `,
    148,
  );
  return block;
}

/** Write a member: `copy` hands its bytes over, exactly `size` of them. */
export function writeMember(
  out: number,
  member: Member,
  copy: (write: (bytes: Uint8Array) => void) => void,
): void {
  let left = member.size;
  writeAll(out, header(member));
  copy((bytes) => {
    left -= bytes.length;
    if (left < 0) throw new Error(`${member.name} grew while it was packed`);
    writeAll(out, bytes);
  });
  if (left > 0) throw new Error(`${member.name} shrank while it was packed`);
  writeAll(out, Buffer.alloc(-member.size & (BLOCK - 1)));
}

export const writeEnd = (out: number): void => writeAll(out, Buffer.alloc(2 * BLOCK));
