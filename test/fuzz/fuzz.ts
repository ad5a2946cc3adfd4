/**
 * `npm run fuzz [SECONDS] [SEED]`: made-up bytes, to everything that reads others' bytes; some to the compiled
 * program. What breaks a promise is left in test/fuzz/corpus as TARGET.NAME.SEED, and tried first from then on.
 */
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runBinary } from "./binary.ts";
import { imagesTarget, unpackDumps, withMutant } from "./images.ts";
import { diceOf } from "./mutate.ts";
import { sealedTargets } from "./sealed.ts";
import type { Target } from "./target.ts";
import { textTargets } from "./texts.ts";

const corpus = join(import.meta.dir, "corpus");

/** Milliseconds of this process in which everything so small has to be read. */
const SLOW = 5000;
/** One mutant of so many goes to the compiled program, too. */
const SAMPLE = 100;
/** What is told of is enough to begin with. */
const ENOUGH = 20;

interface Fuzzed {
  /** How many were tried, by target; `binary`: by the compiled program. */
  tried: Record<string, number>;
  broken: { target: string; name: string; seed: number; problem: string }[];
}

/** Try the corpus, then mutants for so many seconds. `keep`: what breaks is added to the corpus. */
export async function fuzz(seconds: number, seed: number, keep: boolean): Promise<Fuzzed> {
  // In memory, where there is such a place: a mutant is some thirty files.
  const dir = mkdtempSync(join(existsSync("/dev/shm") ? "/dev/shm" : tmpdir(), "recriu-fuzz-"));
  const result: Fuzzed = { tried: {}, broken: [] };
  const targets: Record<string, Target> = {};
  try {
    for (const name of ["dumps", "outside", "texts", "sealed"]) mkdirSync(join(dir, name));
    const dumps = await unpackDumps(join(dir, "dumps"));
    const image = imagesTarget(dumps, join(dir, "outside"));
    const others = { ...textTargets(join(dir, "texts")), ...sealedTargets(join(dir, "sealed")) };
    Object.assign(targets, { image }, others);
    const count = (target: string) => (result.tried[target] = (result.tried[target] ?? 0) + 1);
    const attempt = async (target: string, name: string, bytes: Uint8Array, from: number) => {
      const dice = diceOf(~from);
      const begin = process.cpuUsage();
      try {
        await targets[target]!.read(name, bytes, dice);
        image.untouched();
        const { user, system } = process.cpuUsage(begin);
        if ((user + system) / 1000 > SLOW) throw new Error(`it takes more than ${SLOW} ms`);
        if (target === "image" && (from === 0 || count(target) % SAMPLE === 0)) {
          await withMutant(dumps, bytes, (images) =>
            runBinary(dice, images, dumps.get("made-up")!, dir),
          );
          count("binary");
        } else if (target !== "image") count(target);
      } catch (error) {
        const problem = error instanceof Error ? (error.stack ?? error.message) : String(error);
        result.broken.push({ target, name, seed: from, problem });
        if (keep && from !== 0) writeFileSync(join(corpus, `${target}.${name}.${from}`), bytes);
      }
    };
    for (const file of readdirSync(corpus)) {
      const [, target, name] = /^(\w+)\.(.+)\.\d+$/.exec(file) ?? [];
      if (target !== undefined && name !== undefined)
        await attempt(target, name, readFileSync(join(corpus, file)), 0);
    }
    const names = Object.keys(targets);
    const end = performance.now() + seconds * 1000;
    for (let at = seed; performance.now() < end && result.broken.length < ENOUGH; at += 1) {
      const dice = diceOf(at);
      // Every other one is an image: there is most to be read.
      const target = dice(2) === 0 ? "image" : names[dice(names.length)]!;
      const { name, bytes } = targets[target]!.make(dice);
      await attempt(target, name, bytes, at);
    }
    return result;
  } finally {
    for (const target of Object.values(targets)) target.close?.();
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
