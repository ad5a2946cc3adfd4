import type { Check } from "../finding.ts";
import { isDirectoryUse, missing } from "./missing.ts";

export const fileMissing: Check = {
  title: "A file that a task has open or mapped is gone",
  reads: "files.img with fdinfo-*.img and mm-*.img; the file on this machine or under --root",
  why: "Files are not part of a checkpoint: CRIU opens each again by its path, programs and libraries too.",
  proof: "criu",
  waits: true,
  maps: true,
  run: (context) => missing(context, (file) => !isDirectoryUse(file) && file.fifo === undefined),
};
