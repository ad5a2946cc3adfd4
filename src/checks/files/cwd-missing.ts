import type { Check } from "../finding.ts";
import { missing } from "./missing.ts";
import { isDirectoryUse } from "./used-files.ts";

export const cwdMissing: Check = {
  title: "A task's working or root directory is gone",
  reads: "fs-*.img and files.img; the directory on this machine or under --root; recriu.manifest",
  why: "CRIU opens every task's working directory and root by path, and stops when one is not there.",
  proof: "criu",
  answers: ["repair", "person"],
  waits: true,
  maps: true,
  run: (context) => missing(context, isDirectoryUse),
};
