/** A tree with a mount namespace and a pid namespace of its own (test/workloads/container.c). */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { descendants, dump, run, type Stage, start } from "./stage.ts";

/** A dumped container whose root, a mount point as CRIU wants, is `root`, and its socket's path inside. */
export async function dumpContainer(stage: Stage) {
  const root = join(stage.dir, "root");
  const socket = "/run/recriu-test/app/sock";
  mkdirSync(root, { mode: 0o755 });
  const { pid } = await start(stage, "container", [root, socket]);
  const [init] = descendants(pid);
  const images = await dump(stage, init!.pid);
  await run(stage, ["mount", "--bind", root, root]);
  return { root, socket, images, options: ["--root", root] };
}
