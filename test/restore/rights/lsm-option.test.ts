import { startDumped } from "../stage/dumped.ts";
import { blockers, finding, report } from "../report.ts";
import { otherLsm } from "../rights.ts";
import { openStage, restoreBare } from "../stage.ts";
import { expect, test } from "bun:test";

test("lsm-option: what --lsm-profile may say", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage);
  for (const value of ["docker-default", `${otherLsm.name}:${otherLsm.label}`, "smack:floor"]) {
    const options = [`--lsm-profile=${value}`];
    const preflight = await report(stage, "preflight", images, options);
    expect(blockers(preflight)).toEqual(["lsm-option"]);
    const bare = await restoreBare(stage, images, options);
    expect(bare.exit).toBe(1);
    expect(bare.log).toContain(finding(preflight, "lsm-option").criu_message!);
  }
  const none = await report(stage, "restore", images, ["--lsm-profile=none:"]);
  expect(none).toMatchObject({ exit: 0, findings: [] });
});
