import type { Check, Problem } from "../finding.ts";

export const imageAltered: Check = {
  title: "An image is not the one that was sealed",
  reads: "recriu.manifest, and every byte of the images that it names: only where there is one",
  why:
    "`recriu seal` wrote down the size and the sha256 of every image. CRIU does not know: it restores other memory than was saved, and the programs " +
    "find out. The manifest tells damage and mix-ups, not forgery: a person who can change an image can change the manifest, too; unless it is signed, and --verify-key asks for that.",
  proof: "harm",
  run({ seal }) {
    if (seal === undefined || (!seal.ok && seal.signature !== undefined)) return [];
    const altered = seal.ok ? seal.altered : [{ image: seal.file, problem: seal.problem }];
    return altered.map(({ image, problem }): Problem => ({
      severity: "blocker",
      image,
      subject: image,
      message: `${image}: ${problem}`,
      remedy: {
        kind: "human",
        text: "copy the checkpoint again from where it was sealed; seal it again if the change was meant",
      },
    }));
  },
};
