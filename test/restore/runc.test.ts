/** runc, alone and with recriu in its place: a container whose socket's directory is gone from its root file system. */
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { answers, checkpoint, makeContainer, restoreWords } from "./oci.ts";
import { contents, shadows } from "./shadow.ts";
import { descendants, openStage, run } from "./stage.ts";

test("runc: fails alone, and works with recriu-runc in its place", async () => {
  await using stage = openStage();
  const container = makeContainer(stage, "runc");
  await checkpoint(container);
  rmSync(container.sockets, { recursive: true });

  const alone = await container.alone(...restoreWords(container, "alone"));
  expect(alone.exit).toBe(1);
  expect(readFileSync(container.log, "utf8")).toMatch(
    /Can't bind id \S+ ino \d+ addr \/tmp\/.X11-unix\/X7: No such file/,
  );

  const guarded = await container.guarded(...restoreWords(container, "guarded"));
  expect([guarded.exit, readFileSync(join(stage.dir, "stderr"), "utf8")]).toEqual([0, ""]);
  expect(await answers(container, "still there")).toBe("still there");
  expect(existsSync(container.sockets)).toBe(true);
  for (const words of [
    ["kill", "guarded", "KILL"],
    ["delete", "--force", "guarded"],
  ])
    await container.guarded(...words);
});

test("runc: a priority that was not saved, which fails alone", async () => {
  await using stage = openStage();
  const container = makeContainer(stage, "runc");
  await checkpoint(container);
  const { images } = container;
  for (const file of readdirSync(images).filter((name) => name.startsWith("core-")))
    edit(images, file, ([{ thread_core }]) => {
      if (thread_core.sched_policy >= 0x40000000) delete thread_core.sched_prio;
    });
  const before = contents(images);

  const alone = await container.alone(...restoreWords(container, "alone"));
  expect(alone.exit).toBe(1);
  expect(readFileSync(container.log, "utf8")).toContain("Inconsistent sched params received");

  const guarded = await container.guarded(...restoreWords(container, "guarded"));
  expect([guarded.exit, readFileSync(join(stage.dir, "stderr"), "utf8")]).toEqual([0, ""]);
  expect(await answers(container, "still there")).toBe("still there");
  const policies = await Promise.all(
    descendants(stage.supervisor.pid).map(
      async ({ pid }) => (await run(stage, ["chrt", "-a", "-p", `${pid}`])).stdout,
    ),
  );
  expect(policies.join("")).toMatch(/SCHED_FIFO\|SCHED_RESET_ON_FORK\n.*priority: 1\n/);
  expect(shadows(stage.dir)).toEqual([]);
  expect(contents(images)).toEqual(before);
  for (const words of [
    ["kill", "guarded", "KILL"],
    ["delete", "--force", "guarded"],
  ])
    await container.guarded(...words);
});
