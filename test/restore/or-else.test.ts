/** --or-else: a cold start, where nothing was restored and nothing is left of it. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { openStage, recriu } from "./stage.ts";

const cold = ["--or-else", "sh", "-c", 'echo "cold $1 $RECRIU_CRIU"; exit 9', "sh", "--dry-run"];

test("it becomes the command when blocked, when CRIU fails, when nothing can be read; not when it restores", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage);
  const restore = ["restore", "-d", "-D", images];
  const failed = await recriu(stage, [...restore, "--action-script", "/bin/false", ...cold]);
  expect([failed.exit, failed.stdout]).toMatchObject([
    9,
    expect.stringMatching(/^cold --dry-run \//),
  ]);
  expect(failed.stderr).toContain("nothing was restored: sh -c ");
  const nothing = await recriu(stage, ["restore", "-d", "-D", stage.dir, ...cold]);
  expect(nothing.exit).toBe(9);
  const unknown = await recriu(stage, [...restore, "--no-such-option", ...cold]);
  expect([unknown.exit, unknown.stdout]).toEqual([2, ""]);
  const missing = await recriu(stage, ["restore", "-D", stage.dir, "--or-else", "no-such-program"]);
  expect([missing.exit, missing.stderr.includes("there is no program no-such-program")]).toEqual([
    2,
    true,
  ]);
  expect((await recriu(stage, [...restore, "--or-else"])).exit).toBe(2);
  const done = await recriu(stage, [...restore, ...cold]);
  expect([done.exit, done.stdout]).toEqual([0, ""]);
  // Now its number is taken, by itself.
  const blocked = await recriu(stage, [...restore, ...cold]);
  expect(blocked.exit).toBe(9);
  // Only a restore is answered so.
  const looked = await recriu(stage, ["preflight", "-D", images, ...cold]);
  expect([looked.exit, looked.stdout]).toEqual([3, ""]);
  const shown = await recriu(stage, [...restore, "--dry-run", ...cold]);
  expect([shown.exit, shown.stdout]).toEqual([3, ""]);
});
