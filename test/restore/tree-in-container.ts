/** A tree with a mount namespace and a pid namespace of its own (test/workloads/container.c). */
import { mkdirSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { descendants, dump, run, type Stage, start } from "./stage.ts";

export interface Inside {
  /** `TYPE SOURCE INSIDE`: mounted in it; the mount points are made. A source with a slash is a file or directory of the host. */
  mounts?: [type: string, source: string, inside: string][];
  /** Options of the dump. */
  options?: string[];
  /** Done between start and dump. */
  meanwhile?: (root: string, socket: string) => void;
}

/** A dumped container whose root, a mount point as CRIU wants, is `root`, and its socket's path inside. */
export async function dumpContainer(
  stage: Stage,
  { mounts = [], options = [], meanwhile }: Inside = {},
) {
  const root = join(stage.dir, "root");
  const socket = "/run/recriu-test/app/sock";
  mkdirSync(root, { mode: 0o755, recursive: true });
  for (const [type, source, inside] of mounts) {
    const file = type === "bind" && statSync(source, { throwIfNoEntry: false })?.isFile();
    mkdirSync(file ? dirname(join(root, inside)) : join(root, inside), { recursive: true });
    if (file) writeFileSync(join(root, inside), "");
  }
  const { pid } = await start(stage, "container", [root, socket, ...mounts.flat()]);
  const [init] = descendants(pid);
  meanwhile?.(root, socket);
  const images = await dump(stage, init!.pid, options);
  await run(stage, ["mount", "--bind", root, root]);
  return { root, socket, images, options: ["--root", root] };
}
