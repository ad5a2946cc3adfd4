/** Files that only grew since the dump: the shadow leaves the size out, where that is known or said to be right. */
import { startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { dumpTree } from "../files.ts";
import { blockers, finding, report } from "../report.ts";
import { contents, copying, crit, decoded, differences, shadows } from "../shadow.ts";
import { stageCheck } from "../stage-check.ts";
import {
  dump,
  killTree,
  openStage,
  restoreBare,
  run,
  type Stage,
  start,
  waitFor,
} from "../stage.ts";
import { compile } from "../stage/compile.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import {
  appendFileSync,
  chmodSync,
  cpSync,
  existsSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

test("file-changed: another size", async () => {
  await using stage = openStage();
  const { images, file } = await dumpTree(stage);
  appendFileSync(file, ", and more");
  const mend = () => writeFileSync(file, "what it was");
  await stageCheck({ id: "file-changed", stage, images, subject: file, mend });
});

test("file-changed: another mode", async () => {
  await using stage = openStage();
  const { images, cwd } = await dumpTree(stage);
  // Of an empty directory it is not known whether something should be mounted there.
  writeFileSync(join(cwd, "something"), "");
  chmodSync(cwd, 0o700);
  await stageCheck({ id: "file-changed", stage, images, subject: cwd, mend: "typed" });
});

/** A tree that reads `file` and appends to `log`. */
async function dumpLog(stage: Stage) {
  const [file, log] = [join(stage.dir, "data"), join(stage.dir, "log")];
  writeFileSync(file, "what it was");
  const { pid } = await start(stage, "tree", ["/", file, log, "1"]);
  await waitFor("a line in the log", () => statSync(log).size > 0);
  return { pid, file, log, images: await dump(stage, pid) };
}

test("a log that is only appended to may be longer, as its program would have made it", async () => {
  await using stage = openStage();
  const { images, pid, log } = await dumpLog(stage);
  // CRIU 3.17 and 4.1 save no size of such a file; where an image has one, they compare it.
  edit(images, "files.img", (entries) => {
    entries.find(({ reg }) => reg?.name === log).reg.size = BigInt(statSync(log).size);
  });
  expect((await report(stage, "preflight", images)).findings).toEqual([]);
  appendFileSync(log, "rotated\n");
  const before = contents(images);
  const size = statSync(log).size;
  const none = await report(stage, "preflight", images, ["--fix=none"]);
  expect(none.exit).toBe(3);
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(none, "file-changed").criu_message!);

  const { script, copy } = copying(stage);
  const work = ["-W", stage.dir, "--action-script", script];
  const done = await report(stage, "restore", images, work);
  expect(done).toMatchObject({
    exit: 0,
    plan: { edits: [{ file: "files.img", field: "reg.size", to: null }] },
    verdict: { result: "match" },
  });
  expect(finding(done, "file-changed").remedy.text).toContain("is not compared");
  await waitFor("the log to go on", () => statSync(log).size > size);
  await killTree(stage, pid);
  expect(readFileSync(log, "utf8")).toContain("rotated\ntick ");
  expect(contents(images)).toEqual(before);
  expect(shadows(stage.dir)).toEqual([]);

  if (!existsSync(crit)) return; // CRIU's own reader is fetched; a whole system has none
  const [saved, seen] = [
    await decoded(stage, join(images, "files.img")),
    await decoded(stage, join(copy, "files.img")),
  ];
  const { entry } = done.plan.edits[0]!;
  expect(differences(saved, seen)).toEqual([[`${entry}.reg.size`, expect.anything(), undefined]]);
});

test("any other open file only when the user says so, and by its own path", async () => {
  await using stage = openStage();
  const { pid, images, file, log } = await dumpLog(stage);
  appendFileSync(file, ", and more");
  const blocked = await report(stage, "restore", images, [`--allow-grown=${log}`]);
  expect(blocked.exit).toBe(3);
  const { remedy } = finding(blocked, "file-changed");
  expect(remedy).toMatchObject({ kind: "human", command: `--allow-grown=${file}` });
  expect(remedy.text).toContain("may write over");
  const allowed = [`--allow-grown=${file}`, `--allow-grown=${log}`];
  // A file of another mode, or that has shrunk, is not one that grew.
  chmodSync(file, 0o600);
  expect((await report(stage, "restore", images, allowed)).exit).toBe(3);
  chmodSync(file, 0o644);
  const grown = statSync(file).size;
  truncateSync(file, 3);
  expect((await report(stage, "restore", images, allowed)).exit).toBe(3);
  truncateSync(file, grown);
  const told = await report(stage, "preflight", images);
  expect((await typed(stage, told, "file-changed")).exit).toBe(0);
  await killTree(stage, pid);
  expect(await report(stage, "restore", images, allowed)).toMatchObject({
    exit: 0,
    verdict: { result: "match" },
  });
});

test("a program and its libraries never", async () => {
  await using stage = openStage();
  const program = join(stage.dir, "program");
  cpSync(compile("sched"), program);
  const ready = join(stage.dir, "ready");
  const child = await stage.supervisor.spawn([program, ready, "other", "0", "0"], { cwd: "/" });
  await waitFor("the program", () => statSync(ready, { throwIfNoEntry: false }) !== undefined);
  const images = await dump(stage, child.pid);
  appendFileSync(program, "\0");
  const named = await report(stage, "restore", images, [`--allow-grown=${program}`]);
  expect(named).toMatchObject({ exit: 3, plan: { outcome: "blocked", edits: [] } });
  expect(new Set(blockers(named))).toEqual(new Set(["file-changed"]));
  expect(finding(named, "file-changed").subject).toBe(program);
  expect((await restoreBare(stage, images)).exit).toBe(1);
});

// A machine of unpacked packages has no list of them.
const isListed = Bun.spawnSync(["sh", "-c", "dpkg-query -W libc6"]).exitCode === 0;

test.skipIf(!isListed)(
  "programs and libraries: the package of this machine, its version, and the build-id of the dump",
  async () => {
    await using stage = openStage();
    const { images } = await startDumped(stage);
    let library = "";
    edit(images, "files.img", (entries) => {
      const { reg } = entries.find((entry) => entry.reg?.name.endsWith("/libc.so.6"));
      library = reg.name;
      reg.size += 1n;
    });
    const { subject, remedy } = await stageCheck({
      id: "file-changed",
      stage,
      images,
      among: true,
    });
    expect(subject).toBe(library);
    const asked = await run(stage, ["dpkg-query", "-W", "-f", "${Version}", "libc6"]);
    expect(remedy.command).toBeNull();
    expect(remedy.text).toContain(`what is there now is of libc6:amd64 ${asked.stdout} (dpkg)`);
    expect(remedy.text).toMatch(/the build-id of the dump is [0-9a-f]{40}/);
  },
);
