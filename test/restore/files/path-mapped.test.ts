/** Files, sockets and directories of the tree that are in another place here. */
import { startDumped } from "../stage/dumped.ts";
import { expect, test } from "bun:test";
import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { dumpWithMounts } from "../mounts/mounts.ts";
import { blockers, finding, report } from "../report.ts";
import {
  dump,
  killTree,
  openStage,
  ownProgram,
  recriu,
  restoreBare,
  run,
  type Stage,
  start,
} from "../stage.ts";

/** Images of a tree with something in `old`, and a `renewed` one in its place. */
interface Moved {
  id: string;
  pid: number;
  images: string;
  /** Where a link of /proc/PID leads to now. */
  link?: string;
}

const cases: Record<string, (stage: Stage, old: string) => Promise<Moved>> = {
  "a file": async (stage, old) => {
    const file = join(old, "file");
    writeFileSync(file, "what it was");
    const made = await startDumped(stage, "objects", ["read", file]);
    return { id: "file-missing", ...made, link: "fd/3" };
  },
  "a working directory": async (stage, old) => {
    const dir = join(old, "dir");
    mkdirSync(dir);
    return {
      id: "cwd-missing",
      ...(await startDumped(stage, "objects", ["chdir", dir])),
      link: "cwd",
    };
  },
  "a FIFO": async (stage, old) => {
    const made = await startDumped(stage, "objects", ["fifo", join(old, "fifo")]);
    return { id: "fifo-missing", ...made };
  },
  "a program": async (stage, old) => {
    const program = join(old, "program");
    copyFileSync(ownProgram(stage, "sched"), program);
    const { pid } = await start(stage, "sched", ["other", "0", "0"], { program });
    return { id: "file-missing", pid, images: await dump(stage, pid), link: "exe" };
  },
};

for (const [what, make] of Object.entries(cases))
  test(`${what} that is elsewhere here`, async () => {
    await using stage = openStage();
    const [old, now] = [join(stage.dir, "old"), join(stage.dir, "now")];
    mkdirSync(old);
    const { id, pid, images, link } = await make(stage, old);
    renameSync(old, now);
    expect((await restoreBare(stage, images)).exit).toBe(1);
    const before = await report(stage, "preflight", images);
    // A FIFO recriu would make.
    const exit = id === "fifo-missing" ? 4 : 3;
    expect([before.exit, [...new Set(blockers(before))]]).toEqual([exit, [id]]);
    const option = `--map-path=${old}=${now}`;
    const done = await report(stage, "restore", images, [option]);
    expect([done.exit, done.failure, done.verdict?.result]).toEqual([0, null, "match"]);
    expect(finding(done, "path-mapped")).toMatchObject({ severity: "info", subject: old });
    if (link !== undefined) expect(readlinkSync(`/proc/${pid}/${link}`)).toStartWith(`${now}/`);
    expect((await recriu(stage, ["verify", "-D", images, option])).exit).toBe(0);
    // Without it that is another program than was saved.
    if (link === "exe") expect((await recriu(stage, ["verify", "-D", images])).exit).toBe(5);
    await killTree(stage, pid);
  });

/** A file that is not what it was, with the saved one kept at another place. */
const kept: Record<string, (stage: Stage, file: string) => Promise<Moved>> = {
  "file-changed": async (stage, file) => {
    writeFileSync(file, "what it was");
    const made = await startDumped(stage, "objects", ["read", file]);
    return { id: "file-changed", ...made };
  },
  "file-build-id": async (stage, file) => {
    copyFileSync("/bin/true", file);
    return { id: "file-build-id", ...(await startDumped(stage, "objects", ["map", file])) };
  },
};

for (const [id, make] of Object.entries(kept))
  test(`${id}: the file of the dump is kept elsewhere`, async () => {
    await using stage = openStage();
    const [file, saved] = [join(stage.dir, "file"), join(stage.dir, "file.saved")];
    const { pid, images } = await make(stage, file);
    copyFileSync(file, saved);
    if (id === "file-changed") appendFileSync(file, " and more");
    else {
      const bytes = readFileSync(file);
      const note = bytes.indexOf(Buffer.from("\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0", "latin1"));
      bytes[note + 16]! ^= 0xff;
      writeFileSync(file, bytes);
    }
    expect((await restoreBare(stage, images)).exit).toBe(1);
    const blocked = await report(stage, "restore", images);
    expect([blocked.exit, blockers(blocked)]).toEqual([3, [id]]);
    const done = await report(stage, "restore", images, [`--map-path=${file}=${saved}`]);
    expect([done.exit, blockers(done), done.verdict?.result]).toEqual([0, [], "match"]);
    await killTree(stage, pid);
  });

test("what a seal says of a file counts at its new place", async () => {
  await using stage = openStage();
  const [old, now] = [join(stage.dir, "old"), join(stage.dir, "now")];
  copyFileSync("/bin/true", old);
  const { images } = await startDumped(stage, "objects", ["map", old]);
  expect((await recriu(stage, ["seal", images])).exit).toBe(0);
  copyFileSync("/bin/false", now);
  const told = await report(stage, "restore", images, [`--map-path=${old}=${now}`]);
  expect([told.exit, blockers(told)]).toEqual([3, expect.arrayContaining(["file-differs"])]);
  expect(finding(told, "file-differs").subject).toBe(now);
});

test("the place of a socket", async () => {
  await using stage = openStage();
  const [old, now] = [join(stage.dir, "old"), join(stage.dir, "now")];
  for (const dir of [old, now]) mkdirSync(dir);
  const { pid, images } = await startDumped(stage, "objects", ["listen", join(old, "a")]);
  renameSync(old, `${old}.gone`);
  // A live server is at the old place: it keeps its name.
  mkdirSync(old);
  await start(stage, "objects", ["listen", join(old, "a")]);
  const blocked = await report(stage, "restore", images);
  expect([blocked.exit, blockers(blocked)]).toEqual([3, ["unix-socket-busy"]]);
  const done = await report(stage, "restore", images, [`--map-path=${old}=${now}`]);
  expect([done.exit, done.verdict?.result]).toEqual([0, "match"]);
  expect([existsSync(join(now, "a")), existsSync(join(old, "a"))]).toEqual([true, true]);
  expect((await run(stage, ["ss", "-Hxl"])).stdout).toContain(` ${join(now, "a")} `);
  await killTree(stage, pid);
});

test("where there is nothing of the tree, it is said", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage, "objects", ["read", "/dev/null"]);
  const told = await report(stage, "preflight", images, ["--map-path=/nowhere/at all=/else"]);
  expect([told.exit, finding(told, "path-mapped").severity]).toEqual([0, "warning"]);
});

test("mountpoint-missing: the place of a mount of a container is another in its root", async () => {
  await using stage = openStage();
  const { root, images, options, data, map } = await dumpWithMounts(stage);
  const all = [...options, ...map(data)];
  renameSync(join(root, "data"), join(root, "other"));
  const bare = await restoreBare(stage, images, all);
  const told = await report(stage, "preflight", images, all);
  expect([bare.exit, blockers(told)]).toEqual([1, ["mountpoint-missing"]]);
  const option = "--map-path=/data=/other";
  const done = await report(stage, "restore", images, [...all, option]);
  expect([done.exit, done.failure, done.verdict?.result]).toEqual([0, null, "match"]);
  expect(blockers(done)).toEqual([]);
  const { pid } = done.run!;
  const mounts = readFileSync(`/proc/${pid}/mountinfo`, "utf8");
  expect([mounts.includes(" /other "), mounts.includes(" /data ")]).toEqual([true, false]);
  const verify = (...words: string[]) =>
    recriu(stage, ["verify", "-D", images, "--pid", `${pid}`, ...words]);
  expect((await verify(option)).stderr).not.toContain("[mounts]");
  expect((await verify()).stderr).toContain("[mounts] task");
  await killTree(stage, pid!);
});
