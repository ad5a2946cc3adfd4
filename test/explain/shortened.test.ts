/** Of every fourth message of CRIU's, shortened as people do it: what is told is what is told of the whole one, or nothing. */
import { expect, test } from "bun:test";
import { lineOf, messages } from "../../scripts/explained.ts";
import type { Explanation } from "../../src/explain/index.ts";
import { logReader } from "../../src/explain/log.ts";

const told = (text: string): Explanation | undefined => {
  const reader = logReader();
  reader.feed(Buffer.from(text));
  const { explanation, said } = reader.end();
  return explanation ?? said;
};

/** Always the same for the same number. */
const some = (number: number, below: number): number =>
  Math.floor(((Math.sin(number) * 10_000) % 1) ** 2 * below);
const without = (words: readonly string[], at: number, ...instead: string[]): string =>
  words.toSpliced(at, 1, ...instead).join(" ");

/** Numbers and names may have been lost. */
const bare = ({ cause }: Explanation): string => cause.replaceAll(/\d+|\b(?:name|ame)\b|…|\W/g, "");

interface Shortened {
  name: string;
  /** Of those that had something told of them whole. */
  least: number;
  wrong: number;
  of(words: readonly string[], file: string, number: number): string;
}
const ways: readonly Shortened[] = [
  {
    name: "a word left out",
    least: 0.75,
    wrong: 0.06,
    of: (words, file, number) =>
      `Error (${file}:1): ${without(words, 1 + some(number, words.length - 2))}`,
  },
  {
    name: "the first word left out",
    least: 0.8,
    wrong: 0.03,
    of: (words, file) =>
      `Error (${file}:1): ${words.slice(words[0]!.endsWith(":") ? 2 : 1).join(" ")}`,
  },
  {
    name: "dots in the place of a word",
    least: 0.75,
    wrong: 0.06,
    of: (words, file, number) =>
      `Error (${file}:1): ${without(words, 2 + some(number, words.length - 3), "...")}`,
  },
  {
    name: "cut off in its last word",
    least: 0.95,
    wrong: 0.02,
    of: (words, file) => `Error (${file}:1): ${words.join(" ").slice(0, -3)}`,
  },
  {
    // Without its source a message may be another's that has the same words.
    name: "in a sentence about CRIU",
    least: 0.65,
    wrong: 0.045,
    of: (words) =>
      `I get the error ${words.join(" ").replace(/^[a-z-]+: /, "")} when I restore with criu`,
  },
];

for (const { name, least, wrong, of } of ways)
  test(`${name}: mostly the same is told, and hardly ever something else`, () => {
    let all = 0;
    let same = 0;
    const others: string[] = [];
    for (const [number, { file, format }] of messages.entries()) {
      const words = lineOf(format, "Permission denied").split(" ");
      if (number % 4 !== 0 || words.length < 6) continue;
      const whole = told(`Error (${file}:1): ${words.join(" ")}`);
      if (whole === undefined) continue;
      all += 1;
      const text = of(words, file, number);
      const short = told(text);
      if (short === undefined) continue;
      if (short.remedy === whole.remedy || bare(short) === bare(whole)) same += 1;
      else others.push(`${text}: ${short.cause}`);
    }
    expect(all).toBeGreaterThan(300);
    expect([name, same / all, others, same / all >= least, others.length / all <= wrong]).toEqual([
      name,
      same / all,
      others,
      true,
      true,
    ]);
  });
