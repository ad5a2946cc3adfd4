/** The knowledge base: what CRIU says, by what it speaks of. */
import type { Entry } from "../entry.ts";
import { cgroups } from "./cgroups.ts";
import { criu } from "./criu.ts";
import { files } from "./files.ts";
import { images } from "./images.ts";
import { kernel } from "./kernel.ts";
import { mounts } from "./mounts.ts";
import { rights } from "./rights.ts";
import { sockets } from "./sockets.ts";
import { tree } from "./tree.ts";

export const entries: readonly Entry[] = [
  ...tree,
  ...files,
  ...sockets,
  ...images,
  ...mounts,
  ...cgroups,
  ...rights,
  ...kernel,
  ...criu,
];
