import { dump, openStage, run, start } from "../stage.ts";
import { refused } from "../untrusted.ts";
import { expect, test } from "bun:test";

test("untrusted-sched: before all others", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["fifo", "7", "0"]);
  await refused(stage, {
    id: "untrusted-sched",
    images: await dump(stage, pid),
    pid,
    subject: `thread ${pid}`,
    done: async () => {
      const { stdout } = await run(stage, ["chrt", "-p", String(pid)]);
      expect(stdout).toContain("SCHED_FIFO");
    },
  });
});
