/** CRIU itself and the rights it needs. */
import { isScratch } from "../../criu/scratch.ts";
import type { Context, Leftover } from "../finding.ts";
import { otherWorkDir } from "./work-dir-unwritable.ts";

/** Where CRIU makes them, with those that are there already. */
export function scratchLeftovers(context: Context): Leftover[] {
  const { host, request } = context;
  return [otherWorkDir(context) ?? request.workDir, "/tmp"].flatMap((directory): Leftover[] => {
    const opened = host.root(directory);
    if (!opened.ok) return [];
    const existing = opened.root.list("/").filter(isScratch);
    return [{ kind: "scratch", root: directory, path: "/", existing }];
  });
}
