/** Under systemd: a service that was checkpointed and stopped comes back into its own cgroup. */
import { report } from "../restore/report.ts";
import { dump, killTree, openStage, run, waitFor } from "../restore/stage.ts";
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";

const cgroup = (pid: number) => /^0::(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))![1]!;

test("a service of system.slice, after systemctl stop", async () => {
  expect(readFileSync("/proc/1/comm", "utf8").trim()).toBe("systemd");
  await using stage = openStage();
  const unit = "recriu-case.service";
  const quiet = ["StandardInput", "StandardOutput", "StandardError"].map(
    (each) => `--property=${each}=null`,
  );
  const begin = ["systemd-run", `--unit=${unit}`, ...quiet, "--", "sleep", "5000"];
  expect(await run(stage, begin)).toMatchObject({ exit: 0 });
  const shown = await run(stage, ["systemctl", "show", "--property=MainPID", "--value", unit]);
  const pid = Number(shown.stdout);
  await waitFor("it", () => readFileSync(`/proc/${pid}/comm`, "utf8") === "sleep\n");
  expect(cgroup(pid)).toBe(`/system.slice/${unit}`);
  const images = await dump(stage, pid);
  await run(stage, ["systemctl", "reset-failed", unit]);
  await waitFor("its cgroup to be gone", () => !existsSync(`/sys/fs/cgroup/system.slice/${unit}`));
  const done = await report(stage, "restore", images);
  expect(done).toMatchObject({ exit: 0, run: { pid }, verdict: { result: "match" } });
  expect(cgroup(pid)).toBe(`/system.slice/${unit}`);
  await killTree(stage, pid);
});
