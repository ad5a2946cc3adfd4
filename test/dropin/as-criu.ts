/** recriu under the name of criu. */
import { existsSync, mkdirSync, readFileSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import {
  criu,
  descendants,
  recriuBinary,
  type Run,
  run,
  type RunOptions,
  type Stage,
  waitFor,
} from "../restore/stage.ts";

/** A link to recriu with the name criu. */
export function link(stage: Stage): string {
  const path = join(stage.dir, "bin/criu");
  mkdirSync(join(stage.dir, "bin"), { recursive: true });
  if (!existsSync(path)) symlinkSync(recriuBinary, path);
  return path;
}

/** Whether a watcher of recriu's lives on the stage. */
export const watched = (stage: Stage): boolean =>
  descendants(stage.supervisor.pid).some(({ pid }) => {
    try {
      return readFileSync(`/proc/${pid}/comm`, "utf8") === "recriu-watcher\n";
    } catch {
      return false;
    }
  });

/** `criu WORDS…`, run to its end and to that of its watcher, which may speak last. */
export async function asCriu(
  stage: Stage,
  words: string[],
  options: RunOptions = {},
): Promise<Run> {
  const errors = join(stage.dir, `errors-${++stage.count}`);
  const argv = ["sh", "-c", `exec "$@" 2>${errors}`, "sh", link(stage), ...words];
  const env = { RECRIU_CRIU: criu, NO_COLOR: "1", ...options.env };
  const done = await run(stage, argv, { ...options, env });
  await waitFor("the watcher to end", () => !watched(stage));
  return { ...done, stderr: readFileSync(errors, "utf8") };
}
