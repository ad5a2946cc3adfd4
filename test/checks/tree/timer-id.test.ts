import { timerId } from "../../../src/checks/tree/timer-id.ts";
import { fixture, image } from "../../image/fixture.ts";
import { withContext } from "../context.ts";
import { thread } from "../kernel.ts";
import { expect, test } from "bun:test";

test("timer-id: CRIU before 4.2 counts up to it", () => {
  const none = { isec: 0n, iusec: 0n, vsec: 0n, vusec: 0n };
  const posix = { it_id: 5_000_000, clock_id: 1, si_signo: 14, it_sigev_notify: 0, sival_ptr: 0n };
  const spec = { overrun: 0, isec: 0n, insec: 0n, vsec: 0n, vnsec: 0n };
  const tc = {
    task_state: 1,
    exit_code: 0,
    personality: 0,
    flags: 0,
    blk_sigset: 0n,
    comm: "task",
    timers: { real: none, virt: none, prof: none, posix: [{ ...posix, ...spec }] },
  };
  const images = {
    ...fixture(),
    "core-10.img": image("core-10.img", [{ mtype: 1, tc, thread_core: thread }]),
  };
  const run = (version: string) =>
    withContext(images, { version }, (context) => [...timerId.run(context)]);
  expect(run("4.1.1")).toMatchObject([{ severity: "warning", task: 10 }]);
  expect(run("4.2")).toEqual([]);
});
