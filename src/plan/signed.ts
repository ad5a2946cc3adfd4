/** The signature of a checkpoint's seal, and the keys that it may be by: loaded only where one is demanded. */
import { isKey, type Settings } from "../criu/index.ts";
import { type Signed, signatureOf, smallFile } from "../image/index.ts";
import { ENOENT } from "../sys/errno.ts";
import { keyName, signerOf, type VerifyingKey, verifyingKey } from "../sys/minisign.ts";
import { changeable } from "../sys/trust.ts";

/** How a signature is looked at, by the keys of the settings; or why one of these cannot be used. */
export function signedBy({
  verifyKeys,
}: Pick<Settings, "verifyKeys">): { ok: true; signed: Signed } | { ok: false; problem: string } {
  const keys: VerifyingKey[] = [];
  for (const word of verifyKeys) {
    const key = keyOf(word);
    if (typeof key === "string") return { ok: false, problem: `--verify-key: ${key}` };
    keys.push(key);
  }
  return { ok: true, signed: (manifest, file) => look(manifest, signatureOf(file), keys) };
}

function keyOf(word: string): VerifyingKey | string {
  // Whoever can change the file chooses who is believed.
  const how = isKey(word) ? undefined : changeable(word);
  if (how !== undefined) return `${word} is not used: ${how}`;
  const read = isKey(word) ? { bytes: Buffer.from(word) } : smallFile(word);
  if (!("bytes" in read)) return `${word}: ${read.problem}`;
  return verifyingKey(read.bytes.toString()) ?? `${word} is no public key of minisign`;
}

function look(
  manifest: Uint8Array,
  file: string,
  keys: readonly VerifyingKey[],
): ReturnType<Signed> {
  const read = smallFile(file);
  if (!("bytes" in read)) {
    const signature = read.errno === -ENOENT ? "missing" : "wrong";
    return { signature, problem: `${file}: ${read.problem}` };
  }
  const signer = signerOf(manifest, read.bytes.toString(), keys);
  return "problem" in signer
    ? { signature: "wrong", problem: `${file}: ${signer.problem}` }
    : { by: keyName(signer) };
}
