/** runc, alone and with recriu in its place: a container whose socket's directory is gone from its root file system. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { answers, checkpoint, makeContainer, restoreWords } from "./oci.ts";
import { openStage } from "./stage.ts";

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
