/** SCHED_RESET_ON_FORK by the version of CRIU, which is made up here; test/restore/sched-edits.test.ts has a real one. */
import { expect, test } from "bun:test";
import { schedPriorityLost } from "../../src/checks/tree/sched-priority-lost.ts";
import { schedResetOnFork } from "../../src/checks/tree/sched-reset-on-fork.ts";
import { fixture, image } from "../image/fixture.ts";
import { withContext } from "./context.ts";

const images = (sched: object) => {
  const thread = { futex_rla: 0n, futex_rla_len: 0, ...sched };
  return { ...fixture(), "core-11.img": image("core-11.img", [{ mtype: 1, thread_core: thread }]) };
};
const fifo99 = images({ sched_policy: 0x40000001, sched_prio: 99, sched_nice: 0 });

test("CRIU before 4.0 refuses the flag, by thread and with its own message", () => {
  const findings = withContext(fifo99, { version: "3.19" }, (context) =>
    schedResetOnFork.run(context),
  );
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
  const findings = withContext(fifo99, { version: "4.0" }, (context) =>
    schedResetOnFork.run(context),
  );
  expect(findings).toMatchObject([{ severity: "info" }]);
});

test("a real-time policy without a priority is its own finding; others without one are none", () => {
  const lost = images({ sched_policy: 0x40000002, sched_nice: -3 });
  withContext(lost, { version: "3.19" }, (context) => {
    expect(schedResetOnFork.run(context)).toEqual([]);
    expect(schedPriorityLost.run(context)).toMatchObject([
      {
        criu_message: "Inconsistent sched params received (1073741826.-3.0)",
      },
    ]);
  });
  const batch = images({ sched_policy: 3 });
  expect(withContext(batch, {}, (context) => schedPriorityLost.run(context))).toEqual([]);
});
