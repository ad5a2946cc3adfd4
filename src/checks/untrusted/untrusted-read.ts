import type { Check } from "../finding.ts";
import { refusal } from "./refusal.ts";

export const untrustedRead: Check = refusal({
  title: "An untrusted tree would read a file that its user may not read",
  reads: "files.img, credentials in core-*.img; mode and owner of each file; images that are links",
  why:
    "CRIU opens files as root, and the task keeps the descriptor: one that runs as another user can read what the file's mode keeps from it. " +
    "An image that is a link out of the images' directory is read as root too: as pages, any file becomes the tree's memory.",
  remedy:
    "take the file away for the restore, or --allow-write a directory that holds it; of an image, copy what the link leads to",
});
