/** SCHED_RESET_ON_FORK by the version of CRIU, which is made up here; test/restore/sched-edits.test.ts has a real one. */
import { schedPriorityLost } from "../../src/checks/tree/sched-priority-lost.ts";
import { schedResetOnFork } from "../../src/checks/tree/sched-reset-on-fork.ts";
import { withContext } from "./context.ts";
import { images } from "./sched.ts";
import { expect, test } from "bun:test";

test("a real-time policy without a priority is its own finding; others without one are none", () => {
  const lost = images({ sched_policy: 0x40000002, sched_nice: -3 });
  withContext(lost, { version: "3.19" }, (context) => {
    expect([...schedResetOnFork.run(context)]).toEqual([]);
    expect([...schedPriorityLost.run(context)]).toMatchObject([
      {
        criu_message: "Inconsistent sched params received (1073741826.-3.0)",
      },
    ]);
  });
  const batch = images({ sched_policy: 3 });
  expect(withContext(batch, {}, (context) => [...schedPriorityLost.run(context)])).toEqual([]);
});
