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

const commands: readonly (readonly string[])[] = [
  ["preflight", "--json"],
  ["preflight", "--json", "--effects", "--untrusted"],
  ["preflight"],
  ["restore", "--dry-run", "--json"],
  ["show"],
  ["show", "--json"],
  ["verify", "--pid=1"],
];

/** Run one command on the images in `dir`; it has a directory for temporary files of its own below `scratch`. Throws where something does not hold. */
export function runBinary(dice: Dice, dir: string, scratch: string): void {
  const words = pick(dice, commands);
  const tmp = join(scratch, "tmp");
  mkdirSync(tmp, { recursive: true, mode: 0o700 });
  const { exitCode, signalCode, stdout, stderr } = Bun.spawnSync(
    [recriuBinary, ...words, "-D", dir, "--criu=/nonexistent"].filter(
      (word) => !(word.startsWith("--criu=") && /^(show|verify)$/.test(words[0]!)),
    ),
    { env: { PATH: process.env.PATH, TMPDIR: tmp, NO_COLOR: "1" }, timeout: HANGS },
  );
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
    if (words[0] === "show") return;
    if (document === undefined) throw new Error(`${what} prints no document`);
    wellFormed(document);
  }
  const left = readdirSync(tmp);
  rmSync(tmp, { recursive: true });
  if (left.length > 0) throw new Error(`${what} leaves ${left.join(", ")}`);
}
