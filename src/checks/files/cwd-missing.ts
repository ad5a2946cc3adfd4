import type { Check } from "../finding.ts";
import { isDirectoryUse, missing } from "./missing.ts";

export const cwdMissing: Check = {
  title: "A task's working or root directory is gone",
  reads: "fs-*.img and files.img; the directory on this machine or under --root",
  why: "CRIU opens every task's working directory and root by path, and stops when one is not there.",
  proof: "criu",
  waits: true,
  maps: true,
  run: (context) => missing(context, isDirectoryUse),
};
