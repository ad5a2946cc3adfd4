import { NEWEST_KNOWN } from "../../criu/index.ts";
import type { Check } from "../finding.ts";

export const fieldUnknown: Check = {
  title: "The images were written by a newer CRIU than this recriu knows",
  reads: "the fields of every message in every image",
  why:
    "A message holds a field that no CRIU up to 4.3 writes. A CRIU that knows it acts on it, an older one passes over it; no check has looked at it, " +
    "and no verification compares it.",
  proof: "images",
  blocks: false,
  run: ({ checkpoint }) =>
    checkpoint.strange.map(({ file, message, number }) => ({
      severity: "info",
      image: file,
      subject: `${message} field ${number}`,
      message: `${file} holds field ${number} of ${message}, which no CRIU up to ${NEWEST_KNOWN} writes: what it means was not looked at`,
      remedy: {
        kind: "human",
        text: "a later recriu may know it; restore with the CRIU that made the images",
      },
    })),
};
