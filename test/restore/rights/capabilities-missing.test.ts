import { copyOf, startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { blockers, finding, report } from "../report.ts";
import { clear, without } from "../rights.ts";
import { killTree, openStage, restoreBare } from "../stage.ts";
import { bareUnder, reportUnder } from "../under.ts";
import { expect, test } from "bun:test";

test("capabilities-missing: a task had one that CRIU lacks", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  expect((await report(stage, "preflight", images)).findings).toEqual([]);
  const noMknod = without("cap_mknod");
  const preflight = await reportUnder(stage, noMknod, "preflight", images);
  expect(blockers(preflight)).toEqual(["capabilities-missing"]);
  const found = finding(preflight, "capabilities-missing");
  expect(found).toMatchObject({ task: pid, subject: `thread ${pid}` });
  expect(found.message).toContain("cap_mknod");
  const bare = await bareUnder(stage, noMknod, images);
  expect(bare.exit).not.toBe(0);
  expect(bare.log).toContain(found.criu_message!);
  expect((await report(stage, "restore", images)).exit).toBe(0);
});

// Before 3.19 CRIU sets ids that a task has already, too, which takes CAP_SETPCAP.
test("capabilities-missing: bounding sets can be made smaller with CAP_SETPCAP only, and never larger", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  const bounded = copyOf(stage, images, "bounded");
  edit(bounded, `core-${pid}.img`, ([core]) => {
    const { cap_prm, cap_eff, cap_bnd } = core.thread_core.creds;
    for (const set of [cap_prm, cap_eff, cap_bnd]) for (const cap of [8, 27]) clear(set, cap);
  });
  expect((await report(stage, "preflight", bounded)).findings).toEqual([]);
  const noPcap = await reportUnder(stage, without("cap_setpcap"), "preflight", bounded);
  expect(blockers(noPcap)).toEqual(["capabilities-missing"]);
  const bare = await bareUnder(stage, without("cap_setpcap"), bounded);
  expect(bare.exit).not.toBe(0);
  expect(bare.log).toContain(finding(noPcap, "capabilities-missing").criu_message!);
  expect((await restoreBare(stage, bounded)).exit).toBe(0);
  await killTree(stage, pid);

  // In the bounding set only: CRIU restores, with less.
  const wide = copyOf(stage, images, "wide");
  edit(wide, `core-${pid}.img`, ([core]) => {
    const { cap_prm, cap_eff } = core.thread_core.creds;
    for (const set of [cap_prm, cap_eff]) clear(set, 27);
  });
  const narrow = await reportUnder(stage, without("cap_mknod"), "preflight", wide);
  expect(finding(narrow, "capabilities-missing").severity).toBe("warning");
  expect((await bareUnder(stage, without("cap_mknod"), wide)).exit).toBe(0);
});

test("capabilities-missing: another user needs CAP_SETUID", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  edit(images, `core-${pid}.img`, ([core]) => {
    Object.assign(core.thread_core.creds, { uid: 1000, euid: 1000, suid: 1000, fsuid: 1000 });
    for (const set of [core.thread_core.creds.cap_prm, core.thread_core.creds.cap_eff]) {
      set[0] = 0;
      set[1] = 0;
    }
  });
  for (const capability of ["cap_setpcap", "cap_setuid"]) {
    const preflight = await reportUnder(stage, without(capability), "preflight", images);
    expect(blockers(preflight)).toEqual(["capabilities-missing"]);
    const bare = await bareUnder(stage, without(capability), images);
    expect(bare.exit).not.toBe(0);
    expect(bare.log).toContain(finding(preflight, "capabilities-missing").criu_message!);
  }
  expect((await report(stage, "restore", images)).exit).toBe(0);
});

test("capabilities-missing: other groups than CRIU's need CAP_SETGID", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  edit(images, `core-${pid}.img`, ([core]) => (core.thread_core.creds.groups = [7, 9]));
  const noSetgid = without("cap_setgid");
  const preflight = await reportUnder(stage, noSetgid, "preflight", images);
  expect(blockers(preflight)).toEqual(["capabilities-missing"]);
  const bare = await bareUnder(stage, noSetgid, images);
  expect(bare.exit).not.toBe(0);
  expect(bare.log).toContain(finding(preflight, "capabilities-missing").criu_message!);
  expect((await report(stage, "restore", images)).exit).toBe(0);
});
