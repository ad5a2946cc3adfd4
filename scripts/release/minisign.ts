/** Signatures that minisign(1) verifies: ed25519 over the BLAKE2b-512 of the file, and over the trusted comment. */
import { createHash, createPrivateKey, type KeyObject, sign } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";

export interface SigningKey {
  /** Eight bytes that tell keys apart. */
  readonly id: Buffer;
  readonly key: KeyObject;
}

/** RFC 8410: what stands before the 32 bytes of a private key in PKCS #8. */
const pkcs8 = Buffer.from("302e020100300506032b657004220420", "hex");

/**
 * The key in a file, or in the text itself: a secret key of minisign without a password (`minisign -G -W`).
 * Throws for anything else.
 */
export function signingKey(given: string): SigningKey {
  const text = existsSync(given) ? readFileSync(given, "utf8") : given;
  const base64 = text.trim().split("\n").at(-1)!;
  // Ed, kdf, checksum's algorithm, salt 32, two limits of 8; then what a password would encrypt.
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length !== 158 || bytes.toString("latin1", 0, 2) !== "Ed")
    throw new Error("the signing key is no secret key of minisign");
  if (bytes.readUInt16LE(2) !== 0)
    throw new Error("the signing key has a password: sign with minisign -Sm SHA256SUMS itself");
  const key = createPrivateKey({
    key: Buffer.concat([pkcs8, bytes.subarray(62, 94)]),
    format: "der",
    type: "pkcs8",
  });
  return { id: bytes.subarray(54, 62), key };
}

/** The text of FILE.minisig. `epoch` instead of the clock: the same file gives the same signature. */
export function minisignature(
  { id, key }: SigningKey,
  name: string,
  data: Uint8Array,
  epoch: number,
): string {
  const signature = sign(null, createHash("blake2b512").update(data).digest(), key);
  const comment = `timestamp:${epoch}\tfile:${name}\thashed`;
  const second = sign(null, Buffer.concat([signature, Buffer.from(comment)]), key);
  return [
    "untrusted comment: signature of a recriu release",
    Buffer.concat([Buffer.from("ED"), id, signature]).toString("base64"),
    `trusted comment: ${comment}`,
    second.toString("base64"),
    "",
  ].join("\n");
}
