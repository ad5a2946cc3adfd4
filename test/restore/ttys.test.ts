/** Terminals: those of outside, and numbers that cannot be had. */
import { expect, test } from "bun:test";
import {
  cpSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { blockers, explained, finding, report, sameWords } from "./report.ts";
import {
  descendants,
  dump,
  killTree,
  openStage,
  restoreBare,
  run,
  type Stage,
  start,
} from "./stage.ts";
import { typed, typedAndStays } from "./typed.ts";
import { bareUnder, reportUnder } from "./under.ts";

/** On a terminal of its own, which is the controlling one of its session. */
const onTerminal = (command: string) => ["script", "-qec", `${command} 2>/dev/null`, "/dev/null"];
/** Standard input is that terminal, in a session that it does not control. */
const besideTerminal = (command: string) => onTerminal(`setsid --wait ${command}`);

const named = (root: number, comm: string): number =>
  descendants(root).find(({ pid }) => readFileSync(`/proc/${pid}/comm`, "utf8").trim() === comm)!
    .pid;

/** Numbers of the pseudoterminals that a task has open. */
const indices = (pid: number): number[] =>
  readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    const found = /^\/dev\/pts\/(\d+)/.exec(readlinkSync(`/proc/${pid}/fd/${fd}`));
    return found === null ? [] : [Number(found[1])];
  });

async function dumpJob(stage: Stage) {
  const terminal = await start(stage, "terminal", ["job"]);
  const job = named(terminal.pid, "job");
  const images = await dump(stage, job, ["--shell-job"]);
  await killTree(stage, terminal.pid);
  return { job, images };
}

test("a job on a terminal of outside needs --shell-job, and a terminal on standard input", async () => {
  await using stage = openStage();
  const { job, images } = await dumpJob(stage);
  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight)).toEqual(["tty-shell-job"]);
  expect(preflight).toMatchObject({ exit: 3, plan: { options: [] } });
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "tty-shell-job").criu_message!);

  const onOne = await typed(stage, preflight, "tty-shell-job", { under: onTerminal });
  expect(onOne.exit).toBe(0);
  await killTree(stage, job);

  // Standard input is /dev/null here.
  const without = await report(stage, "preflight", images, ["-j"]);
  expect(blockers(without)).toEqual(["tty-stdin"]);
  const bareWithout = await restoreBare(stage, images, ["-j"]);
  expect(bareWithout.exit).toBe(1);
  expect(bareWithout.log).toContain(finding(without, "tty-stdin").criu_message!);

  // -d is not among what is typed: script's terminal would hang up when it ends, and take the tree with it.
  for (const words of [["-j", "-d"], ["-jd"]]) {
    const detached = await report(stage, "preflight", images, words);
    await typedAndStays(stage, detached, "tty-stdin", job);
    await killTree(stage, job);
  }

  const beside = await reportUnder(stage, besideTerminal, "preflight", images, ["-j"]);
  expect(blockers(beside)).toEqual(["tty-stdin"]);
  const bareBeside = await bareUnder(stage, besideTerminal, images, ["-d", "-j"]);
  expect(bareBeside.exit).not.toBe(0);
  expect(bareBeside.log).toContain(finding(beside, "tty-stdin").criu_message!);

  const options = ["-d", "-j"];
  const restored = await reportUnder(stage, onTerminal, "restore", images, options);
  expect(restored).toMatchObject({ exit: 0, findings: [] });
  await killTree(stage, job);
  expect((await bareUnder(stage, onTerminal, images, options)).exit).toBe(0);
});

test("a terminal whose session has no leader in the tree", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "terminal", ["master"]);
  const images = await dump(stage, pid);
  const spoiled = join(stage.dir, "spoiled");
  cpSync(images, spoiled, { recursive: true });
  edit(spoiled, "tty-info.img", ([tty]) => (tty.sid = 4000000));
  const preflight = await report(stage, "preflight", spoiled);
  expect(blockers(preflight)).toEqual(["tty-no-task"]);
  const bare = await restoreBare(stage, spoiled);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "tty-no-task").criu_message!);
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 0, findings: [] });
});

for (const mode of ["pair", "hung-up"]) {
  test(`the number of a pseudoterminal is taken: ${mode}`, async () => {
    await using stage = openStage();
    const { pid } = await start(stage, "terminal", [mode]);
    const [index] = indices(pid);
    const images = await dump(stage, pid);
    const taker = await start(stage, "terminal", ["pairs", `${index! + 1}`]);
    const preflight = await report(stage, "preflight", images);
    expect(blockers(preflight)).toEqual(["tty-index-busy"]);
    expect(finding(preflight, "tty-index-busy").subject).toBe(`/dev/pts/${index}`);
    const bare = await restoreBare(stage, images);
    expect(bare.exit).toBe(1);
    expect(bare.log).toContain(finding(preflight, "tty-index-busy").criu_message!);
    const who = await typed(stage, preflight, "tty-index-busy");
    expect([who.exit, who.stdout.includes(`${taker.pid}`)]).toEqual([0, true]);
    await killTree(stage, taker.pid);
    expect(await report(stage, "restore", images)).toMatchObject({ exit: 0, findings: [] });
  });
}

test("the number of a pseudoterminal is too far above the lowest free one", async () => {
  await using stage = openStage();
  const below = await start(stage, "terminal", ["pairs", "40"]);
  const { pid } = await start(stage, "terminal", ["pair"]);
  const [index] = indices(pid);
  const images = await dump(stage, pid);
  // With all below it in use it is the next.
  expect(blockers(await report(stage, "preflight", images))).toEqual([]);
  await killTree(stage, below.pid);
  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight)).toEqual(["tty-index-busy"]);
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(`with specified index ${index}`);
  const again = await start(stage, "terminal", ["pairs", `${index! - 31}`]);
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 0, findings: [] });
  await killTree(stage, again.pid);
});

test("tty-controlling: the leader of a session that keeps /dev/tty open", async () => {
  await using stage = openStage();
  const terminal = await start(stage, "terminal", ["keeper"]);
  const shell = named(terminal.pid, "shell");
  const images = await dump(stage, shell, ["--shell-job"]);
  await killTree(stage, terminal.pid);
  const preflight = await reportUnder(stage, onTerminal, "preflight", images, ["-j"]);
  expect(blockers(preflight)).toEqual(["tty-controlling"]);
  const foretold = finding(preflight, "tty-controlling");
  expect(foretold).toMatchObject({ task: shell, subject: "/dev/tty" });
  const bare = await bareUnder(stage, onTerminal, images, ["-d", "-j"]);
  expect(bare.exit).not.toBe(0);
  expect(
    bare.log.split("\n").filter((line) => sameWords(line, foretold.criu_message!)),
  ).not.toEqual([]);
  explained(foretold);
  const handed = /--inherit-fd '(fd\[0\]:\S+)'$/.exec(foretold.remedy.command!)![1]!;
  // Both would have standard input.
  const both = ["-d", "-j", "--inherit-fd", handed];
  const twice = await reportUnder(stage, onTerminal, "preflight", images, both);
  expect(blockers(twice)).toEqual(["tty-stdin"]);
  const bareTwice = await bareUnder(stage, onTerminal, images, both);
  expect(bareTwice.log).toContain(finding(twice, "tty-stdin").criu_message!);
  explained(finding(twice, "tty-stdin"));
  const words = ["-d", "-j", "--no-shell-job", "--inherit-fd", handed];
  expect(foretold.remedy.command).toEndWith(`-j --no-shell-job --inherit-fd '${handed}'`);
  const restored = await reportUnder(stage, onTerminal, "restore", images, words);
  expect(restored).toMatchObject({ exit: 0, findings: [], verdict: { result: "match" } });
  await killTree(stage, shell);
  // Without --shell-job the one option does for both.
  const plain = await reportUnder(stage, onTerminal, "preflight", images);
  expect(blockers(plain)).toEqual(["tty-controlling"]);
  expect(plain.findings[0]!.remedy.command).toBe(`--inherit-fd '${handed}'`);
  expect((await typed(stage, plain, "tty-controlling", { under: onTerminal })).exit).toBe(0);
});

test("an external terminal has to be handed over", async () => {
  await using stage = openStage();
  const terminal = await start(stage, "terminal", ["job"]);
  const shell = named(terminal.pid, "shell");
  const [index] = indices(shell);
  const { rdev, dev } = statSync(`/dev/pts/${index}`);
  const key = `tty[${rdev.toString(16)}:${dev.toString(16)}]`;
  const images = await dump(stage, shell, ["--external", key]);
  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight)).toEqual(["tty-external"]);
  const found = finding(preflight, "tty-external");
  expect(found.subject).toBe(key);
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(found.criu_message!);
  const named5 = ["--inherit-fd", `fd[5]:${key}`];
  const handed = (command: string) => ["bash", "-c", `${command} 5<>/dev/pts/${index}`];
  const given = await reportUnder(stage, handed, "preflight", images, named5);
  expect(given.findings).toEqual([]);
  expect((await bareUnder(stage, handed, images, ["-d", ...named5])).exit).toBe(0);
  await killTree(stage, shell);
  const told = await report(stage, "preflight", images, ["-d"]);
  const fill = { "pts/N": `pts/${index}` };
  expect((await typed(stage, told, "tty-external", { fill })).exit).toBe(0);
});

test("the device of a console is gone", async () => {
  await using stage = openStage();
  const device = join(stage.dir, "console");
  const make = async () => {
    const made = await run(stage, ["mknod", "-m", "620", device, "c", "4", "20"]);
    expect(made.exit).toBe(0);
  };
  await make();
  const { pid } = await start(stage, "terminal", ["open", device]);
  const images = await dump(stage, pid);
  rmSync(device);
  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight)).toEqual(["tty-device-missing"]);
  const found = finding(preflight, "tty-device-missing");
  expect(found.remedy.command).toBe(`mknod -m 0620 ${device} c 4 20`);
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(sameWords(bare.log, found.criu_message!)).toBe(true);
  expect((await typed(stage, preflight, "tty-device-missing")).exit).toBe(0);
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 0, findings: [] });
});

test("tty-other-file: CRIU gives whatever stands at a terminal's path the mode of the images", async () => {
  await using stage = openStage();
  const victim = join(stage.dir, "victim");
  writeFileSync(victim, "", { mode: 0o600 });
  const { pid } = await start(stage, "terminal", ["pair"]);
  const images = await dump(stage, pid);
  expect((await report(stage, "preflight", images)).findings).toEqual([]);
  edit(images, "files.img", (files) => {
    for (const { reg } of files)
      if (reg?.name.startsWith("/dev/pts/")) Object.assign(reg, { name: victim, mode: 0o20666 });
  });
  const blocked = await report(stage, "restore", images);
  expect([blocked.exit, blocked.run, [...new Set(blockers(blocked))]]).toEqual([
    3,
    null,
    ["tty-other-file"],
  ]);
  expect(finding(blocked, "tty-other-file").subject).toBe(victim);
  expect((await typed(stage, blocked, "tty-other-file")).stdout).toContain(victim);
  expect(statSync(victim).mode & 0o777).toBe(0o600);
  // CRIU fails at it, with the harm done.
  expect((await restoreBare(stage, images)).exit).toBe(1);
  expect(statSync(victim).mode & 0o777).toBe(0o666);
});
