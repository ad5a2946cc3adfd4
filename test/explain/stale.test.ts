/** The errno of a line of which CRIU asked nothing of the kernel, or got less than it asked for. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { splitErrno } from "../../src/explain/errno.ts";
import { explain } from "../../src/explain/index.ts";
import { comparisons, isStale, transfers } from "../../src/explain/stale.ts";
import { told } from "./reading.ts";

/** As CRIU prints its formats, each number a 7. */
const printed = ["messages.tsv", "messages-before.tsv"].flatMap((name) =>
  readFileSync(join(import.meta.dir, name), "utf8")
    .split("\n")
    .map((row) => row.split("\t")[2] ?? "")
    .map((format) => format.replace(/%[-#0-9.]*(?:l{0,2}|z|h)[diux]/g, "7").replace(/%l?s/g, "x"))
    .map((text) => text.replace(/^(?:sk )?[a-z][\w-]*: /, "")),
);

test("each is a message that CRIU, or an earlier one, prints with an errno", () => {
  for (const pattern of [...transfers, ...comparisons])
    expect([pattern.source, printed.some((text) => pattern.test(text))]).toEqual([
      pattern.source,
      true,
    ]);
});

test("a file that ended too early is not one that is missing, and a full disk is one", () => {
  const place = { file: "criu/pagemap.c" };
  const short = explain("Can't read mapping page 0: No such file or directory", place);
  expect(short?.because).toBeUndefined();
  expect(short?.remedy).toContain("sha256sum");
  expect(short?.remedy).not.toContain("--root");
  const failing = explain("Can't read mapping page -1: Input/output error", place);
  expect(failing?.because).toContain("disk");
  const of = (message: string) => isStale(message, splitErrno(message).errno!);
  expect(of("page-xfer: Can't write pagemap to server: No such file or directory")).toBe(true);
  expect(of("page-xfer: Can't write pagemap to server: Broken pipe")).toBe(false);
  expect(of("fdinfo: Can't open 7/fd/1 on procfs: No such file or directory")).toBe(false);
});

test("a word that an errno's text begins with is none, and what is said to be looked at is never empty", () => {
  expect(splitErrno("RESTORE failed: Error(0): Unknown").errno).toBeUndefined();
  const text = told("criu restore failed: Unknown error 524\n");
  expect(text).not.toMatch(/look\s*$/m);
});
