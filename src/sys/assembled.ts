/**
 * Machine code for the machine that recriu is built for. `assembled` is a macro (bun.sh/docs/bundler/macros): it runs while
 * the file that calls it is bundled or, by tests, loaded, and its answer stands there in its place.
 */
import { join } from "./path.ts";

/**
 * The code of `name`/x64.S or arm64.S in this directory, base64. Throws what scripts/assemble says.
 * RECRIU_TARGET is the machine as scripts/build names it; without it this one.
 */
export function assembled(name: string): string {
  const machine = process.env["RECRIU_TARGET"]?.replace("-musl", "") ?? process.arch;
  const source = join(import.meta.dir, name, `${machine}.S`);
  const made = Bun.spawnSync([join(import.meta.dir, "../../scripts/assemble"), source]);
  if (!made.success) throw new Error(made.stderr.toString());
  return made.stdout.toString("base64");
}
