/** Tasks that end while they are watched: how, and what of them is not known. */
import { expect, test } from "bun:test";
import { watchEnds } from "../../src/restore/ends.ts";

const shell = (code: string) => Bun.spawn(["sh", "-c", code], { stdin: "ignore" });

test("how each ended, and that the others live; those that are gone beforehand are counted", async () => {
  const [exits, killed, lives] = [
    shell("sleep 0.1; exit 7"),
    shell("exec sleep 60"),
    shell("exec sleep 60"),
  ];
  const watch = watchEnds(
    new Map([
      [10, exits.pid],
      [11, killed.pid],
      [12, lives.pid],
      [13, 0x3ffffe],
    ]),
  );
  expect([watch.watched, watch.unwatched]).toEqual([3, 1]);
  killed.kill("SIGTERM");
  const before = performance.now();
  await watch.wait(0.5);
  expect(performance.now() - before).toBeGreaterThan(450);
  const ended = watch
    .close()
    .map(({ task, pid, code, signal, core_dumped }) => ({ task, pid, code, signal, core_dumped }));
  expect(ended).toEqual([
    { task: 10, pid: exits.pid, code: 7, signal: null, core_dumped: false },
    { task: 11, pid: killed.pid, code: null, signal: 15, core_dumped: false },
  ]);
  lives.kill("SIGKILL");
  await lives.exited;
});

test("it is not waited for longer than one lives", async () => {
  const child = shell("exit 0");
  const watch = watchEnds(new Map([[10, child.pid]]));
  const before = performance.now();
  await watch.wait(60);
  expect(performance.now() - before).toBeLessThan(30_000);
  expect(watch.close()).toMatchObject([{ task: 10, code: 0 }]);
});
