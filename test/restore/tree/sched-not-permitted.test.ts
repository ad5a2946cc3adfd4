import { startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { finding, report } from "../report.ts";
import { killTree, openStage, run } from "../stage.ts";
import { bareUnder, reportUnder } from "../under.ts";
import { expect, test } from "bun:test";

/** Without CAP_SYS_NICE. */
const notNice = ["capsh", "--drop=cap_sys_nice", "--", "-c", 'exec "$@"', "sh"];

test("sched-not-permitted: CRIU loses a priority without a word", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "sched", ["rr", "20", "-3"]);
  // The bounding set is part of the credentials: a task that had no CAP_SYS_NICE needs none.
  edit(images, `core-${pid}.img`, ([core]) => {
    const creds = core.thread_core.creds;
    for (const set of [creds.cap_prm, creds.cap_eff, creds.cap_bnd]) set[0] &= ~(1 << 23);
    for (const set of [creds.cap_prm, creds.cap_eff, creds.cap_bnd]) set[0] >>>= 0;
  });
  const preflight = await reportUnder(stage, notNice, "preflight", images);
  expect(preflight.exit).toBe(0);
  expect(finding(preflight, "sched-not-permitted")).toMatchObject({
    severity: "warning",
    subject: `thread ${pid}`,
  });
  const policy = async () => (await run(stage, ["chrt", "-p", `${pid}`])).stdout;
  expect((await bareUnder(stage, notNice, images)).exit).toBe(0);
  expect(await policy()).toContain("SCHED_OTHER");
  await killTree(stage, pid);
  const allowed = await report(stage, "restore", images);
  expect(allowed).toMatchObject({ exit: 0, findings: [] });
  expect(await policy()).toContain("SCHED_RR");
});
