import type { Check } from "../finding.ts";

export const sealSignatureWrong: Check = {
  title: "The signature of the seal is another's, or of something else",
  reads: "recriu.manifest and recriu.manifest.minisig; --verify-key",
  why:
    "The manifest was changed after it was signed, or is signed by a key that --verify-key does not name. Of such a checkpoint nothing " +
    "else is believed, and nothing else is looked at.",
  proof: "harm",
  run({ seal, settings }) {
    if (seal?.ok !== false || seal.signature !== "wrong") return [];
    // Without a key to compare it with, seal-unsigned says so.
    if (settings.verifyKeys.length === 0) return [];
    return [
      {
        severity: "blocker",
        image: seal.file,
        subject: seal.file,
        message: seal.problem,
        remedy: {
          kind: "human",
          text: "copy the checkpoint, its seal and the signature again from where it was signed; or name the public key that it is by, if that is to be trusted",
        },
      },
    ];
  },
};
