import { copyOf, startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { finding } from "../report.ts";
import { openStage } from "../stage.ts";
import { setting } from "../stage/sysctl.ts";
import { typed } from "../typed.ts";
import { bareUnder, reportUnder } from "../under.ts";
import { expect, test } from "bun:test";
import { readFileSync, renameSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";

const limitNow = () => readFileSync("/proc/sys/kernel/pid_max", "utf8").trim();

/** Before Linux 6.14 the limit of a pid namespace is the machine's. */
const [major = 0, minor = 0] = release().split(".").map(Number);
const isOwn = major > 6 || (major === 6 && minor >= 14);

/** In a pid namespace of its own; the caller sets the machine's limit back, where that is it. */
const belowPidMax = (limit: number) => (command: string) => [
  "unshare",
  "--pid",
  "--fork",
  "--mount-proc",
  "sh",
  "-c",
  `echo ${limit} >/proc/sys/kernel/pid_max && ${command}; code=$?; cat /proc/sys/kernel/pid_max >&2; exit $code`,
];

/** A limit below 301 is none (RESERVED_PIDS), and so small are the numbers of a machine that has just started. */
const last = "/proc/sys/kernel/ns_last_pid";
if (Number(readFileSync(last, "utf8")) < 1000) writeFileSync(last, "1000");

test("pid-max: CRIU raises the machine's limit, but not far enough for a number that equals it", async () => {
  await using stage = openStage();
  const before = limitNow();
  using _ = setting("kernel/pid_max", before);
  const { pid, images } = await startDumped(stage);
  const high = await reportUnder(stage, belowPidMax(pid - 1), "preflight", images);
  expect(finding(high, "pid-max")).toMatchObject({ severity: "warning", criu_message: null });
  expect(high.exit).toBe(0);
  const raised = await bareUnder(stage, belowPidMax(pid - 1), images);
  expect([raised.exit, raised.stderr.trim()]).toEqual([0, `${pid + 1}`]);
  // A restore that fails leaves it so; recriu sets it back.
  const veto = ["-d", "--action-script", "/bin/false"];
  const failed = await bareUnder(stage, belowPidMax(pid - 1), images, veto);
  expect([failed.exit, failed.stderr.trim().split("\n").at(-1)]).toEqual([1, `${pid + 1}`]);
  const undone = await reportUnder(stage, belowPidMax(pid - 1), "restore", images, veto);
  expect([undone.exit, undone.failure?.left]).toEqual([1, []]);
  expect(undone.stderr.trim().split("\n").at(-1)).toBe(`${pid - 1}`);

  const equal = await reportUnder(stage, belowPidMax(pid), "preflight", images);
  expect(finding(equal, "pid-max")).toMatchObject({ severity: "blocker", task: pid });
  const bare = await bareUnder(stage, belowPidMax(pid), images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(equal, "pid-max").criu_message!);
  const raisedFirst = { under: belowPidMax(pid), thenRestore: true } as const;
  expect((await typed(stage, equal, "pid-max", raisedFirst)).exit).toBe(0);
  const enough = await reportUnder(stage, belowPidMax(pid + 1), "preflight", images);
  expect(enough.findings).toEqual([]);
  expect((await bareUnder(stage, belowPidMax(pid + 1), images)).exit).toBe(0);
  expect(limitNow() === before).toBe(isOwn);
});

test("pid-max: a thread above the limit is not looked at by CRIU", async () => {
  await using stage = openStage();
  using _ = setting("kernel/pid_max", limitNow());
  const { images } = await startDumped(stage, "tree", [
    stage.dir,
    "/etc/hostname",
    `${stage.dir}/log`,
    "1",
  ]);
  const far = copyOf(stage, images, "far");
  let largest = 0;
  edit(far, "pstree.img", (entries) => {
    largest = Math.max(...entries.flatMap((entry) => [entry.pid, ...entry.threads.slice(1)])) + 50;
    const leaf = entries.find((entry) => entry.threads.length > 1);
    const core = (tid: number) => join(far, `core-${tid}.img`);
    renameSync(core(leaf.threads[1]), core(largest));
    leaf.threads[1] = largest;
  });
  const preflight = await reportUnder(stage, belowPidMax(largest), "preflight", far);
  expect(finding(preflight, "pid-max")).toMatchObject({
    severity: "blocker",
    subject: `${largest}`,
  });
  const bare = await bareUnder(stage, belowPidMax(largest), far);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "pid-max").criu_message!);
  const options = ["-d"];
  expect((await bareUnder(stage, belowPidMax(largest + 1), far, options)).exit).toBe(0);
});
