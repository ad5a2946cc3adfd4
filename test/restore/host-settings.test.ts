/** --fix=host: settings of the kernel that are in the way are changed for the restore, shown, and given back. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { blockers, finding, report } from "./report.ts";
import {
  criu,
  killTree,
  openStage,
  recriu,
  recriuBinary,
  running,
  type Stage,
  stateOf,
  undo,
  waitFor,
} from "./stage.ts";
import { setting } from "./stage/sysctl.ts";
import { reportUnder } from "./under.ts";

const valueOf = (name: string) => Number(readFileSync(join("/proc/sys", name), "utf8"));

interface Case {
  id: string;
  name: string;
  /** In which the tree does not restore; `while`: in which it is dumped. */
  narrow: number | (() => number);
  while?: number;
  stays: boolean;
  workload: (stage: Stage) => string[];
}

const watching = (stage: Stage) => {
  const watched = join(stage.dir, "watched");
  mkdirSync(watched);
  return ["inotify", "3", watched, "100"];
};

const cases: Case[] = [
  {
    id: "aio-limit",
    name: "fs/aio-max-nr",
    narrow: () => valueOf("fs/aio-nr"),
    stays: false,
    workload: () => ["aio", "64"],
  },
  {
    id: "inotify-limit",
    name: "fs/inotify/max_user_instances",
    narrow: 2,
    stays: true,
    workload: watching,
  },
  {
    id: "inotify-limit",
    name: "fs/inotify/max_user_watches",
    narrow: 2,
    stays: true,
    workload: watching,
  },
  {
    id: "pipe-size",
    name: "fs/pipe-max-size",
    narrow: 65536,
    stays: false,
    workload: () => ["pipe", "1048576"],
  },
  {
    id: "mappings-too-many",
    name: "vm/max_map_count",
    narrow: 65530,
    while: 80_000,
    stays: true,
    workload: () => ["many", "67000"],
  },
  {
    id: "memory-short",
    name: "vm/overcommit_memory",
    narrow: 0,
    while: 1,
    stays: true,
    workload: () => ["large"],
  },
  {
    id: "hugepages-short",
    name: "vm/nr_hugepages",
    narrow: 1,
    while: 3,
    stays: true,
    workload: () => ["huge"],
  },
];

for (const { id, name, narrow, while: wide, stays, workload } of cases)
  test(`${id}: ${name}`, async () => {
    await using stage = openStage({ ownState: true });
    const { pid, images } = await (async () => {
      using _ = wide === undefined ? undefined : setting(name, wide);
      return await startDumped(stage, wide === undefined ? "kernel" : "memory", workload(stage));
    })();
    const value = typeof narrow === "number" ? narrow : narrow();
    using _ = setting(name, value);
    expect(blockers(await report(stage, "preflight", images))).toEqual([id]);
    // Shown, and nothing is done.
    const shown = await recriu(stage, ["restore", "-D", images, "--fix=host", "--dry-run"]);
    const kind = stays ? "stays so" : "given back when the tree runs";
    expect(shown.stderr).toMatch(new RegExp(`^  host    /\\S+: \\d+ -> \\d+  \\(${kind}\\)$`, "m"));
    expect(valueOf(name)).toBe(value);
    // Given back when it fails.
    const failed = await report(stage, "restore", images, [
      "--fix=host",
      "--action-script",
      "/bin/false",
    ]);
    expect([failed.exit, failed.failure?.left, valueOf(name)]).toEqual([1, [], value]);
    const done = await report(stage, "restore", images, ["--fix=host"]);
    expect([done.exit, done.verdict?.result]).toEqual([0, "match"]);
    expect(finding(done, id).remedy.kind).toBe("host");
    const [changed] = done.plan.settings;
    expect(changed).toMatchObject({ id, from: value, stays });
    expect(valueOf(name)).toBe(stays ? changed!.to : value);
    await killTree(stage, pid);
  }, 240_000); // that of many mappings is restored twice

test("what a killed recriu has changed, undo gives back", async () => {
  await using stage = openStage({ ownState: true });
  const { images } = await startDumped(stage, "kernel", ["aio", "64"]);
  const value = valueOf("fs/aio-nr");
  using _ = setting("fs/aio-max-nr", value);
  const script = join(stage.dir, "hold");
  const there = join(stage.dir, "there");
  writeFileSync(script, `#!/bin/sh\n: >${there}; exec sleep 60\n`, { mode: 0o755 });
  const words = ["restore", "-D", images, "--fix=host", "--action-script", script];
  const child = await stage.supervisor.spawn(
    ["env", `RECRIU_CRIU=${criu}`, recriuBinary, ...words],
    {
      cwd: stage.dir,
    },
  );
  await waitFor("the script", () => running(stage, "sleep").length > 0);
  expect(valueOf("fs/aio-max-nr")).toBeGreaterThan(value);
  for (const pid of [
    ...running(stage, "recriu"),
    ...running(stage, "criu"),
    ...running(stage, "sleep"),
  ])
    process.kill(pid, "SIGKILL");
  await child.exited;
  expect((await undo(stage)).exit).toBe(0);
  expect([valueOf("fs/aio-max-nr"), stateOf(stage).run !== ""]).toEqual([value, true]);
});

test("settings of a pid namespace: pid_max, memfd_noexec", async () => {
  await using stage = openStage();
  const within = (name: string, value: number) => (command: string) => [
    "unshare",
    "--pid",
    "--fork",
    "--mount-proc",
    "sh",
    "-c",
    `echo ${value} >/proc/sys/${name} && ${command}; code=$?; cat /proc/sys/${name} >&2; exit $code`,
  ];
  const { pid, images } = await startDumped(stage);
  const memfd = await startDumped(stage, "kernel", ["memfd"]);
  for (const [id, name, value, dir] of [
    ["pid-max", "kernel/pid_max", pid, images],
    ["memfd-executable", "vm/memfd_noexec", 1, memfd.images],
  ] as const) {
    const done = await reportUnder(stage, within(name, value), "restore", dir, [
      "-d",
      "--fix=host",
    ]);
    expect([done.exit, done.plan.settings.map((each) => each.id)]).toEqual([0, [id]]);
    expect(done.stderr.trim().split("\n").at(-1)).toBe(`${value}`);
  }
});
