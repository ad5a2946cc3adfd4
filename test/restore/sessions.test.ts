/** Trees that are jobs of a shell, and pstree.img that makes no sense. */
import { expect, test } from "bun:test";
import { cpSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { compile } from "./stage/compile.ts";
import { edit } from "./edit.ts";
import { blockers, finding, report, sameWords } from "./report.ts";
import {
  criu,
  descendants,
  dump,
  killTree,
  openStage,
  processOf,
  restoreBare,
  run,
  type Stage,
  start,
  waitFor,
} from "./stage.ts";
import { typed } from "./typed.ts";

const copyOf = (stage: Stage, images: string, name: string): string => {
  const copy = join(stage.dir, name);
  cpSync(images, copy, { recursive: true });
  return copy;
};

/** A job's dump, and the number of the job. */
async function dumpJob(stage: Stage, kind: string) {
  const shell = await start(stage, "job", [kind]);
  const job = descendants(shell.pid).find(({ ppid }) => ppid === shell.pid)!.pid;
  const images = await dump(stage, job, ["--shell-job"]);
  return { shell: shell.pid, job, images };
}

test("a job with a child needs --shell-job, which recriu adds", async () => {
  await using stage = openStage();
  const { shell, job, images } = await dumpJob(stage, "family");
  const preflight = await report(stage, "preflight", images);
  const found = finding(preflight, "shell-job-session");
  expect(found).toMatchObject({
    severity: "blocker",
    task: job,
    subject: `session ${shell}`,
    remedy: { kind: "option" },
  });
  expect(preflight).toMatchObject({ exit: 0, plan: { options: ["--shell-job"] } });
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(sameWords(bare.log, found.criu_message!)).toBe(true);
  const restored = await report(stage, "restore", images);
  expect(restored).toMatchObject({ exit: 0, verdict: { result: "match" } });
  await killTree(stage, job);
  expect((await typed(stage, preflight, "shell-job-session")).exit).toBe(0);
  await killTree(stage, job);
  // What the user says is never overridden.
  const refused = await report(stage, "preflight", images, ["--no-shell-job"]);
  expect(refused).toMatchObject({ exit: 3, plan: { options: [] } });
  expect(blockers(await report(stage, "preflight", images, ["-j"]))).toEqual([]);
  expect((await restoreBare(stage, images, ["-j"])).exit).toBe(0);
});

test("a job in its shell's group joins CRIU's, whatever the number of the old one", async () => {
  await using stage = openStage();
  const { images } = await dumpJob(stage, "in-group");
  expect((await restoreBare(stage, images)).exit).toBe(1);
  const restored = await report(stage, "restore", images);
  expect(restored).toMatchObject({ exit: 0, plan: { options: ["--shell-job"] } });
});

test("a job alone is restored into another session: a warning", async () => {
  await using stage = openStage();
  const { job, shell, images } = await dumpJob(stage, "alone");
  const preflight = await report(stage, "preflight", images);
  expect(preflight.exit).toBe(0);
  expect(finding(preflight, "shell-job-session").severity).toBe("warning");
  expect((await restoreBare(stage, images)).exit).toBe(0);
  const { stdout } = await run(stage, ["ps", "-o", "sid=", "-p", `${job}`]);
  expect(Number(stdout)).not.toBe(shell);
});

test("a job whose shell is dead and led its group: bare CRIU waits for ever, recriu adds --shell-job", async () => {
  await using stage = openStage();
  const shell = stage.supervisor.spawn([compile("job"), join(stage.dir, "ready"), "nohup"]);
  await (
    await shell
  ).exited;
  const [job] = descendants(stage.supervisor.pid);
  const images = await dump(stage, job!.pid, ["--shell-job"]);
  const found = finding(await report(stage, "preflight", images), "shell-job-session");
  expect(found).toMatchObject({
    severity: "blocker",
    criu_message: null,
    remedy: { command: "--shell-job" },
  });
  expect((await restoreBare(stage, images, [], { timeout: 3000 })).exit).toBe(null);
  const refused = await report(stage, "restore", images, ["--no-shell-job"]);
  expect(blockers(refused)).toEqual(["shell-job-session"]);
  expect(refused.exit).toBe(3);
  expect((await restoreBare(stage, images, [found.remedy.command!])).exit).toBe(0);
  await killTree(stage, job!.pid);
  const restored = await report(stage, "restore", images);
  expect(restored).toMatchObject({ exit: 0, plan: { options: ["--shell-job"] } });
  expect(restored.verdict!.result).toBe("match");
});

/** Bare CRIU waits for ever, or, by the chance of an address, fails. */
async function standsStill(stage: Stage, images: string, options: string[] = []): Promise<void> {
  const { exit, log } = await restoreBare(stage, images, options, { timeout: 3000 });
  if (exit !== null)
    expect([exit, log]).toEqual([1, expect.stringContaining("Can't restore pgid")]);
}

test("group-leader-lost: a leader that is in another group never lets its members go on", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "job", ["moved"]);
  const [, member] = descendants(pid);
  const images = await dump(stage, pid);
  const preflight = await report(stage, "preflight", images);
  expect(preflight.exit).toBe(3);
  expect(finding(preflight, "group-leader-lost")).toMatchObject({
    severity: "blocker",
    task: member!.pid,
  });
  await standsStill(stage, images);
  // Once nobody is in the group that its leader has left, nobody waits.
  const back = copyOf(stage, images, "back");
  edit(back, "pstree.img", (entries) => void (entries[2].pgid = entries[1].pgid));
  expect((await report(stage, "restore", back)).exit).toBe(0);
});

test("group-leader-lost: what a job alone waits for is nothing that --shell-job mends", async () => {
  await using stage = openStage();
  const { job, images } = await dumpJob(stage, "moved");
  const preflight = await report(stage, "preflight", images, ["-j"]);
  expect(blockers(preflight)).toEqual(["group-leader-lost"]);
  await standsStill(stage, images, ["-j"]);
  await killTree(stage, job);
});

test("a tree that leads its session needs nothing of it", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "job", ["family"]);
  const images = await dump(stage, pid);
  const ids = (await report(stage, "preflight", images)).findings.map(({ id }) => id);
  expect(ids).toEqual([]);
});

test("CRIU's session is a number of the images", async () => {
  await using stage = openStage();
  const { job, images } = await dumpJob(stage, "family");
  /** Runs a command in a session that is known before: `prepare` gets its number. */
  const inSession = async (argv: string[], prepare: (session: number) => void) => {
    const go = join(stage.dir, `go-${++stage.count}`);
    const wait = `while [ ! -e '${go}' ]; do sleep 0.01; done; exec "$@"`;
    const done = run(stage, ["sh", "-c", wait, "sh", ...argv]);
    const find = () =>
      descendants(stage.supervisor.pid).find(
        ({ pid, ppid }) => ppid === stage.supervisor.pid && commandLine(pid).includes(go),
      );
    await waitFor("the session", () => find() !== undefined);
    prepare(find()!.pid);
    writeFileSync(go, "");
    return done;
  };
  const spoiled = copyOf(stage, images, "spoiled");
  const spoil = (session: number) =>
    edit(spoiled, "pstree.img", (entries) => {
      entries[1].pgid = session;
    });
  const log = join(stage.dir, "intersect.log");
  const bareArgv = [criu, "restore", "-d", "-j", "-D", spoiled, "-o", log, "-v4"];
  const bare = await inSession(bareArgv, spoil);
  expect(bare.exit).toBe(1);
  const { stdout: text } = await run(stage, ["cat", log]);
  const binary = join(import.meta.dir, "../../dist/recriu");
  const words = [
    "env",
    `RECRIU_CRIU=${criu}`,
    binary,
    "preflight",
    "-d",
    "-j",
    "-D",
    spoiled,
    "--json",
  ];
  const preflight = await inSession(words, spoil);
  expect(preflight.exit).toBe(3);
  const found = finding(JSON.parse(preflight.stdout), "session-intersects");
  expect(sameWords(text, found.criu_message!)).toBe(true);
  expect(found.remedy.command).toContain("setsid --wait recriu restore -d -j");
  // Another session has another number.
  const told = JSON.parse(preflight.stdout);
  expect((await typed(stage, told, "session-intersects")).exit).toBe(0);
  await waitFor("the job", () => processOf(job) !== undefined);
});

function commandLine(pid: number): string {
  return Bun.spawnSync(["cat", `/proc/${pid}/cmdline`]).stdout.toString();
}

test("a session whose leader is nowhere above", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "job", ["family"]);
  const images = await dump(stage, pid);
  const spoiled = copyOf(stage, images, "spoiled");
  edit(spoiled, "pstree.img", (entries) => {
    entries[2].sid = 4000000;
  });
  const preflight = await report(stage, "preflight", spoiled);
  expect(blockers(preflight)).toContain("session-leader-missing");
  const bare = await restoreBare(stage, spoiled);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "session-leader-missing").criu_message!);
  expect((await report(stage, "restore", images)).exit).toBe(0);
});

const damages: [string, (entries: any[]) => void][] = [
  ["a parent that is not there", (entries) => (entries[1].ppid = 4000000)],
  ["two roots", (entries) => (entries[1].ppid = 0)],
  ["one thread in two tasks", (entries) => entries[2].threads.push(entries[0].pid)],
];

test("tree-corrupt: entries that CRIU refuses", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "job", ["family"]);
  const images = await dump(stage, pid);
  for (const [what, damage] of damages) {
    const spoiled = copyOf(stage, images, what.replaceAll(" ", "-"));
    edit(spoiled, "pstree.img", damage);
    const preflight = await report(stage, "preflight", spoiled);
    expect(blockers(preflight)).toContain("tree-corrupt");
    const bare = await restoreBare(stage, spoiled);
    expect(bare.exit).not.toBe(0);
    expect(bare.log).toContain(finding(preflight, "tree-corrupt").criu_message!);
  }
  expect((await report(stage, "restore", images)).exit).toBe(0);
});

test("tree-corrupt: a session that is led from below, which CRIU waits for", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "job", ["family"]);
  const images = await dump(stage, pid);
  edit(images, "pstree.img", (entries) => {
    entries[1].sid = entries[2].pid;
    entries[2].sid = entries[2].pid;
  });
  const preflight = await report(stage, "preflight", images);
  expect(finding(preflight, "tree-corrupt")).toMatchObject({
    severity: "blocker",
    criu_message: null,
  });
  expect((await restoreBare(stage, images, [], { timeout: 3000 })).exit).toBe(null);
});
