import { copyOf, startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { blockers, finding, report } from "../report.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { killTree, openStage } from "../stage.ts";
import { typed } from "../typed.ts";
import { reportUnder } from "../under.ts";
import { expect, test } from "bun:test";

const limited = (soft: number, hard: number | "" = "") => [
  "prlimit",
  `--nofile=${soft}:${hard}`,
  "capsh",
  "--drop=cap_sys_resource",
  "--",
  "-c",
  '"$@"; exit $?',
  "sh",
];

test("fd-too-big: the caller's own limit, where it cannot be raised", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "memory", ["fd", "4000"]);
  const named = await stageCheck({ id: "fd-too-big", stage, images, under: limited(1024) });
  expect(named).toMatchObject({ task: pid, subject: "4000" });
  // Room for the descriptor, but not for CRIU's own.
  await stageCheck({ id: "fd-too-big", stage, images, under: limited(4010) });
  await restores(stage, images, { under: limited(4096) });
  await killTree(stage, pid);
  // The hard limit is the tree's here.
  const told = await reportUnder(stage, limited(1024), "preflight", images);
  const here = { under: limited(1024), thenRestore: true } as const;
  expect((await typed(stage, told, "fd-too-big", here)).exit).toBe(0);
  const remedy = async (hard: number) =>
    finding(await reportUnder(stage, limited(1024, hard), "preflight", images), "fd-too-big")
      .remedy;
  expect((await remedy(8192)).command).toBe("ulimit -Sn 8192");
  expect((await remedy(4096)).command).toBe("ulimit -Sn 4096");
  expect(await remedy(4000)).toMatchObject({
    command: null,
    text: expect.stringContaining("a hard limit of 4096 open files (4000 now)"),
  });
});

test("fd-too-big: the kernel's limit", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage, "memory", ["fd", "4000"]);
  const beyond = copyOf(stage, images, "beyond");
  edit(beyond, "fdinfo-2.img", (fds) => {
    for (const entry of fds) if (entry.fd === 4000) entry.fd = 40_000_000;
  });
  await stageCheck({ id: "fd-too-big", stage, images: beyond });
  expect(blockers(await report(stage, "preflight", images))).toEqual([]);
});
