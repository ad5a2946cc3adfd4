/** The knowledge base. */
import type { Entry } from "./entry.ts";
import { files } from "./entries/files.ts";
import { cgroups, criu, images, kernel, memory, mounts, rights } from "./entries/machine.ts";
import { sockets } from "./entries/sockets.ts";
import { tree } from "./entries/tree.ts";

export const entries: readonly Entry[] = [
  ...tree,
  ...files,
  ...sockets,
  ...images,
  ...mounts,
  ...cgroups,
  ...memory,
  ...rights,
  ...kernel,
  ...criu,
];
