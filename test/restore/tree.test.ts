/** Ending a tree: when it has let go of what it had. */
import { expect, test } from "bun:test";
import { readStat, threadsOf } from "../../src/host/processes.ts";
import { gone } from "../../src/restore/tree.ts";
import { openStage, start, waitFor } from "./stage.ts";

test("a zombie whose other threads live has let go of nothing yet", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "leaderless", ["1500"]);
  await waitFor("its first thread to end", () => readStat(pid)?.state === "Z");
  expect(threadsOf(pid).length).toBe(2);
  await gone([pid]);
  expect(threadsOf(pid).length).toBeLessThan(2);
});
