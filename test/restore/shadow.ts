/** What the tests of edited images look at. */
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { alive, run, type Stage, waitFor } from "./stage.ts";
import { repository } from "../built.ts";
import { compile } from "./stage/compile.ts";

/** Every name below a directory, with its bytes (of a link, where it leads) and the times at which it was changed. */
export const contents = (dir: string): string[] =>
  (readdirSync(dir, { recursive: true }) as string[]).sort().map((name) => {
    const path = join(dir, name);
    const { mode, mtimeMs, ctimeMs, ino } = lstatSync(path);
    const bytes = lstatSync(path).isFile() ? Bun.hash(readFileSync(path)) : "";
    return [name, mode, ino, mtimeMs, ctimeMs, bytes].join(" ");
  });

/** Shadows in a directory. */
export const shadows = (place: string): string[] =>
  readdirSync(place).filter((name) => name.startsWith(".recriu-"));

/** An action script of CRIU that runs `command` at `point`. */
export function scriptAt(stage: Stage, point: string, command: string): string {
  const script = join(stage.dir, `at-${point}-${++stage.count}`);
  writeFileSync(
    script,
    `#!/bin/sh\n[ "$CRTOOLS_SCRIPT_ACTION" = ${point} ] || exit 0\n${command}\n`,
  );
  chmodSync(script, 0o755);
  return script;
}

/**
 * A script that copies the images as CRIU is given them into `copy`, links followed, and says in `modes` which users may enter
 * the directory. An error of it does not end the restore.
 */
export function copying(stage: Stage): { script: string; copy: string; mode: () => string } {
  const copy = join(stage.dir, `seen-${++stage.count}`);
  mkdirSync(copy);
  const command = `cp -L "$CRTOOLS_IMAGE_DIR"/*.img '${copy}'; stat -Lc %a "$CRTOOLS_IMAGE_DIR" >'${copy}.mode'; exit 0`;
  return {
    script: scriptAt(stage, "pre-restore", command),
    copy,
    mode: () => readFileSync(`${copy}.mode`, "utf8").trim(),
  };
}

const oldBinary = join(repository, ".cache/criu/bookworm/criu");

/** A whole system (scripts/systems) has its own CRIU alone, which is this one on Debian 12. */
export const hasOldCriu = existsSync(oldBinary);

/** Debian 12's CRIU 3.17.1. From Linux 6.13 on it is shown a vdso as it knows it (test/workloads/old-vdso.c), else it does not start. */
export function oldCriu(stage: Stage): string {
  const path = join(stage.dir, "criu-3.17.1");
  const newer = readFileSync("/proc/self/maps", "utf8").includes("[vvar_vclock]");
  const preload = newer ? `LD_PRELOAD='${compile("old-vdso")}' ` : "";
  writeFileSync(path, `#!/bin/sh\n${preload}exec '${oldBinary}' "$@"\n`);
  chmodSync(path, 0o755);
  return path;
}

/** A dump that the old CRIU makes of the tree. */
export async function dumpByOld(stage: Stage, pid: number): Promise<string> {
  const images = join(stage.dir, `images-${++stage.count}`);
  mkdirSync(images);
  const argv = [oldCriu(stage), "dump", "-t", `${pid}`, "-D", images, "-W", stage.dir];
  const { exit, stderr } = await run(stage, argv);
  if (exit !== 0) throw new Error(`the old CRIU's dump exits ${exit}: ${stderr}`);
  await waitFor("the dumped tree to be gone", () => !alive(pid));
  return images;
}

/** CRIU's own reader of images: that of 4.3, with LZ4. */
export const crit = join(repository, ".cache/criu/crit/crit");

/** An image as CRIU's own crit reads it: its entries. Throws when it does not. */
export async function decoded(stage: Stage, image: string): Promise<any[]> {
  const { exit, stdout, stderr } = await run(stage, [crit, "decode", "-i", image]);
  if (exit !== 0) throw new Error(`crit decode ${image}: ${stderr}`);
  return JSON.parse(stdout).entries;
}

/** Paths of leaves that differ between two decoded images, with both values: `thread_core.sched_prio`. */
export function differences(before: any, after: any, path = ""): [string, unknown, unknown][] {
  const isTree = (value: any) => typeof value === "object" && value !== null;
  if (!isTree(before) || !isTree(after))
    return JSON.stringify(before) === JSON.stringify(after) ? [] : [[path, before, after]];
  const keys = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...keys].flatMap((key) =>
    differences(before[key], after[key], path === "" ? key : `${path}.${key}`),
  );
}
