/**
 * Messages as people paste them, some from public threads and some in their manner, one a line, with the thread that it is
 * like and a word that its explanation has to have. The author of the entries chose them.
 */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { logReader } from "../../src/explain/log.ts";
import { keptHow } from "../../src/explain/runtimes.ts";

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
  ]) {
    const reader = logReader();
    reader.feed(Buffer.from(text));
    const { kind, said } = reader.end();
    expect([text, kind, said?.cause]).toEqual([text, "none", undefined]);
  }
});
