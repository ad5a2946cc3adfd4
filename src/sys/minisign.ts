/**
 * Signatures as minisign(1) makes and verifies them: ed25519 over the BLAKE2b-512 of the file, and over that signature with
 * the trusted comment. Loaded where one is made or asked for.
 */
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  type KeyObject,
  sign,
  verify,
} from "node:crypto";

/** `id`: eight bytes that tell keys apart. */
interface Key {
  readonly id: Buffer;
  readonly key: KeyObject;
}
type SigningKey = Key & { readonly secret: true };
export type VerifyingKey = Key & { readonly secret: false };

/** RFC 8410: what stands before the 32 bytes of a private key in PKCS #8, and of a public one in SubjectPublicKeyInfo. */
const pkcs8 = Buffer.from("302e020100300506032b657004220420", "hex");
const spki = Buffer.from("302a300506032b6570032100", "hex");

const UNTRUSTED = "untrusted comment: ";
const TRUSTED = "trusted comment: ";

/**
 * The secret key in the text of its file, one without a password (`minisign -G -W`). Throws for anything else; `file` is what
 * it was to sign.
 */
export function signingKey(text: string, file: string): SigningKey {
  const base64 = text.trim().split("\n").at(-1)!;
  // Ed, kdf, checksum's algorithm, salt 32, two limits of 8; then what a password would encrypt.
  const bytes = Buffer.from(base64, "base64");
  if (bytes.length !== 158 || bytes.toString("latin1", 0, 2) !== "Ed")
    throw new Error("the signing key is no secret key of minisign");
  if (bytes.readUInt16LE(2) !== 0)
    throw new Error(`the signing key has a password: sign with minisign -Sm ${file} itself`);
  const der = Buffer.concat([pkcs8, bytes.subarray(62, 94)]);
  const key = createPrivateKey({ key: der, format: "der", type: "pkcs8" });
  return { id: bytes.subarray(54, 62), key, secret: true };
}

/** The public key in the text of its file, or in what minisign takes by -P; undefined: it is none. */
export function verifyingKey(text: string): VerifyingKey | undefined {
  const bytes = decoded(text.trim().split("\n").at(-1)!, 42);
  if (bytes?.toString("latin1", 0, 2) !== "Ed") return undefined;
  const der = Buffer.concat([spki, bytes.subarray(10)]);
  const key = createPublicKey({ key: der, format: "der", type: "spki" });
  return { id: bytes.subarray(2, 10), key, secret: false };
}

/** A key's number as minisign shows it. */
export const keyName = ({ id }: Pick<Key, "id">): string =>
  id.readBigUInt64LE().toString(16).toUpperCase();

interface Signing {
  /** The file's name, for the trusted comment. */
  readonly name: string;
  readonly data: Uint8Array;
  /** Seconds since 1970: the same file and the same moment give the same signature. */
  readonly epoch: number;
  /** What it is a signature of. */
  readonly of: string;
}

/** The text of FILE.minisig. */
export function minisignature({ id, key }: SigningKey, { name, data, epoch, of }: Signing): string {
  const signature = sign(null, hashed(data), key);
  const comment = `timestamp:${epoch}\tfile:${name}\thashed`;
  const second = sign(null, Buffer.concat([signature, Buffer.from(comment)]), key);
  return [
    `${UNTRUSTED}signature of ${of}`,
    Buffer.concat([Buffer.from("ED"), id, signature]).toString("base64"),
    `${TRUSTED}${comment}`,
    second.toString("base64"),
    "",
  ].join("\n");
}

/** Which of `keys` has signed `data`, by the text of FILE.minisig; or why none has. */
export function signerOf(
  data: Uint8Array,
  text: string,
  keys: readonly VerifyingKey[],
): VerifyingKey | { problem: string } {
  const [untrusted = "", first = "", trusted = "", second = "", ...more] = text.split("\n");
  const signed = decoded(first, 74);
  const global = decoded(second, 64);
  if (
    signed === undefined ||
    global === undefined ||
    !untrusted.startsWith(UNTRUSTED) ||
    !trusted.startsWith(TRUSTED) ||
    more.join("") !== ""
  )
    return { problem: "it is no signature of minisign" };
  const algorithm = signed.toString("latin1", 0, 2);
  if (algorithm === "Ed")
    return { problem: "it signs the file and not its hash, as old minisigns do: minisign -SH" };
  if (algorithm !== "ED") return { problem: "it is no signature of minisign" };
  const id = signed.subarray(2, 10);
  const named = keys.filter((key) => key.id.equals(id));
  if (named.length === 0)
    return { problem: `it is by the key ${keyName({ id })}, which is none that is trusted here` };
  const signature = signed.subarray(10);
  const comment = Buffer.concat([signature, Buffer.from(trusted.slice(TRUSTED.length))]);
  const signer = named.find(
    ({ key }) => verify(null, hashed(data), key, signature) && verify(null, comment, key, global),
  );
  return signer ?? { problem: "what was signed was something else" };
}

const hashed = (data: Uint8Array): Buffer => createHash("blake2b512").update(data).digest();

/** Bytes in base64, exactly so many, and written in the one way there is. */
function decoded(base64: string, length: number): Buffer | undefined {
  const bytes = Buffer.from(base64, "base64");
  return bytes.length === length && bytes.toString("base64") === base64 ? bytes : undefined;
}
