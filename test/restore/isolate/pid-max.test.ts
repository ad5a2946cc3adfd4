/** A number above this machine's kernel.pid_max: a namespace has a limit of its own, since Linux 6.14. */
import { startDumped } from "../stage/dumped.ts";
import { expect, test } from "bun:test";
import { blockers, finding } from "../report.ts";
import { openStage } from "../stage.ts";
import { bareUnder, reportUnder } from "../under.ts";

const belowPidMax = (limit: number) => (command: string) => [
  "unshare",
  "--pid",
  "--fork",
  "--mount-proc",
  "sh",
  "-c",
  `echo ${limit} >/proc/sys/kernel/pid_max && ${command}; code=$?; cat /proc/sys/kernel/pid_max >&2; exit $code`,
];

test("a number that the kernel does not give here is given inside, and the machine's limit stays", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  for (const [limit, blocks] of [
    [pid, true],
    [pid - 1, false],
  ] as const) {
    const before = await reportUnder(stage, belowPidMax(limit), "preflight", images);
    expect([blockers(before), finding(before, "pid-max").isolate]).toEqual([
      blocks ? ["pid-max"] : [],
      "pid",
    ]);
    expect((await bareUnder(stage, belowPidMax(limit), images)).exit).toBe(blocks ? 1 : 0);
    const option = blocks ? "--isolate" : "--isolate=pid";
    const done = await reportUnder(stage, belowPidMax(limit), "restore", images, ["-d", option]);
    expect([done.exit, done.plan.isolate]).toEqual([0, ["pid", "mount"]]);
    expect(done.verdict?.result).toBe("match");
    expect(done.stderr.trim().split("\n").at(-1)).toBe(`${limit}`);
  }
});
