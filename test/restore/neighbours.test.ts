/** Seals beside each other: what both took along is kept once, and is nothing that somebody else could have written. */
import { startDumped } from "./stage/dumped.ts";
import { spoil } from "./seal.ts";
import { report } from "./report.ts";
import { killTree, openStage, recriu, type Stage } from "./stage.ts";
import { expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const sealed = async (stage: Stage, images: string) => {
  const { exit, stderr } = await recriu(stage, ["seal", images, "--with-files"]);
  expect(exit).toBe(0);
  return stderr;
};

/** What a seal took along: inode and number of names, by name. */
function along(images: string): Map<string, [inode: number, names: number]> {
  const files = join(images, "recriu.files");
  const stats = readdirSync(files).map((name) => [name, statSync(join(files, name))] as const);
  return new Map(stats.map(([name, { ino, nlink }]) => [name, [ino, nlink]]));
}

test("two checkpoints of one program keep it once; removed with the one, it stays with the other", async () => {
  await using stage = openStage();
  const file = join(stage.dir, "file");
  writeFileSync(file, "one");
  const first = await startDumped(stage, "objects", ["read", file]);
  const other = join(stage.dir, "other");
  writeFileSync(other, "another");
  const second = await startDumped(stage, "objects", ["read", other]);
  expect(await sealed(stage, first.images)).not.toContain("(hard links)");
  expect(await sealed(stage, second.images)).toMatch(
    /\n\d+ of them are one file with what a seal beside this one took along \(hard links\)\n/,
  );
  const [one, two] = [along(first.images), along(second.images)];
  const both = [...two.keys()].filter((name) => one.has(name));
  // All but the file of its own.
  expect([both.length, one.size]).toEqual([two.size - 1, two.size]);
  expect(both.length).toBeGreaterThan(1);
  for (const name of both) expect([name, one.get(name)]).toEqual([name, [two.get(name)![0], 2]]);

  // Sealed again, nothing is written anew.
  await sealed(stage, second.images);
  expect(along(second.images)).toEqual(two);
  rmSync(first.images, { recursive: true });
  for (const [, names] of along(second.images).values()) expect(names).toBe(1);
  rmSync(other);
  expect(await report(stage, "restore", second.images)).toMatchObject({
    exit: 0,
    verdict: { result: "match" },
  });
  await killTree(stage, second.pid);
});

test("a neighbour's copy that is damaged, or that others could have written to, is not shared", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "objects");
  await killTree(stage, pid).catch(() => {});
  const neighbour = await startDumped(stage, "objects");
  await sealed(stage, neighbour.images);
  const files = join(neighbour.images, "recriu.files");
  const all = () => readdirSync(files).map((name) => join(files, name));
  const cases: [what: string, spoil: () => void, mend: () => void][] = [
    [
      "mode",
      () => all().forEach((file) => chmodSync(file, 0o620)),
      () => all().forEach((file) => chmodSync(file, 0o600)),
    ],
    [
      "owner",
      () => all().forEach((file) => chownSync(file, 1000, 0)),
      () => all().forEach((file) => chownSync(file, 0, 0)),
    ],
    ["directory", () => chmodSync(files, 0o770), () => chmodSync(files, 0o700)],
    ["its owner", () => chownSync(files, 1000, 0), () => chownSync(files, 0, 0)],
    ["bytes", () => all().forEach(spoil), () => {}],
  ];
  for (const [what, damage, mend] of cases) {
    damage();
    expect([what, await sealed(stage, images)]).toEqual([
      what,
      expect.not.stringContaining("(hard links)"),
    ]);
    for (const [name, [, names]] of along(images))
      expect([what, name, names]).toEqual([what, name, 1]);
    rmSync(join(images, "recriu.files"), { recursive: true });
    mend();
  }
  // Its own that is damaged is written anew.
  await sealed(stage, images);
  const kept = () =>
    [...along(images).keys()].map((name) => readFileSync(join(images, "recriu.files", name)));
  const before = kept();
  for (const name of along(images).keys()) spoil(join(images, "recriu.files", name));
  expect(kept()).not.toEqual(before);
  await sealed(stage, images);
  expect(kept()).toEqual(before);
});
