/** The table of faults: each row has a source, a check that is one, and is explained by its own words. */
import { expect, test } from "bun:test";
import { catalogue } from "../../src/checks/index.ts";
import {
  criuHas,
  type KnownFault,
  knownFault,
  knownFaults,
  showsOn,
  versionsOf,
} from "../../src/criu/known-faults.ts";
import { isBeyondKnown } from "../../src/criu/index.ts";
import { explain } from "../../src/explain/index.ts";

const rows: readonly KnownFault[] = knownFaults;

/** A line that a row's pattern matches: its own text, with what may differ filled in. */
const lineOf = (says: RegExp): string =>
  says.source
    .replaceAll("\\d+", "476")
    .replaceAll(/\(\?:([^|)]+)\|[^)]+\)/g, "$1")
    .replaceAll("\\", "");

test("every row names versions, a source, and a check of the catalogue where there is one", () => {
  expect(new Set(rows.map(({ id }) => id)).size).toBe(rows.length);
  const ids = new Set(["", ...catalogue.map(({ id }) => id)]);
  for (const { id, criu, sources, check } of rows) {
    expect([id, criu.from ?? criu.fixed]).not.toEqual([id, undefined]);
    expect([id, sources.length > 0, ids.has(check)]).toEqual([id, true, true]);
  }
});

test("explain knows the words of every row, and the same check", () => {
  for (const { id, says, check } of rows) {
    if (says === null) continue;
    const known = explain(lineOf(says));
    expect([id, known?.check]).toEqual([id, check]);
  }
});

test("which CRIU has a fault, and on which kernel it shows", () => {
  const fault = knownFault("mount-propagation");
  const has = (version: string | undefined) => criuHas(fault, version);
  expect(["3.16", "3.17", "4.1", "4.1.1", "4.2"].map(has)).toEqual([
    false,
    true,
    true,
    false,
    false,
  ]);
  expect(has(undefined)).toBe(true);
  const shows = (kernel: string) => showsOn(fault, kernel);
  expect(["6.16.0", "6.18.5-amd64", "7.0.1", "6.12.36", "5.15"].map(shows)).toEqual([
    "yes",
    "yes",
    "yes",
    "maybe",
    "maybe",
  ]);
  expect(showsOn(knownFault("vvar-vclock"), "6.12")).toBe("no");
  expect(versionsOf(fault)).toBe(
    "from 3.17 on and before 4.1.1 on Linux 6.16 and later and stable updates of others",
  );
  expect(["4.3", "4.3.2", "4.2.1", "4.4", "5.0"].map(isBeyondKnown)).toEqual([
    false,
    false,
    false,
    true,
    true,
  ]);
});
