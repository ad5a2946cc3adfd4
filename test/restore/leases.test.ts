/** Leases on files (fcntl(2), F_SETLEASE): compared, and that CRIU has a broken one told of twice. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { report } from "./report.ts";
import { killTree, openStage, recriu, restoreBare, waitFor } from "./stage.ts";

const options = ["--file-locks"];

test("a lease that was being broken: the program is told once more, and the verdict says so", async () => {
  await using stage = openStage();
  const file = join(stage.dir, "file");
  const told = () => readFileSync(`${file}.told`, "utf8");
  const { pid, images } = await startDumped(stage, "objects", ["broken", file], { dump: options });
  expect(told()).toBe("!");
  expect((await restoreBare(stage, images, options)).exit).toBe(0);
  await waitFor("the program to be told again", () => told() === "!!");
  await killTree(stage, pid);

  const done = await report(stage, "restore", images, options);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match", not_compared: 0 } });
  expect(done.verdict!.differences).toMatchObject([
    {
      facet: "signals",
      class: "tolerated",
      expected: "pending signals that were not saved: none",
      found: "SIGIO",
    },
  ]);
  await waitFor("the program to be told a third time", () => told() === "!!!");
  await killTree(stage, pid);
});

for (const thing of ["lease", "broken"])
  test(`${thing}: the lease is compared, with its type and state`, async () => {
    await using stage = openStage();
    const { pid, images } = await startDumped(stage, "objects", [thing, join(stage.dir, "file")], {
      dump: options,
    });
    expect((await restoreBare(stage, images, options)).exit).toBe(0);
    const verdict = async () => {
      const words = ["verify", "-D", images, "--pid", `${pid}`, "--json", ...options];
      return JSON.parse((await recriu(stage, words)).stdout).verdict;
    };
    expect((await verdict()).differences).toEqual([]);
    for (const bit of [1, 4]) {
      edit(images, "filelocks.img", ([lock]) => (lock.type ^= bit));
      expect((await verdict()).differences).toMatchObject([{ facet: "file locks" }]);
      edit(images, "filelocks.img", ([lock]) => (lock.type ^= bit));
    }
    await killTree(stage, pid);
  });
