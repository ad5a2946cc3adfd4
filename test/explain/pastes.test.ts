/**
 * What people paste. `pastes.tsv`: messages in the manner of public threads, chosen by the author of the entries. `pastes/`: sets
 * that somebody else collected and measured before anything was mended for them, each paste as it stands in its thread, with
 * what its explanation has to say (`said`) and what it may not (`never`).
 */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { logReader } from "../../src/explain/log.ts";
import { keptHow } from "../../src/explain/runtimes.ts";
import { printLogReport } from "../../src/report/log-report.ts";
import { captured } from "../../src/report/terminal.ts";

const pastes = readFileSync(join(import.meta.dir, "pastes.tsv"), "utf8")
  .trimEnd()
  .split("\n")
  .map((row) => row.split("\t") as [from: string, word: string, text: string]);

test("every paste is explained, and rightly", () => {
  expect(pastes.length).toBeGreaterThanOrEqual(100);
  for (const [from, word, text] of pastes) {
    const reader = logReader();
    reader.feed(Buffer.from(text));
    const { explanation, said, named } = reader.end();
    const told = explanation ?? said;
    const { cause, remedy, check, also, since } = told ?? {};
    const all = [cause, remedy, check, also, since, named && keptHow(named)].join(" ");
    expect([from, text, all]).toEqual([from, text, expect.stringContaining(word)]);
  }
});

interface Paste {
  from: string;
  /** `unknown`: what failed is not in it, and that is said; `none`: CRIU has nothing to do with it. */
  kind: "cause" | "runtime" | "unknown" | "success" | "none";
  said: readonly string[];
  never: readonly string[];
  text: string;
}

const dir = join(import.meta.dir, "pastes");
for (const file of readdirSync(dir))
  test(`pastes/${file}: each has its cause, no wrong remedy, and no error that is not seen`, () => {
    const rows = readFileSync(join(dir, file), "utf8").trimEnd().split("\n");
    expect(rows.length).toBeGreaterThan(15);
    for (const row of rows) {
      const { from, kind, said, never, text } = JSON.parse(row) as Paste;
      const reader = logReader();
      reader.feed(Buffer.from(text));
      const report = reader.end();
      const kept = report.named === undefined ? undefined : keptHow(report.named);
      const told = captured(() => printLogReport(report, "-", { about: [], kept, memory: [] }));
      const { cause, remedy, check } = report.explanation ?? report.said ?? {};
      const at = `${from}: ${told}`;
      expect([at, kindOf(report)]).toEqual([at, kind === "runtime" ? "cause" : kind]);
      for (const words of said) expect([at, told]).toEqual([at, matching(words)]);
      const whole = [cause, remedy, check].join(" ");
      for (const words of never) expect([at, whole]).not.toEqual([at, matching(words)]);
    }
  });

const matching = (words: string) => expect.stringMatching(new RegExp(words, "i"));

function kindOf({ kind, succeeded, explanation, said }: ReturnType<typeof read>): string {
  if (kind === "none") return "none";
  if (succeeded) return "success";
  return (explanation ?? said) === undefined ? "unknown" : "cause";
}
const read = () => logReader().end();

test("other programs' words are not taken for CRIU's", () => {
  for (const text of [
    "root:x:0:0:root:/root:/bin/bash",
    "make: *** [Makefile:7: all] Error 2",
    "bash: /etc/shadow: Permission denied",
    "cat: x: No such file or directory",
    "nginx: [emerg] bind() to 0.0.0.0:80 failed (98: Address already in use)",
    "E: Unable to locate package criu-tools",
    "fatal: not a git repository (or any of the parent directories): .git",
    "Segmentation fault (core dumped)",
    "Jan  1 00:00:00 host systemd[1]: Started Session 3 of user root.",
    // A few words that CRIU has, too.
    "slurmstepd: error: Unable to create TMPDIR [/scratch/1]: Permission denied",
    "error: Unable to create /tmp/x: Permission denied",
    "error: Can't read file: Input/output error",
    "error: can't open /proc/self/maps: Permission denied",
    "Error: Unable to open database file",
    "Error: Can't open display: :0",
    "Error: failed to convert timestamp",
    "Error: failed to unmount RWLayer",
    "Error: failed to initialize network driver plugins: no such plugin",
    "Error: Unable to allocate resources: Invalid account",
    "Error: Failed to connect to queue manager submit.example",
    "Error: IPAM error: requested ip address 10.88.0.100 is already allocated to container ID 1e967bae12d2",
  ]) {
    const reader = logReader();
    reader.feed(Buffer.from(text));
    const { kind, said } = reader.end();
    expect([text, kind, said?.cause]).toEqual([text, "none", undefined]);
  }
});

test("of words about a checkpoint of which nothing is known, that is said, and not that they are of something else", () => {
  for (const text of [
    "Error: frobnicate: cannot checkpoint this thing at all",
    "checkpoint of web/nginx denied by a policy of tomorrow's",
    "whatever calls criu is not content",
  ]) {
    const reader = logReader();
    reader.feed(Buffer.from(text));
    const report = reader.end();
    const told = captured(() =>
      printLogReport(report, "-", { about: [], kept: undefined, memory: [] }),
    );
    expect([text, report.kind, report.said?.cause]).toEqual([text, "words", undefined]);
    expect(told).toContain("nothing is known of it");
  }
});

test("a sentence is no path of CRIU's message", () => {
  const reader = logReader();
  reader.feed(Buffer.from("Error: Failed to find the remote control of my television mountpoint"));
  expect(reader.end().said?.cause).toBeUndefined();
});
