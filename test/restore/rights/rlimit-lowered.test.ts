import { startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { finding, report } from "../report.ts";
import { clear, without } from "../rights.ts";
import { killTree, openStage } from "../stage.ts";
import { bareUnder, reportUnder } from "../under.ts";
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";

test("rlimit-lowered: CRIU cannot give more than it has", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  // Below what any shell has, and far below what the images have.
  const less = (command: string) => [
    "sh",
    "-c",
    `ulimit -S -s 1024; ulimit -H -s 2048; ${command}`,
  ];
  const noResource = (command: string) => [
    ...without("cap_sys_resource").slice(0, 4),
    less(command)[2]!,
  ];
  // Here the capability may be missing anyway: then the images have none either.
  edit(images, `core-${pid}.img`, ([core]) => {
    const { cap_prm, cap_eff, cap_bnd } = core.thread_core.creds;
    for (const set of [cap_prm, cap_eff, cap_bnd]) clear(set, 24);
  });
  const stack = () =>
    /^Max stack size\s+(\S+)\s+(\S+)/m.exec(readFileSync(`/proc/${pid}/limits`, "utf8"))![2];
  const preflight = await reportUnder(stage, noResource, "preflight", images);
  expect(preflight.exit).toBe(0);
  expect(finding(preflight, "rlimit-lowered")).toMatchObject({
    severity: "warning",
    subject: "RLIMIT_STACK",
  });
  expect((await bareUnder(stage, noResource, images)).exit).toBe(0);
  expect(stack()).toBe(`${2048 * 1024}`);
  await killTree(stage, pid);
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 0, findings: [] });
  expect(stack()).toBe("unlimited");
});
