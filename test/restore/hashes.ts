/** Sums of files, as a manifest has them. */
import { readFileSync } from "node:fs";

export const sha256 = (file: string): string =>
  new Bun.CryptoHasher("sha256").update(readFileSync(file)).digest("hex");
