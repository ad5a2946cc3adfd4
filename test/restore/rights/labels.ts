/** Security modules and seccomp. */
import { type Stage, waitFor } from "../stage.ts";
import { cpSync } from "node:fs";
import { join } from "node:path";

export const copyOf = (stage: Stage, images: string, name: string): string => {
  const copy = join(stage.dir, name);
  cpSync(images, copy, { recursive: true });
  return copy;
};

/** The workload is ready before its filter, under which it could not say so. */
export const filtered = (pid: number) =>
  waitFor("the filter", () => {
    const { stdout } = Bun.spawnSync(["grep", "^Seccomp:", `/proc/${pid}/status`]);
    return stdout.toString().includes("2");
  });
