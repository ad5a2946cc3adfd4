/** The tables of what CRIU says, read when the first line is to be explained. */
import type { Entry } from "../entry.ts";
import { type Index, indexOf } from "../find.ts";
import { parseTable } from "../table.ts";
import cgroups from "./cgroups.txt" with { type: "text" };
import criu from "./criu.txt" with { type: "text" };
import dump from "./dump.txt" with { type: "text" };
import files from "./files.txt" with { type: "text" };
import gpu from "./gpu.txt" with { type: "text" };
import images from "./images.txt" with { type: "text" };
import ipc from "./ipc.txt" with { type: "text" };
import kernel from "./kernel.txt" with { type: "text" };
import mounts from "./mounts.txt" with { type: "text" };
import net from "./net.txt" with { type: "text" };
import runtimes from "./runtimes.txt" with { type: "text" };
import sockets from "./sockets.txt" with { type: "text" };
import tree from "./tree.txt" with { type: "text" };
import ttys from "./ttys.txt" with { type: "text" };
import warnings from "./warnings.txt" with { type: "text" };

const tables: Record<string, string> = {
  cgroups,
  criu,
  dump,
  files,
  gpu,
  images,
  ipc,
  kernel,
  mounts,
  net,
  runtimes,
  sockets,
  tree,
  ttys,
  warnings,
};

let parsed: readonly Entry[] | undefined;
export const entries = (): readonly Entry[] =>
  (parsed ??= Object.values(tables).flatMap((table) => parseTable(table)));

let indexed: Index | undefined;
export const index = (): Index => (indexed ??= indexOf(entries()));
