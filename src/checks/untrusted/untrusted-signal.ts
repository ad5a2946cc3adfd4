import type { Check } from "../finding.ts";
import { refusal } from "./refusal.ts";

export const untrustedSignal: Check = refusal({
  title: "An untrusted tree could signal a process of this machine",
  reads:
    "owners (fown) and pidfd entries in files.img, the tree's pids, process groups and threads",
  why:
    "A file's owner gets a signal, any that the images name, whenever there is something to read: as if the user had sent it that the images " +
    "name, root too. A pidfd of another process is as good. In a pid namespace of its own no number is a stranger's.",
  remedy:
    "stop here: no dump of a tree alone has such; or restore it in a pid namespace of its own",
});
