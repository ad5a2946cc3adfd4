/** Directories that become the root of a mount namespace, as of another machine. */
import { run, type Stage } from "./stage.ts";
import { expect } from "bun:test";
import { mkdirSync, realpathSync } from "node:fs";
import { dirname, join } from "node:path";

/** A directory that becomes the root of a mount namespace, as of a machine: `fill` runs in it, as a script. */
export async function newRoot(stage: Stage, name: string, fill: string[]): Promise<string> {
  const root = join(stage.dir, name);
  mkdirSync(root);
  const done = await run(stage, ["sh", "-ec", fill.join("; "), root]);
  expect([done.exit, done.stderr]).toEqual([0, ""]);
  return root;
}

/** A command that is run there. The old root has no umount(8): this machine's, with its libraries, as long as they are there. */
export function inRoot(root: string, argv: string[]): string[] {
  const umount = realpathSync(Bun.which("umount")!);
  const ld = realpathSync("/lib64/ld-linux-x86-64.so.2");
  const loader = `/old${ld} --library-path /old${dirname(ld)}`;
  const enter = `cd "$0"; mkdir -p old; pivot_root . old; cd /; ${loader} /old${umount} -l /old; exec "$@"`;
  const env = ["PATH=/usr/sbin:/usr/bin:/sbin:/bin", "NO_COLOR=1"];
  return ["env", "-i", ...env, "unshare", "--mount", "sh", "-ec", enter, root, ...argv];
}
