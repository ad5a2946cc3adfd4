/** SCHED_RESET_ON_FORK in every generation: images of CRIU 3.17.1 and 4.1.1, each restored by both. */
import { copyOf } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { blockers, finding, report } from "./report.ts";
import { contents, copying, decoded, differences, dumpByOld, oldCriu, shadows } from "./shadow.ts";
import {
  criu,
  dump,
  killTree,
  openStage,
  recriu,
  restoreBare,
  run,
  type Stage,
  start,
} from "./stage.ts";
import { typed } from "./typed.ts";

const FIFO_RESET = 0x40000001;

/** A dump of SCHED_FIFO 99 with the flag. */
async function images(stage: Stage, by: string) {
  const { pid } = await start(stage, "sched", ["fifo", "99", "0", "reset"]);
  return { pid, dir: await (by === "3.17.1" ? dumpByOld : dump)(stage, pid) };
}

const policyOf = async (stage: Stage, tid: number): Promise<string[]> =>
  [...(await run(stage, ["chrt", "-p", `${tid}`])).stdout.matchAll(/: (.*)$/gm)].map(
    ([, value]) => value!,
  );

const sched = (field: string, from: number | null, to: number) => ({
  field: `thread_core.sched_${field}`,
  from,
  to,
});
const stripped = sched("policy", FIFO_RESET, 1);

const pairs = [
  { imagesOf: "4.1.1", by: "4.1.1", edits: [], priority: "99" },
  { imagesOf: "4.1.1", by: "3.17.1", edits: [stripped], priority: "99" },
  { imagesOf: "3.17.1", by: "4.1.1", edits: [sched("prio", null, 1)], priority: "1" },
  { imagesOf: "3.17.1", by: "3.17.1", edits: [stripped, sched("prio", null, 1)], priority: "1" },
];

for (const { imagesOf, by, edits, priority } of pairs) {
  test(`images of CRIU ${imagesOf}, restored by CRIU ${by}`, async () => {
    await using stage = openStage();
    const old = oldCriu(stage);
    const { pid, dir } = await images(stage, imagesOf);
    const words = ["restore", "-d", "-D", dir, "-W", stage.dir, "-o", "log"];
    const bare = await run(stage, [by === "3.17.1" ? old : criu, ...words]);
    expect(bare.exit).toBe(edits.length > 0 ? 1 : 0);
    if (bare.exit === 0) await killTree(stage, pid);
    else
      expect(readFileSync(join(stage.dir, "log"), "utf8")).toContain(
        `Inconsistent sched params received (${FIFO_RESET}.0.${imagesOf === "3.17.1" ? 0 : 99})`,
      );
    const before = contents(dir);
    const { script, copy, mode } = copying(stage);
    const work = ["-W", stage.dir, "--action-script", script];
    const done = await report(stage, "restore", dir, [
      ...(by === "3.17.1" ? ["--criu", old] : []),
      ...work,
    ]);
    expect(done).toMatchObject({ exit: 0, plan: { edits }, verdict: { result: "match" } });
    expect(await policyOf(stage, pid)).toEqual(["SCHED_FIFO|SCHED_RESET_ON_FORK", priority]);
    const mended = done.verdict!.differences.filter(({ facet }) => facet === "scheduling");
    expect(mended.map(({ class: kind }) => kind)).toEqual(by === "3.17.1" ? ["mended"] : []);
    // The images are as they were; CRIU saw all of them, and of the edited one only these fields changed.
    expect(contents(dir)).toEqual(before);
    expect(shadows(stage.dir)).toEqual([]);
    const core = `core-${pid}.img`;
    const [saved, seen] = [
      await decoded(stage, join(dir, core)),
      await decoded(stage, join(copy, core)),
    ];
    const fields = differences(saved[0], seen[0]).map(([field]) => field);
    expect(fields.sort()).toEqual(edits.map(({ field }) => field));
    for (const name of before.map((line) => line.split(" ")[0]!))
      if (name !== core)
        expect(readFileSync(join(copy, name)).equals(readFileSync(join(dir, name)))).toBe(true);
    if (edits.length > 0) expect(mode()).toBe("700");
  });
}

test("--sched-prio says the priority; --fix=none blocks; --dry-run shows each field", async () => {
  await using stage = openStage();
  const { pid, dir } = await images(stage, "3.17.1");
  const bare = await restoreBare(stage, dir);
  expect(bare.exit).toBe(1);
  const none = await report(stage, "restore", dir, ["--fix=none"]);
  expect(none).toMatchObject({ exit: 3, run: null, plan: { outcome: "blocked", edits: [] } });
  expect(blockers(none)).toEqual(["sched-priority-lost"]);
  expect(bare.log).toContain(finding(none, "sched-priority-lost").criu_message!);

  const dry = await recriu(stage, ["restore", "--dry-run", "-D", dir]);
  expect(dry.stderr).toContain("it is taken as 1");
  expect(dry.stderr).toContain(
    `edit    core-${pid}.img entry 0 thread_core.sched_prio: absent -> 1`,
  );
  expect(existsSync(`/proc/${pid}`)).toBe(false);
  for (const wrong of ["0", "100", "-1", "many"])
    expect((await recriu(stage, ["restore", "--sched-prio", wrong, "-D", dir])).exit).toBe(2);

  const told = await report(stage, "preflight", dir);
  const fill = { "prio=N": "prio=42" };
  expect((await typed(stage, told, "sched-priority-lost", { fill })).exit).toBe(0);
  expect(await policyOf(stage, pid)).toEqual(["SCHED_FIFO|SCHED_RESET_ON_FORK", "42"]);
  await killTree(stage, pid);
  const done = await report(stage, "restore", dir, ["--sched-prio=42"]);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(await policyOf(stage, pid)).toEqual(["SCHED_FIFO|SCHED_RESET_ON_FORK", "42"]);
  // The verification knows which it has to be, or that it cannot be known.
  const verified = (...words: string[]) => recriu(stage, ["verify", "-D", dir, ...words]);
  expect((await verified()).exit).toBe(0);
  expect((await verified("--sched-prio=42")).exit).toBe(0);
  expect((await verified("--sched-prio=41")).exit).toBe(5);
});

test("each thread has its own; without verification it is set all the same", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "tree", ["/", "/etc/passwd", join(stage.dir, "log"), "2"]);
  const dir = await dump(stage, pid);
  const tree = await report(stage, "preflight", dir);
  expect(tree.plan).toMatchObject({ edits: [] });
  const threads = (await decoded(stage, join(dir, "pstree.img"))).flatMap(
    ({ pid: leader, threads: all }) =>
      all.filter((tid: number) => tid !== leader && existsSync(join(dir, `core-${tid}.img`))),
  );
  expect(threads.length).toBe(2);
  for (const tid of threads)
    edit(dir, `core-${tid}.img`, ([core]) =>
      Object.assign(core.thread_core, { sched_policy: FIFO_RESET }),
    );
  const by = ["--criu", oldCriu(stage)];
  for (const verify of ["gate", "off"]) {
    const done = await report(stage, "restore", dir, [...by, `--verify=${verify}`]);
    expect(done).toMatchObject({
      exit: 0,
      verdict: { result: verify === "off" ? "skipped" : "match" },
    });
    for (const tid of threads)
      expect(await policyOf(stage, tid)).toEqual(["SCHED_FIFO|SCHED_RESET_ON_FORK", "1"]);
    expect(await policyOf(stage, pid)).toEqual(["SCHED_OTHER", "0"]);
    await killTree(stage, pid);
  }
});

test("SCHED_EXT comes back where the kernel has it, else under SCHED_OTHER; its flag and nice value do in any case", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["other", "0", "-5", "reset"]);
  const dir = await dump(stage, pid);
  const ext = copyOf(stage, dir, "ext");
  edit(ext, `core-${pid}.img`, ([core]) => (core.thread_core.sched_policy = 0x40000007));
  const bare = await restoreBare(stage, ext);
  expect(bare.exit).toBe(1);
  const done = await report(stage, "restore", ext);
  expect(bare.log).toContain(finding(done, "sched-deadline").criu_message!);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  const [policy] = await policyOf(stage, pid);
  expect(["SCHED_OTHER|SCHED_RESET_ON_FORK", "SCHED_EXT|SCHED_RESET_ON_FORK"]).toContain(policy!);
  const lost = done.verdict!.differences.filter(({ class: kind }) => kind === "expected");
  expect(lost.length).toBe(policy!.startsWith("SCHED_EXT") ? 0 : 1);
  expect((await run(stage, ["ps", "-o", "ni=", "-p", `${pid}`])).stdout.trim()).toBe("-5");
});
