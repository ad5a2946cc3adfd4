/** How far a restore is: to a program on a descriptor, to a person on a terminal, as long as the tree does not run. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { chmodSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020";
import {
  criu,
  killTree,
  openStage,
  recriu,
  recriuBinary,
  run,
  type Stage,
  waitFor,
} from "./stage.ts";

async function dumpOne(stage: Stage) {
  return startDumped(stage, "sched", ["rr", "7", "0", "reset"]);
}

const progressSchema = new Ajv2020({ strictTypes: false }).compile(
  JSON.parse(readFileSync(join(import.meta.dir, "../../docs/progress.schema.json"), "utf8")),
);

/** The lines of a file, each as it is promised; the last is the end, and nothing goes back. */
function progressIn(file: string, exit: number | null) {
  const lines: any[] = readFileSync(file, "utf8")
    .trim()
    .split("\n")
    .map((each) => JSON.parse(each));
  for (const line of lines) {
    progressSchema(line);
    expect(progressSchema.errors ?? []).toEqual([]);
  }
  expect(lines.at(-1)).toMatchObject({ phase: "done", exit });
  expect(lines.filter((line) => line.exit !== undefined)).toHaveLength(1);
  const phases = progressSchema.schema as any;
  const order: string[] = phases.properties.phase.enum;
  const numbers = (line: any) => [
    order.indexOf(line.phase),
    line.tasks.made,
    line.memory.restored,
    line.elapsed_ms,
  ];
  lines.slice(1).forEach((line, at) => {
    const before = numbers(lines[at]);
    expect(numbers(line).every((value, index) => value >= before[index]!)).toBe(true);
  });
  return lines;
}

/** `recriu restore WORDS…` with descriptor 7 on a new file. */
async function told(stage: Stage, words: string[]) {
  const file = join(stage.dir, `told-${++stage.count}`);
  const script = `exec "$@" 7>'${file}'`;
  const argv = ["sh", "-c", script, "sh", recriuBinary, "restore", `--criu=${criu}`, ...words];
  return { ...(await run(stage, [...argv, "--progress-fd=7"])), file };
}

test("--progress-fd: how far it is, as JSON lines", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "tree", [
    stage.dir,
    "/etc/hostname",
    `${stage.dir}/log`,
    "40",
  ]);
  const script = join(stage.dir, "script");
  writeFileSync(script, "#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != post-restore ] || sleep 0.6\n");
  chmodSync(script, 0o755);
  const done = await told(stage, ["-d", "-D", images, "--action-script", script]);
  expect(done.exit).toBe(0);
  const lines = progressIn(done.file, 0);
  expect(lines.length).toBeGreaterThan(2);
  const full = lines.find(({ phase }) => phase === "restoring memory");
  expect(full).toMatchObject({ tasks: { made: 42, of: 42 } });
  expect(full.memory.of).toBeGreaterThan(1e6);
  const closed = await recriu(stage, ["restore", "-D", images, "--progress-fd=77"]);
  expect(closed).toMatchObject({ exit: 2, stderr: expect.stringContaining("--progress-fd") });
  expect(lines.at(-2)).toMatchObject({ phase: "resumed", tasks: { made: 42, of: 42 } });
  // The tree is there: blocked. The end is told where nothing began, too.
  for (const [words, exit] of [
    [["-d", "-D", images], 3],
    [["-D", join(stage.dir, "nowhere")], 2],
  ] as const) {
    const refused = await told(stage, [...words, "--json"]);
    expect(refused.exit).toBe(exit);
    expect(progressIn(refused.file, exit)).toHaveLength(1);
    expect(JSON.parse(refused.stdout)).toMatchObject({ exit });
  }
  await killTree(stage, pid);
  const off = await told(stage, ["-d", "-D", images, "--verify=off"]);
  expect(progressIn(off.file, 0).at(-2).phase).toBe("resumed");
  await killTree(stage, pid);
});

test("a reader that takes nothing does not hold a restore up", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOne(stage);
  const fill = "mkfifo full; exec 7<>full; timeout 1 cat /dev/zero >&7; exec";
  const words = ["restore", "-d", "-D", images, `--criu=${criu}`, "--progress-fd=7"];
  const done = await run(stage, ["sh", "-c", `${fill} "$@"`, "sh", recriuBinary, ...words]);
  expect(done.exit).toBe(0);
  await killTree(stage, pid);
});

for (const more of ["", "--verify=off"])
  test(`a terminal is the running tree's: no line of progress ${more}`, async () => {
    await using stage = openStage();
    const { pid, images } = await dumpOne(stage);
    const [script, shown] = [join(stage.dir, "script"), join(stage.dir, "shown")];
    writeFileSync(script, "#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != post-restore ] || sleep 1.3\n");
    chmodSync(script, 0o755);
    const words = `${recriuBinary} restore ${more} -D ${images} --criu=${criu} --action-script ${script} -v4 -o ${stage.dir}/r.log`;
    const done = run(stage, ["script", "-qefc", words, shown], { env: { TERM: "xterm" } });
    await waitFor(
      "the tree to run",
      () =>
        existsSync(`${stage.dir}/r.log`) &&
        readFileSync(`${stage.dir}/r.log`, "utf8").includes("Tasks resumed"),
    );
    await Bun.sleep(300);
    const then = readFileSync(shown, "utf8");
    expect(then).toContain("task 1 of 1, ");
    expect(then.lastIndexOf("\r\u001b[K")).toBeGreaterThan(then.lastIndexOf("task 1 of 1"));
    await Bun.sleep(700);
    expect(readFileSync(shown, "utf8")).toBe(then);
    await killTree(stage, pid);
    expect((await done).exit).toBe(0);
  });

test("on a terminal a long restore shows one line, and clears it", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOne(stage);
  const script = join(stage.dir, "script");
  writeFileSync(script, "#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != post-restore ] || sleep 1.5\n");
  chmodSync(script, 0o755);
  const words = `${recriuBinary} restore -d -D ${images} --criu=${criu} --action-script ${script} -o /dev/null`;
  const on = (TERM: string, command: string) =>
    run(stage, ["script", "-qec", command, "/dev/null"], { env: { TERM } });
  const shown = await on("xterm", words);
  expect(shown.exit).toBe(0);
  expect(shown.stdout).toContain("\r\u001b[Krestoring memory: task 1 of 1, ");
  expect(shown.stdout.lastIndexOf("\r\u001b[K")).toBeGreaterThan(
    shown.stdout.lastIndexOf("task 1 of 1"),
  );
  await killTree(stage, pid);
  // Of one that obeys no escapes there is no line to go back to, and no colour.
  const coloured = `env -u NO_COLOR ${recriuBinary} preflight -D ${images} --criu=/nowhere`;
  expect((await on("xterm", coloured)).stdout).toContain("\u001b[");
  for (const TERM of ["", "dumb"]) {
    const { exit, stdout } = await on(TERM, `env -u NO_COLOR ${words}`);
    expect([exit, stdout]).toEqual([0, expect.stringContaining("verified: ")]);
    expect(stdout).not.toContain("\u001b");
    await killTree(stage, pid);
  }
});
