import { startDumped } from "../stage/dumped.ts";
import { blockers, finding, report } from "../report.ts";
import { openStage } from "../stage.ts";
import { expect, test } from "bun:test";

test("criu-missing", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage);
  const missing = await report(stage, "restore", images, [`--criu=${stage.dir}/criu`]);
  expect(missing).toMatchObject({ exit: 3, run: null, criu: { path: null, version: null } });
  expect(blockers(missing)).toEqual(["criu-missing"]);
  expect(finding(missing, "criu-missing").message).toContain(
    `${stage.dir}/criu does not exist (named by --criu)`,
  );
  const env = { RECRIU_CRIU: "/nope" };
  const named = finding(await report(stage, "preflight", images, [], { env }), "criu-missing");
  expect(named.message).toContain("/nope does not exist (named by RECRIU_CRIU)");
  expect(named.remedy).toMatchObject({ command: null });
  expect(named.remedy.text).toContain("RECRIU_CRIU");
  expect((await report(stage, "restore", images)).exit).toBe(0);
});
