import type { Check } from "../finding.ts";
import { refusal } from "./refusal.ts";

export const untrustedWatch: Check = refusal({
  proof: "images",
  title: "An untrusted tree would hold up programs that open files of this machine",
  reads: "fanotify marks in files.img",
  why: "A program that opens a file under a permission mark of fanotify(7) waits for the tree's answer. A mark on a whole mount stops the machine.",
  remedy: "stop here, unless it is a virus scanner of yours",
});
