/** Security modules and seccomp. */
import { expect, test } from "bun:test";
import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import { compile } from "./stage/compile.ts";
import { edit } from "./edit.ts";
import { blockers, finding, report } from "./report.ts";
import {
  alive,
  dump,
  killTree,
  openStage,
  restoreBare,
  type Stage,
  start,
  waitFor,
} from "./stage.ts";
import { bareUnder, reportUnder } from "./under.ts";

const copyOf = (stage: Stage, images: string, name: string): string => {
  const copy = join(stage.dir, name);
  cpSync(images, copy, { recursive: true });
  return copy;
};

test("lsm-mismatch: a profile of a module that does not run here", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dump(stage, pid);
  const foreign = copyOf(stage, images, "foreign");
  edit(foreign, "inventory.img", ([inventory]) => (inventory.lsmtype = 2));
  // Without a profile another module does not matter.
  expect((await report(stage, "preflight", foreign)).findings).toEqual([]);
  edit(foreign, `core-${pid}.img`, ([core]) => {
    core.thread_core.creds.lsm_profile = "docker-default";
  });
  const preflight = await report(stage, "preflight", foreign);
  expect(blockers(preflight)).toEqual(["lsm-mismatch"]);
  const bare = await restoreBare(stage, foreign);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "lsm-mismatch").criu_message!);
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 0, findings: [] });
});

test("lsm-option: what --lsm-profile may say", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dump(stage, pid);
  for (const value of ["docker-default", "apparmor:docker-default", "smack:floor"]) {
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

test("seccomp-filter-missing: filters that are not there, damaged, or in a circle", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "seccomp", ["lax"]);
  await filtered(pid);
  const images = await dump(stage, pid);
  /** `words` are CRIU's; null where it says nothing. */
  const check = async (name: string, words: string | null, damage: (copy: string) => void) => {
    const copy = copyOf(stage, images, name);
    damage(copy);
    const preflight = await report(stage, "preflight", copy);
    expect(blockers(preflight)).toEqual(["seccomp-filter-missing"]);
    const bare = await restoreBare(stage, copy, [], { timeout: 3000 });
    expect(bare.exit).not.toBe(0);
    expect(finding(preflight, "seccomp-filter-missing").criu_message).toBe(words);
    expect(bare.log).toContain(words ?? "");
    return bare;
  };
  const gone = await check("gone", null, (copy) => rmSync(join(copy, "seccomp.img")));
  expect(gone.log).toContain("killed by signal 11");
  await check("index", `Corrupted filter index on tid ${pid}`, (copy) =>
    edit(copy, `core-${pid}.img`, ([core]) => (core.thread_core.seccomp_filter = 7)),
  );
  await check("length", `Corrupted filter len on tid ${pid}`, (copy) =>
    edit(copy, "seccomp.img", ([entry]) => {
      const [filter] = entry.seccomp_filters;
      filter.filter = filter.filter.subarray(0, filter.filter.length - 1);
    }),
  );
  const circle = await check("circle", null, (copy) =>
    edit(copy, "seccomp.img", ([entry]) => (entry.seccomp_filters[0].prev = 0)),
  );
  expect(circle.exit).toBeNull(); // killed after its time
  await killTree(stage, pid);
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 0, findings: [] });
});

/** CRIU under a filter of its own, as in most containers. */
const underFilter = [compile("seccomp"), "run"];

test("seccomp-suspend: CRIU under a filter cannot suspend those of the tasks", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "seccomp", ["strict"]);
  await filtered(pid);
  const images = await dump(stage, pid);
  const preflight = await reportUnder(stage, underFilter, "preflight", images);
  const found = finding(preflight, "seccomp-suspend");
  expect([preflight.exit, found.severity]).toEqual([0, "warning"]);
  const bare = await bareUnder(stage, underFilter, images, ["-d"], { timeout: 3000 });
  expect(bare.exit).toBeNull(); // it waits for a task that is dead, until it is killed
  expect(bare.log).toContain(found.criu_message!);
  expect(alive(pid)).toBe(false);
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 0, findings: [] });
  expect(alive(pid)).toBe(true);
});

/** The workload is ready before its filter, under which it could not say so. */
const filtered = (pid: number) =>
  waitFor("the filter", () => {
    const { stdout } = Bun.spawnSync(["grep", "^Seccomp:", `/proc/${pid}/status`]);
    return stdout.toString().includes("2");
  });
