/** Other CRIUs than the one under test; and CRIU itself: not there, too old for this kernel, without the rights it needs. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { alive, criu, run, type Stage, waitFor } from "./stage.ts";

const fetched = (suite: string): string =>
  join(import.meta.dir, "../../.cache/criu", suite, "criu");

/** Debian 12's: 3.17.1. */
export const old = fetched("bookworm");
/** Debian forky's: 4.2 or newer. */
export const forky = fetched("forky");
/** Debian experimental's: 4.3, without LZ4. */
export const newest = fetched("experimental");

const version = Bun.spawnSync([criu, "--version"]).stdout.toString();

/** Whether the CRIU under test is older than 4.0, which was the first to save real-time priorities with SCHED_RESET_ON_FORK. */
export const losesPriorities = /^Version: [0-3]\./.test(version);

/** It gives a tree's root no flags. */
export const isBefore42 = /^Version: (?:3|4\.[01])(?!\d)/.test(version);

/** It cuts a zombie's exit code, saves no timer slack, and spins where pages end. */
export const isBefore43 = /^Version: (?:3|4\.[0-2])(?!\d)/.test(version);

/** It saves a cgroup as the child of one that its name begins with. */
export const isBefore41 = /^Version: (?:3|4\.0)/.test(version);

/** It makes shared mounts as it did before. */
export const isBefore411 = /^Version: (?:3|4\.0|4\.1(?!\.\d))/.test(version);

/** Of 3.17 it is: private huge pages are memory files for it, threads have no cgroups of their own, and it knows no --unprivileged. */
export const is317 = version.startsWith("Version: 3.17");

/** What then blocks images of a real-time tree, as test/workloads/x11-server.c is one, whatever else does; recriu takes its priority as 1. */
export const lost: readonly string[] = losesPriorities ? ["sched-priority-lost"] : [];

/** Dump a tree by another CRIU; its images. */
export async function dumpBy(
  stage: Stage,
  by: string,
  pid: number,
  options: readonly string[] = [],
): Promise<string> {
  const images = join(stage.dir, `images-${++stage.count}`);
  mkdirSync(images);
  const argv = [by, "dump", "-t", `${pid}`, "-D", images, ...options];
  const { exit, stderr } = await run(stage, argv);
  if (exit !== 0) throw new Error(`the dump by ${by} exits ${exit}: ${stderr}`);
  await waitFor("the dumped tree to be gone", () => !alive(pid));
  return images;
}
