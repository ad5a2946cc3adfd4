/** How tasks die or died. */
import { expect, test } from "bun:test";
import { cpSync } from "node:fs";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { blockers, finding, report } from "./report.ts";
import {
  descendants,
  dump,
  killTree,
  openStage,
  processOf,
  restoreBare,
  start,
  waitFor,
} from "./stage.ts";

const SIGKILL = 9;
const SIGWINCH = 28;

test("the root asked for SIGKILL at its parent's death, and a detached CRIU ends", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "relations", ["pdeath", `${SIGKILL}`]);
  const images = await dump(stage, pid);
  const preflight = await report(stage, "preflight", images, ["-d"]);
  expect(preflight.exit).toBe(3);
  expect(finding(preflight, "root-pdeath-signal")).toMatchObject({
    severity: "blocker",
    task: pid,
  });
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(0);
  await waitFor("the root to be dead", () => processOf(pid) === null);
  // Where CRIU stays its parent, it lives.
  expect((await report(stage, "preflight", images)).findings).toEqual([]);
});

test("another signal than SIGKILL may be handled: a warning", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "relations", ["pdeath", `${SIGWINCH}`]);
  const images = await dump(stage, pid);
  const restored = await report(stage, "restore", images);
  expect(finding(restored, "root-pdeath-signal").severity).toBe("warning");
  expect(restored.exit).toBe(0);
  expect(processOf(pid)).not.toBeNull();
});

test("a signal at the parent's death that no kernel has", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "relations", ["pdeath", `${SIGWINCH}`]);
  const images = await dump(stage, pid);
  const spoiled = join(stage.dir, "spoiled");
  cpSync(images, spoiled, { recursive: true });
  edit(spoiled, `core-${pid}.img`, ([core]) => (core.thread_core.pdeath_sig = 65));
  const preflight = await report(stage, "preflight", spoiled);
  expect(blockers(preflight)).toEqual(["pdeath-signal-invalid"]);
  const bare = await restoreBare(stage, spoiled);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "pdeath-signal-invalid").criu_message!);
  expect((await restoreBare(stage, images)).exit).toBe(0);
});

test("a zombie's exit code of 128 and more is cut", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "relations", ["zombie", "200"]);
  const zombie = descendants(pid)[0]!.pid;
  const images = await dump(stage, pid);
  const preflight = await report(stage, "preflight", images);
  expect(preflight.exit).toBe(0);
  expect(finding(preflight, "zombie-exit-code")).toMatchObject({
    severity: "warning",
    task: zombie,
  });
  expect((await restoreBare(stage, images)).exit).toBe(0);
  expect(processOf(zombie)?.state).toBe("Z");
  expect(exitStatus(zombie)).toBe((200 & 0x7f) << 8);
  await killTree(stage, pid);

  const small = await start(stage, "relations", ["zombie", "100"]);
  const kept = descendants(small.pid)[0]!.pid;
  const others = await dump(stage, small.pid);
  expect((await report(stage, "restore", others)).findings).toEqual([]);
  expect(exitStatus(kept)).toBe(100 << 8);
});

/** The last field of /proc/PID/stat, as wait(2) would tell it. */
function exitStatus(pid: number): number {
  const stat = Bun.spawnSync(["cat", `/proc/${pid}/stat`]).stdout.toString();
  return Number(stat.trim().split(" ").pop());
}
