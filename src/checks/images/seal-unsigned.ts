import { mustBeSigned } from "../../criu/index.ts";
import { MANIFEST } from "../../image/index.ts";
import type { Check, Context } from "../finding.ts";

export const sealUnsigned: Check = {
  title: "A signature is required, and the checkpoint has none",
  reads:
    "recriu.manifest and recriu.manifest.minisig; --verify-key, --require-signature, recriu.conf",
  why:
    "With --verify-key, or require-signature in recriu.conf, only a checkpoint is restored whose seal is signed by a key that is named there: " +
    "`recriu seal --sign=KEYFILE`, or minisign -Sm recriu.manifest. Of one that is not signed nothing else is looked at. What comes through a " +
    "stream, or from a page server, is in no seal.",
  proof: "harm",
  run(context) {
    const { settings, request, checkpoint } = context;
    const why = mustBeSigned(settings) ? lack(context) : undefined;
    if (why === undefined) return [];
    return [
      {
        severity: "blocker",
        image: MANIFEST,
        subject: checkpoint.dir,
        message: `a signature is required: ${why}`,
        remedy: {
          kind: "human",
          text:
            settings.verifyKeys.length === 0
              ? "name the public key that checkpoints are signed by (--verify-key, or verify-key in recriu.conf)"
              : request.stream || request.lazyPages
                ? "restore from a directory of images that is sealed and signed"
                : "seal and sign it where it comes from: recriu seal --sign=KEYFILE",
        },
      },
    ];
  },
};

/** Why not all that will be restored is known to be signed. */
function lack({ settings, request, seal, exported, checkpoint }: Context): string | undefined {
  if (settings.verifyKeys.length === 0) return "no key is named that it could be by";
  if (request.stream) return "what comes through --stream is not sealed";
  if (request.lazyPages) return "the memory that comes by --lazy-pages is not sealed";
  if (seal === undefined) return `${exported?.file ?? checkpoint.dir} is not sealed`;
  if (!seal.ok) return seal.signature === "missing" ? seal.problem : undefined;
  return seal.signedBy === undefined ? "whether it is signed was not looked at" : undefined;
}
