/** In a fresh pid namespace the images need the very numbers that recriu's own threads got. */
import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { compile } from "./stage/compile.ts";
import { criu, openStage, recriuBinary, run } from "./stage.ts";

const PID = 5;

test("recriu moves aside when its own threads have the numbers of the tree", async () => {
  await using stage = openStage();
  const images = join(stage.dir, "images");
  mkdirSync(images);
  const fresh = (script: string) =>
    run(stage, ["unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", script]);
  const workload = `setsid ${compile("sched")} ${stage.dir}/ready other 0 0`;
  const steps = [
    `echo ${PID - 1} >/proc/sys/kernel/ns_last_pid`,
    `{ ${workload} </dev/null >/dev/null 2>&1 & }`,
    `until [ -e ${stage.dir}/ready ]; do sleep 0.01; done`,
    `${criu} dump -t ${PID} -D ${images} -o dump.log`,
  ];
  const dumped = await fresh(steps.join("; "));
  expect(dumped.exit).toBe(0);

  const where = `-D ${images} --criu=${criu}`;
  const restore = `${recriuBinary} restore -d ${where}`;
  // Its own threads are gone when a restore begins: a look does not see them.
  const looked = await fresh(`${recriuBinary} preflight ${where}`);
  expect(looked.exit).toBe(0);
  const restored = await fresh(`${restore}; code=$?; cat /proc/${PID}/comm; exit $code`);
  expect(restored).toMatchObject({ exit: 0, stdout: "sched\n" });
  expect(restored.stderr).toContain("verified");
});
