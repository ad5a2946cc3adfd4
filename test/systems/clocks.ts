/** The clocks of a tree: its own go on in a time namespace, wherever it comes back. */
import { report } from "../restore/report.ts";
import { dump, killTree, openStage, run, running, waitFor } from "../restore/stage.ts";
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";

test("a tree in a time namespace of its own goes on by its own clock", async () => {
  await using stage = openStage();
  // The child is in the new namespace, its parent is not.
  const enter = ["unshare", "--time", "--fork", "--boottime=777000", "--monotonic=777000"];
  await stage.supervisor.spawn([...enter, "setsid", "sleep", "5000"], { cwd: "/" });
  await waitFor("it", () => running(stage, "sleep").length === 1);
  const pid = running(stage, "sleep")[0]!;
  const uptime = async () => {
    const { stdout } = await run(stage, [
      "nsenter",
      "--time",
      `--target=${pid}`,
      "cat",
      "/proc/uptime",
    ]);
    return Number.parseFloat(stdout);
  };
  const before = await uptime();
  expect(before).toBeGreaterThan(777_000);
  const images = await dump(stage, pid);
  const done = await report(stage, "restore", images);
  expect(done).toMatchObject({ exit: 0, findings: [], verdict: { result: "match" } });
  const after = await uptime();
  expect(after).toBeGreaterThanOrEqual(before);
  expect(after).toBeLessThan(before + 3600);
  expect(readFileSync(`/proc/${pid}/comm`, "utf8").trim()).toBe("sleep");
  await killTree(stage, pid);
});
