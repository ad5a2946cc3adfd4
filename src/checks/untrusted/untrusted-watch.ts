import type { Check } from "../finding.ts";
import { refusal } from "./refusal.ts";

export const untrustedWatch: Check = refusal({
  proof: "images",
  title: "An untrusted tree would decide who may open files of this machine",
  reads: "fanotify marks in files.img",
  why: "With a permission mark of fanotify(7) whoever opens the file waits for the tree's answer: on a whole mount that stops the machine.",
  remedy: "stop here, unless it is a virus scanner of yours",
});
