/** Capabilities, limits and what else a task would keep of CRIU. */
import { expect, test } from "bun:test";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { blockers, finding, report } from "./report.ts";
import { criu, dump, killTree, openStage, restoreBare, type Stage, start } from "./stage.ts";
import { setting } from "./stage/sysctl.ts";
import { typed } from "./typed.ts";
import { bareUnder, reportUnder } from "./under.ts";

const without = (capability: string) => [
  "capsh",
  `--drop=${capability}`,
  "--",
  "-c",
  'exec "$@"',
  "sh",
];

const simple = async (stage: Stage) => {
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  return { pid, images: await dump(stage, pid) };
};

const copyOf = (stage: Stage, images: string, name: string): string => {
  const copy = join(stage.dir, name);
  cpSync(images, copy, { recursive: true });
  return copy;
};

test("capabilities-missing: a task had one that CRIU lacks", async () => {
  await using stage = openStage();
  const { pid, images } = await simple(stage);
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

const clear = (set: number[], capability: number) => {
  set[0] = (set[0]! & ~(1 << capability)) >>> 0;
};

test("capabilities-missing: bounding sets can be made smaller with CAP_SETPCAP only, and never larger", async () => {
  await using stage = openStage();
  const { pid, images } = await simple(stage);
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
  const { pid, images } = await simple(stage);
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

test("rlimit-lowered: CRIU cannot give more than it has", async () => {
  await using stage = openStage();
  const { pid, images } = await simple(stage);
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

test("oom-score-inherited: 0 is not written, and less than 0 not checked", async () => {
  await using stage = openStage();
  const { pid, images } = await simple(stage);
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

test("loginuid-immutable: lost without a word, or refused where CRIU remembers that it could", async () => {
  await using stage = openStage();
  const { pid, images } = await simple(stage);
  edit(images, `core-${pid}.img`, ([core]) => {
    core.tc.loginuid = 1234;
    const { cap_prm, cap_eff, cap_bnd } = core.thread_core.creds;
    for (const set of [cap_prm, cap_eff, cap_bnd]) clear(set, 30);
  });
  const loginuid = () => readFileSync(`/proc/${pid}/loginuid`, "utf8");
  // CRIU keeps what it knows of the kernel in /run, if that is a tmpfs.
  const asLogin = (first: string) => (command: string) => [
    "unshare",
    "--mount",
    "sh",
    "-c",
    `mount -t tmpfs none /run && ${first} && echo 4321 >/proc/self/loginuid && exec "$@"`,
    "sh",
    ...without("cap_audit_control").slice(0, 4),
    command,
  ];
  const preflight = await reportUnder(stage, asLogin("true"), "preflight", images);
  const found = finding(preflight, "loginuid-immutable");
  expect([found.severity, found.task, preflight.exit]).toEqual(["warning", pid, 0]);
  expect((await bareUnder(stage, asLogin("true"), images)).exit).toBe(0);
  expect(loginuid()).toBe("4321");
  await killTree(stage, pid);

  const remembers = asLogin(`{ '${criu}' check >/dev/null 2>&1; test -e /run/criu.kdat; }`);
  const bare = await bareUnder(stage, remembers, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(found.criu_message!);
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 0, findings: [] });
  expect(loginuid()).toBe("1234");
});

test("dumpable-lost: what only a sysctl gives", async () => {
  await using stage = openStage();
  const { pid, images } = await simple(stage);
  expect(readFileSync("/proc/sys/fs/suid_dumpable", "utf8").trim()).not.toBe("2");
  edit(images, `mm-${pid}.img`, ([mm]) => (mm.dumpable = 2));
  const preflight = await report(stage, "preflight", images);
  expect(finding(preflight, "dumpable-lost")).toMatchObject({ severity: "warning", task: pid });
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(0);
  expect(bare.log).toContain(finding(preflight, "dumpable-lost").criu_message!);
  await killTree(stage, pid);
  using _ = setting("fs/suid_dumpable", Number(readFileSync("/proc/sys/fs/suid_dumpable", "utf8")));
  expect((await typed(stage, preflight, "dumpable-lost")).exit).toBe(0);
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 0, findings: [] });
});
