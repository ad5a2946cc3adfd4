import { compareVersions } from "../../criu/index.ts";
import { MANIFEST } from "../../image/index.ts";
import type { Check } from "../finding.ts";

export const criuOlder: Check = {
  title: "This CRIU is older than the one where it was sealed",
  reads: "recriu.manifest; the version of CRIU",
  why:
    "If that one made the images, they may have fields that this one does not know: it passes over them without a word. What is known to be lost so, or to stop " +
    "an older one, other checks name.",
  proof: "images",
  blocks: false,
  run({ seal, criu }) {
    const was = seal?.ok ? seal.manifest.criu : null;
    const is = criu?.version;
    if (!was || is === undefined || !VERSION.test(was) || compareVersions(is, was) >= 0) return [];
    return [
      {
        severity: "warning",
        image: MANIFEST,
        subject: is,
        message: `CRIU was ${was} where it was sealed; here it is ${is}`,
        remedy: { kind: "human", text: `restore with CRIU ${was} or later (--criu=PATH names it)` },
      },
    ];
  },
};

const VERSION = /^\d+(\.\d+)*$/;
