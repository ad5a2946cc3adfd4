/**
 * `npm run fuzz [SECONDS] [SEED]`: made-up bytes, to everything that reads others' bytes. What breaks a promise is
 * left in test/fuzz/corpus as TARGET.NAME.NUMBER, and tried first from then on.
 */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { diceOf } from "./mutate.ts";
import { targetsIn } from "./targets.ts";

const corpus = join(import.meta.dir, "corpus");

/** Milliseconds in which everything so small has to be read. */
const SLOW = 5000;

interface Fuzzed {
  /** How many were tried, by target. */
  tried: Record<string, number>;
  broken: { target: string; name: string; seed: number; problem: string }[];
}

/** Try the corpus, then mutants for so many seconds. `keep`: what breaks is added to the corpus. */
export async function fuzz(seconds: number, seed: number, keep: boolean): Promise<Fuzzed> {
  const dir = mkdtempSync(join(tmpdir(), "recriu-fuzz-"));
  const result: Fuzzed = { tried: {}, broken: [] };
  try {
    const targets = targetsIn(dir);
    const attempt = async (target: string, name: string, bytes: Uint8Array, from: number) => {
      result.tried[target] = (result.tried[target] ?? 0) + 1;
      const begin = performance.now();
      try {
        await targets[target]!.read(name, bytes);
        if (performance.now() - begin > SLOW) throw new Error(`it takes more than ${SLOW} ms`);
      } catch (error) {
        const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
        result.broken.push({ target, name, seed: from, problem });
        if (keep) writeFileSync(join(corpus, `${target}.${name}.${from}`), bytes);
      }
    };
    for (const file of readdirSync(corpus)) {
      const [, target, name] = /^(\w+)\.(.+)\.\d+$/.exec(file) ?? [];
      if (target !== undefined && name !== undefined)
        await attempt(target, name, readFileSync(join(corpus, file)), 0);
    }
    const names = Object.keys(targets);
    const end = performance.now() + seconds * 1000;
    for (let at = seed; performance.now() < end && result.broken.length < 20; at += 1) {
      const dice = diceOf(at);
      // Every other one is an image: there is most to be read.
      const target = dice(2) === 0 ? "image" : names[dice(names.length)]!;
      const { name, bytes } = targets[target]!.make(dice);
      await attempt(target, name, bytes, at);
    }
    return result;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

if (import.meta.main) {
  const [seconds = "60", seed = String(Date.now() >>> 0)] = process.argv.slice(2);
  const { tried, broken } = await fuzz(Number(seconds), Number(seed), true);
  console.log(`seed ${seed}: ${JSON.stringify(tried)}`);
  for (const { target, name, seed: from, problem } of broken)
    console.log(`${target} ${name} (seed ${from}): ${problem}`);
  process.exit(broken.length > 0 ? 1 : 0);
}
