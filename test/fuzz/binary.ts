/** The compiled program on a mutant: codes of the contract, documents of the promised shape, nothing that steers a terminal. */
import { mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { exits } from "../../src/report/outcome.ts";
import { recriuBinary } from "../built.ts";
import { wellFormed } from "./images.ts";
import { type Dice, pick } from "./mutate.ts";
import { harmlessOnly } from "./target.ts";

const codes = new Set<number>(exits.map(({ code }) => code));

/** Milliseconds after which the program is taken to hang. */
const HANGS = 30_000;

/** What is asked of the images in a directory; `other`: another checkpoint. */
const commands: readonly ((dir: string, other: string) => string[])[] = [
  (dir) => ["preflight", "--json", NO_CRIU, "-D", dir],
  (dir) => ["preflight", "--json", "--effects", "--untrusted", NO_CRIU, "-D", dir],
  (dir) => ["preflight", NO_CRIU, "-D", dir],
  (dir) => ["restore", "--dry-run", "--json", NO_CRIU, "-D", dir],
  (dir) => ["show", "--all", "--env", dir],
  (dir) => ["show", "--all", "--format=table", dir],
  (dir) => ["show", "--all", "--json", dir],
  (dir) => ["memory", dir],
  (dir) => ["memory", "--search=root", dir],
  (dir, other) => ["diff", dir, other],
  (dir, other) => ["diff", "--json", other, dir],
  (dir) => ["verify", "--pid=1", "-D", dir],
];
const NO_CRIU = "--criu=/nonexistent";

/**
 * Run one command on the images in `dir`, or on them and those in `other`; it has a directory for temporary files of its own
 * below `scratch`. Throws where something does not hold.
 */
export function runBinary(dice: Dice, dir: string, other: string, scratch: string): void {
  const words = pick(dice, commands)(dir, other);
  const tmp = join(scratch, "tmp");
  mkdirSync(tmp, { recursive: true, mode: 0o700 });
  const { exitCode, signalCode, stdout, stderr } = Bun.spawnSync([recriuBinary, ...words], {
    env: { PATH: process.env.PATH, TMPDIR: tmp, NO_COLOR: "1" },
    timeout: HANGS,
  });
  const what = `recriu ${words.join(" ")}`;
  if (!codes.has(exitCode))
    throw new Error(
      `${what} exits ${exitCode} (${signalCode}): ${stderr.toString().slice(0, 2000)}`,
    );
  if (stderr.toString().includes("a fault of recriu's own")) throw new Error(stderr.toString());
  harmlessOnly(stderr.toString());
  harmlessOnly(stdout.toString());
  if (words.includes("--json")) {
    const document = stdout.length === 0 ? undefined : (JSON.parse(stdout.toString()) as object);
    if (document === undefined) throw new Error(`${what} prints no document`);
    if (words.includes(NO_CRIU)) wellFormed(document);
  }
  const left = readdirSync(tmp);
  rmSync(tmp, { recursive: true });
  if (left.length > 0) throw new Error(`${what} leaves ${left.join(", ")}`);
}
