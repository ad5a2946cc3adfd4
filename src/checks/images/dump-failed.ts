import type { Check } from "../finding.ts";
import { instead } from "./no-checkpoint.ts";

export const dumpFailed: Check = {
  title: "The images are of a dump that failed half-way",
  reads: "the names in the images directory; the dump's log there",
  why:
    "A dump writes inventory.img as the last of all: without it the dump failed or was interrupted, or the copy is not whole. The log says which, where it lies with " +
    "the images as it does by default. Nothing else is looked at. The exit code is 6.",
  proof: "criu",
  run: (context) => instead(context, "dump-failed"),
};
