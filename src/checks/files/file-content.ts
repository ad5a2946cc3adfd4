/** Files that are there, and yet are not what a restore needs (files-reg.c). */
import type { RegFileEntry } from "../../image/index.ts";
import type { Problem } from "../finding.ts";

export const O_PATH = 0x200000;

export const accessMode = (reg: RegFileEntry): number => reg.flags & 3;

export const about = (
  severity: Problem["severity"],
  { task, image }: Pick<Problem, "task" | "image">,
) => ({ severity, task, image });
