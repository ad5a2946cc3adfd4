import type { Check } from "../finding.ts";
import { missing } from "./missing.ts";
import { isDirectoryUse } from "./used-files.ts";

export const fileMissing: Check = {
  title: "A file that a task has open or mapped is gone",
  reads:
    "files.img with fdinfo-*.img and mm-*.img; the file on this machine or under --root; recriu.manifest and recriu.files",
  why: "Files are not part of a checkpoint: CRIU opens each again by its path, programs and libraries too.",
  proof: "criu",
  answers: ["repair", "person"],
  waits: true,
  maps: true,
  apart: true,
  run: (context) => missing(context, (file) => !isDirectoryUse(file) && file.fifo === undefined),
};
