/** The sum of an open file's bytes. */
import { readSync } from "node:fs";

const CHUNK = 1 << 20;

/** The sha256 of a file that had `size` bytes, in hexadecimal: of one that grows meanwhile another. Throws what cannot be read. */
export function sha256Of(fd: number, size: number): string {
  const hash = new Bun.CryptoHasher("sha256");
  const chunk = Buffer.allocUnsafe(CHUNK);
  for (let at = 0; at <= size;) {
    const read = readSync(fd, chunk, 0, CHUNK, at);
    if (read === 0) break;
    hash.update(chunk.subarray(0, read));
    at += read;
  }
  return hash.digest("hex");
}
