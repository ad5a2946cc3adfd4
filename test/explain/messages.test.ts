/** How much of what CRIU can print is known; docs/explain.md says just that. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import {
  countOf,
  earlier,
  explainPage,
  isKnown,
  isToldOf,
  messages,
  others,
  othersEarlier,
} from "../../scripts/explained.ts";

test("nearly all that can end a restore, and a dump, is known", () => {
  const share = (way: string) => {
    const { all, known } = countOf(messages.filter(({ ways }) => ways.includes(way)));
    return known / all;
  };
  expect(messages.length).toBeGreaterThan(2800);
  expect(share("")).toBeGreaterThan(0.95);
  expect(share("r")).toBeGreaterThan(0.95);
  expect(share("d")).toBeGreaterThan(0.95);
});

test("so is what earlier CRIUs said", () => {
  expect(earlier.length).toBeGreaterThan(800);
  expect(earlier.filter(isKnown).length / earlier.length).toBeGreaterThan(0.95);
});

test("so is most of what earlier releases of theirs said", () => {
  expect(othersEarlier.length).toBeGreaterThan(150);
  expect(othersEarlier.filter(isToldOf).length / othersEarlier.length).toBeGreaterThan(0.85);
});

test("most of what runtimes and engines say of a checkpoint is told of", () => {
  const known = ["runc", "crun", "youki", "Podman", "Docker", "nerdctl", "containerd", "CRI-O"]
    .concat(["LXC", "Incus", "OpenJ9", "CRaC"])
    .map((name): [string, number] => {
      const some = others.filter(({ by }) => by === name);
      return [name, some.filter(isToldOf).length / some.length];
    });
  expect(known.filter(([, share]) => !(share > 0.7))).toEqual([]);
});

test("docs/explain.md is current (npm run docs)", () => {
  const page = readFileSync(join(import.meta.dir, "../../docs/explain.md"), "utf8");
  expect(page).toBe(explainPage());
});
