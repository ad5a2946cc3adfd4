import { startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { finding } from "../report.ts";
import { clear, without } from "../rights.ts";
import { killTree, openStage } from "../stage.ts";
import { bareUnder, reportUnder } from "../under.ts";
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";

test("oom-score-inherited: 0 is not written, and less than 0 not checked", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  const higher = (command: string) => [
    "sh",
    "-c",
    `echo 300 >/proc/self/oom_score_adj; ${command}`,
  ];
  const score = () => readFileSync(`/proc/${pid}/oom_score_adj`, "utf8").trim();
  const preflight = await reportUnder(stage, higher, "preflight", images);
  expect(finding(preflight, "oom-score-inherited")).toMatchObject({ severity: "info", task: pid });
  expect((await bareUnder(stage, higher, images)).exit).toBe(0);
  expect(score()).toBe("300");
  await killTree(stage, pid);
  expect((await reportUnder(stage, higher, "restore", images)).exit).toBe(0);
  expect(score()).toBe("0");
  await killTree(stage, pid);

  edit(images, `core-${pid}.img`, ([core]) => {
    core.tc.oom_score_adj = -500;
    const { cap_prm, cap_eff, cap_bnd } = core.thread_core.creds;
    for (const set of [cap_prm, cap_eff, cap_bnd]) clear(set, 24);
  });
  const noResource = without("cap_sys_resource");
  const lower = await reportUnder(stage, noResource, "preflight", images);
  expect(finding(lower, "oom-score-inherited")).toMatchObject({ severity: "warning", task: pid });
  expect((await bareUnder(stage, noResource, images)).exit).toBe(0);
  expect(score()).toBe("0");
});
