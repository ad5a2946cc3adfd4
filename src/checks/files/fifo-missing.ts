import type { Check } from "../finding.ts";
import { missing } from "./missing.ts";

export const fifoMissing: Check = {
  title: "A FIFO that a task has open is gone",
  reads: "FIFOs in files.img; the path on this machine or under --root",
  why: "What was in a FIFO is in the images, but the FIFO itself is a file like any other: CRIU opens it by its path.",
  proof: "criu",
  answers: ["repair", "person"],
  maps: true,
  run: (context) => missing(context, (file) => file.fifo !== undefined),
};
