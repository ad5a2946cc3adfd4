import type { Check } from "../finding.ts";
import { refusal } from "./refusal.ts";

export const untrustedSetuid: Check = refusal({
  title: "A program of an untrusted tree would have the rights of another user",
  reads: "files.img, mm-*.img, ghost-file-*.img; the mode of each program",
  why:
    "CRIU makes a deleted file again with the owner and mode that the images name: if it is set-user-ID root, " +
    "every user that can execute it, be it through /proc/PID/fd, becomes root. A task whose program is such a file runs it without having been allowed to start it.",
  remedy: "restore it in a user namespace of its own, in which root has no rights on this machine",
});
