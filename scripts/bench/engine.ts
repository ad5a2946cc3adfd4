/**
 * What the program's first instructions tell the JavaScript engine (scripts/entry/text.S), against what else could be told: whole
 * `recriu preflight` commands by turns.
 */
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { recriuBinary, type Stage } from "../../test/restore/stage.ts";
import type { Case } from "./cases.ts";
import { type Spread, spread, timed } from "./measure.ts";

export interface EngineRow {
  name: string;
  /** By case: to the program as it is, processor time on two processors, wall time there and on one. */
  cases: { name: string; cpu: Spread; two: Spread; one: Spread }[];
}

interface Variant {
  name: string;
  /** Bytes of the program that are others: of the same length. */
  instead?: [string, string];
  env?: Record<string, string>;
}

const VARIANTS: readonly Variant[] = [
  { name: "as it is" },
  {
    name: "with the optimising compilers",
    instead: ["BUN_JSC_useDFGJIT=0", "BUN_JSC_useDFGJIT=1"],
  },
  {
    name: "with the memory that the machine has",
    instead: ["BUN_JSC_forceRAMSize=", "RECRIU__forceRAMSize="],
  },
  { name: "without the baseline compiler", env: { BUN_JSC_useBaselineJIT: "0" } },
  { name: "with huge pages for its heap", env: { MIMALLOC_ALLOW_THP: "1" } },
  { name: "collected by one thread", env: { BUN_JSC_numberOfGCMarkers: "1" } },
  { name: "collected while nothing runs", env: { BUN_JSC_useConcurrentGC: "0" } },
];

/** A copy of the program with other bytes in one place. */
function changed(stage: Stage, n: number, [from, to]: [string, string]): string {
  const path = join(stage.dir, `engine-${n}`);
  copyFileSync(recriuBinary, path);
  const bytes = readFileSync(path);
  const at = bytes.lastIndexOf(from);
  if (at < 0 || from.length !== to.length) throw new Error(`${from} does not stand in the program`);
  bytes.write(to, at);
  writeFileSync(path, bytes, { mode: 0o755 });
  return path;
}

export async function measureEngine(
  stage: Stage,
  checkpoints: readonly Case[],
  runs: number,
): Promise<EngineRow[]> {
  const programs = VARIANTS.map(({ name, instead, env = {} }, n) => {
    const path = instead === undefined ? recriuBinary : changed(stage, n, instead);
    const set = Object.entries(env).map(([key, value]) => `${key}=${value}`);
    return { name, words: ["/usr/bin/env", ...set, path] };
  });
  const rows: EngineRow[] = VARIANTS.map(({ name }) => ({ name, cases: [] }));
  for (const { name, images, options } of checkpoints) {
    const took = programs.map(() => ({
      cpu: [] as number[],
      two: [] as number[],
      one: [] as number[],
    }));
    for (let i = -1; i < runs; i++)
      for (const [n, { words }] of programs.entries()) {
        const command = [...words, "preflight", "-D", images, ...options];
        const both = await timed(stage, command);
        const alone = await timed(stage, ["/usr/bin/taskset", "-c", "0", ...command]);
        if (i < 0) continue;
        took[n]!.cpu.push(both.cpu);
        took[n]!.two.push(both.ms);
        took[n]!.one.push(alone.ms);
      }
    const ratios = (n: number, of: "cpu" | "two" | "one") =>
      spread(took[n]![of].map((value, i) => value / took[0]![of][i]!));
    rows.forEach(({ cases }, n) =>
      cases.push({ name, cpu: ratios(n, "cpu"), two: ratios(n, "two"), one: ratios(n, "one") }),
    );
  }
  return rows;
}
