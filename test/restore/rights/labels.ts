/** Security modules and seccomp. */
import { waitFor } from "../stage.ts";

/** The workload is ready before its filter, under which it could not say so. */
export const filtered = (pid: number) =>
  waitFor("the filter", () => {
    const { stdout } = Bun.spawnSync(["grep", "^Seccomp:", `/proc/${pid}/status`]);
    return stdout.toString().includes("2");
  });
