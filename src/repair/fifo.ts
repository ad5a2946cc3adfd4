/** Make a FIFO again: what was in it is in the images. */
import { constants } from "node:fs";
import type { MakeFifo } from "../checks/index.ts";
import { mkfifoat, openEntry } from "../sys/files.ts";
import { makeEntry, UNFINISHED } from "./entry.ts";
import type { Step } from "./step.ts";

// For both ends at once it waits for none.
const OPEN = constants.O_RDWR | constants.O_NONBLOCK;

/** Carry out a `fifo` repair. Returns undefined, or what failed. */
export const makeFifo = (repair: MakeFifo, record: (step: Step) => void): string | undefined =>
  makeEntry(repair, record, {
    create: (parent, name) => mkfifoat(parent, name, UNFINISHED) || openEntry(parent, name, OPEN),
  });
