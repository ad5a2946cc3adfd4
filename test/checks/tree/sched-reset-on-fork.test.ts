import { schedResetOnFork } from "../../../src/checks/tree/sched-reset-on-fork.ts";
import { withContext } from "../context.ts";
import { images } from "../sched.ts";
import { expect, test } from "bun:test";

const fifo99 = images({ sched_policy: 0x40000001, sched_prio: 99, sched_nice: 0 });

test("CRIU before 4.0 refuses the flag, by thread and with its own message", () => {
  const findings = withContext(fifo99, { version: "3.19" }, (context) => [
    ...schedResetOnFork.run(context),
  ]);
  expect(findings).toMatchObject([
    {
      severity: "blocker",
      task: 10,
      image: "core-11.img",
      criu_message: "Inconsistent sched params received (1073741825.0.99)",
    },
  ]);
});

test("CRIU from 4.0 on restores it: worth knowing, no more", () => {
  const findings = withContext(fifo99, { version: "4.0" }, (context) => [
    ...schedResetOnFork.run(context),
  ]);
  expect(findings).toMatchObject([{ severity: "info" }]);
});
