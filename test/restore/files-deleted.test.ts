/** Files that are other builds, deleted ones, FIFOs and locks. */
import { expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { foretold } from "./foretold.ts";
import { blockers, finding, report } from "./report.ts";
import {
  dump,
  killTree,
  openStage,
  recriu,
  restoreBare,
  run,
  type Stage,
  start,
  undo,
} from "./stage.ts";
import { typed } from "./typed.ts";
import { compile } from "./stage/compile.ts";

async function held(stage: Stage, things: string[], options: string[] = []) {
  const { pid } = await start(stage, "things", things);
  return { pid, images: await dump(stage, pid, options) };
}

test("file-build-id: a mapped library of the same size is another build", async () => {
  await using stage = openStage();
  const library = join(stage.dir, "library");
  copyFileSync("/bin/true", library);
  const { pid, images } = await held(stage, ["map", library]);
  const bytes = readFileSync(library);
  const note = bytes.indexOf(Buffer.from("\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0", "latin1"));
  bytes[note + 16]! ^= 0xff;
  writeFileSync(library, bytes);
  const named = await foretold(stage, {
    id: "file-build-id",
    images,
    pid,
    subject: library,
    mend: "typed",
  });
  expect(named.remedy.command).toBe("--file-validation=filesize");
});

test("file-unwritable: the file system is read-only now", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, "mount");
  mkdirSync(dir);
  await run(stage, ["mount", "-t", "tmpfs", "none", dir]);
  const file = join(dir, "data");
  const { pid, images } = await held(stage, ["write", file]);
  await run(stage, ["mount", "-o", "remount,ro", dir]);
  await foretold(stage, {
    id: "file-unwritable",
    images,
    pid,
    subject: file,
    mend: "typed",
  });
});

test("proc-thread-file: a thread's file in /proc is opened before the thread is made", async () => {
  await using stage = openStage();
  const { pid, images } = await held(stage, ["thread"]);
  const [tid] = (await report(stage, "preflight", images)).findings.map(
    ({ subject }) => /\d+\/comm/.exec(subject)?.[0],
  );
  const path = `/proc/${pid}/task/${tid}`;
  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight)).toEqual(["proc-thread-file"]);
  expect(finding(preflight, "proc-thread-file").subject).toBe(path);
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "proc-thread-file").criu_message!);
  // The remedy is typed into a shell: the descriptor is opened there.
  expect((await typed(stage, preflight, "proc-thread-file")).exit).toBe(0);
  await killTree(stage, pid);
});

test("fifo-missing", async () => {
  await using stage = openStage();
  const fifo = join(stage.dir, "fifo");
  const { pid, images } = await held(stage, ["fifo", fifo]);
  expect((await report(stage, "restore", images)).findings).toEqual([]);
  await killTree(stage, pid);
  rmSync(fifo);
  const preflight = await report(stage, "preflight", images);
  const { command } = finding(preflight, "fifo-missing").remedy;
  expect(command).toBe(`mkfifo -m 0640 ${fifo}`);
  await foretold(stage, {
    id: "fifo-missing",
    images,
    pid,
    subject: fifo,
    mend: "typed",
  });
});

test("ghost-file-exists: a killed CRIU left it", async () => {
  await using stage = openStage();
  const file = join(stage.dir, "deleted");
  const { pid, images } = await held(stage, ["write", file, "unlink", file]);
  expect((await report(stage, "restore", images)).findings).toEqual([]);
  await killTree(stage, pid);
  // Its name ends in an id that is in the images.
  const [ghost] = [...new Bun.Glob("ghost-file-*.img").scanSync(images)];
  const left = `${file}.cr.${/ghost-file-([0-9a-f]+)/.exec(ghost!)![1]}.ghost`;
  writeFileSync(left, "");
  await foretold(stage, {
    id: "ghost-file-exists",
    images,
    pid,
    subject: left,
    // The CRIU that failed has removed it.
    mend: () => {},
  });
  await killTree(stage, pid);
  writeFileSync(left, "");
  const told = await report(stage, "preflight", images);
  expect((await typed(stage, told, "ghost-file-exists")).exit).toBe(0);
  expect((await report(stage, "restore", images)).findings).toEqual([]);
});

test("ghost-file-exists: a directory of a deleted one's name", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, "deleted");
  mkdirSync(dir);
  const { pid, images } = await held(stage, ["chdir", dir, "rmdir", dir]);
  expect((await report(stage, "restore", images)).findings).toEqual([]);
  await killTree(stage, pid);

  mkdirSync(dir, { mode: 0o700 });
  const empty = await report(stage, "preflight", images);
  expect(finding(empty, "ghost-file-exists")).toMatchObject({ severity: "blocker", subject: dir });
  expect((await restoreBare(stage, images)).exit).toBe(0);
  expect(existsSync(dir)).toBe(false);
  await killTree(stage, pid);
  // The remedy as it is typed: the directory is still there afterwards.
  mkdirSync(dir, { mode: 0o700 });
  await run(stage, ["sh", "-c", finding(empty, "ghost-file-exists").remedy.command!]);
  expect((await report(stage, "restore", images)).findings).toEqual([]);
  expect(existsSync(`${dir}.aside`)).toBe(true);
  await killTree(stage, pid);

  mkdirSync(dir);
  writeFileSync(join(dir, "mine"), "");
  await foretold(stage, {
    id: "ghost-file-exists",
    images,
    pid,
    subject: dir,
    mend: "typed",
  });
});

test("ghost-unwritable", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, "mount");
  mkdirSync(dir);
  await run(stage, ["mount", "-t", "tmpfs", "none", dir]);
  const file = join(dir, "deleted");
  const { pid, images } = await held(stage, ["read", "/dev/null", "write", file, "unlink", file]);
  await run(stage, ["mount", "-o", "remount,ro", dir]);
  const [ghost] = [...new Bun.Glob("ghost-file-*.img").scanSync(images)];
  const id = /ghost-file-([0-9a-f]+)/.exec(ghost!)![1];
  await foretold(stage, {
    id: "ghost-unwritable",
    images,
    pid,
    subject: `${file}.cr.${id}.ghost`,
    mend: "typed",
  });
});

test("link-remap-missing: such images can be restored once", async () => {
  await using stage = openStage();
  const file = join(stage.dir, "file");
  const other = join(stage.dir, "other");
  writeFileSync(file, "content");
  linkSync(file, other);
  const { pid, images } = await held(stage, ["read", file, "unlink", file], ["--link-remap"]);
  const once = finding(await report(stage, "preflight", images), "link-remap-missing");
  expect(once.severity).toBe("info");
  const [word, from, to] = once.remedy.command!.split(" ");
  expect([word, to]).toEqual(["ln", `${from}.keep`]);
  const told = await report(stage, "preflight", images);
  expect((await typed(stage, told, "link-remap-missing")).exit).toBe(0);
  expect((await report(stage, "restore", images)).exit).toBe(0);
  await killTree(stage, pid);
  expect(existsSync(from!)).toBe(false);
  await foretold(stage, {
    id: "link-remap-missing",
    images,
    pid,
    subject: from!,
    mend: () => linkSync(to!, from!),
  });
});

test("link-remap-missing: a tree that is refused at the last point has lost nothing", async () => {
  await using stage = openStage();
  const file = join(stage.dir, "file");
  writeFileSync(file, "content");
  linkSync(file, join(stage.dir, "other"));
  const { pid, images } = await held(stage, ["read", file, "unlink", file], ["--link-remap"]);
  const name = finding(await report(stage, "preflight", images), "link-remap-missing").subject;
  rmSync(join(stage.dir, "other"));
  const script = join(stage.dir, "script");
  const spoil = "kill -9 $CRTOOLS_INIT_PID; sleep 0.1";
  const text = `#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != pre-resume ] || { ${spoil}; }\n`;
  writeFileSync(script, text, { mode: 0o755 });
  const names = () => readdirSync(stage.dir).filter((each) => /link_remap|^\.recriu/.test(each));
  const before = names();
  const refused = await report(stage, "restore", images, ["--action-script", script]);
  expect(refused).toMatchObject({ exit: 5, failure: { left: [] } });
  expect(names()).toEqual(before);
  expect(readFileSync(name, "utf8")).toBe("content");
  // A recriu that is killed there: undo brings the name back.
  const die = `kill -9 $(awk '{print $4}' /proc/$PPID/stat)`;
  writeFileSync(script, text.replace(spoil, die));
  const killed = await recriu(stage, ["restore", "-d", "-D", images, "--action-script", script]);
  expect(killed.exit).toBe(137);
  await killTree(stage, pid);
  expect(existsSync(name)).toBe(false);
  expect((await undo(stage)).exit).toBe(0);
  expect(names()).toEqual(before);

  expect((await report(stage, "restore", images)).exit).toBe(0);
  expect(names()).toEqual([]);
  await killTree(stage, pid);

  // By bare CRIU the file would be gone.
  writeFileSync(name, "content");
  writeFileSync(script, text);
  expect((await restoreBare(stage, images, ["--action-script", script])).exit).toBe(1);
  expect(existsSync(name)).toBe(false);
});

for (const kind of ["flock", "posix"]) {
  test(`locks-held: CRIU waits for a ${kind} lock; locks-ignored: or leaves it out`, async () => {
    await using stage = openStage();
    const file = join(stage.dir, "file");
    const { pid, images } = await held(stage, [kind, file], ["--file-locks"]);
    const inode = statSync(file).ino;
    const isLocked = () => readFileSync("/proc/locks", "utf8").includes(`:${inode} `);

    const without = await report(stage, "preflight", images);
    expect(without.findings).toMatchObject([{ id: "locks-ignored", severity: "warning" }]);
    expect((await restoreBare(stage, images)).exit).toBe(0);
    expect(isLocked()).toBe(false);
    await killTree(stage, pid);
    expect((await typed(stage, without, "locks-ignored")).exit).toBe(0);
    expect(isLocked()).toBe(true);
    await killTree(stage, pid);
    expect((await report(stage, "preflight", images, ["--no-file-locks"])).findings).toEqual([]);

    const holder = await start(stage, "things", [kind, file]);
    const before = await report(stage, "preflight", images, ["--file-locks"]);
    expect(before.findings).toMatchObject([
      { id: "locks-held", severity: "blocker", subject: file, criu_message: null },
    ]);
    expect(finding(before, "locks-held").remedy.command).toBe(`kill ${holder.pid}`);
    const waiting = await restoreBare(stage, images, ["--file-locks"], { timeout: 1500 });
    expect(waiting.exit).toBeNull();
    expect((await typed(stage, before, "locks-held")).exit).toBe(0);
    const restored = await report(stage, "restore", images, ["--file-locks"]);
    expect(restored).toMatchObject({ exit: 0, findings: [], verdict: { result: "match" } });
    expect(isLocked()).toBe(true);
    await killTree(stage, pid);
  });
}

test("lock-mapped: CRIU loses the lock of a file that its task maps, and exits 0", async () => {
  await using stage = openStage();
  const file = join(stage.dir, "file");
  writeFileSync(file, "words");
  const options = ["--file-locks"];
  const { pid, images } = await held(stage, ["map", file, "posix", file], options);
  const inode = statSync(file).ino;
  const isLocked = () => readFileSync("/proc/locks", "utf8").includes(`:${inode} `);
  expect((await restoreBare(stage, images, options)).exit).toBe(0);
  expect(isLocked()).toBe(false);
  await killTree(stage, pid);

  const before = await report(stage, "preflight", images, options);
  expect(before.findings).toMatchObject([
    { id: "lock-mapped", severity: "warning", task: pid, subject: file, criu_message: null },
  ]);
  const restored = await report(stage, "restore", images, options);
  expect(restored).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(restored.verdict!.differences).toMatchObject([
    { facet: "file locks", class: "tolerated" },
  ]);
  await killTree(stage, pid);

  // Somebody takes it before the tree runs: then that is not what was saved.
  const script = join(stage.dir, "script");
  const [holder, ready] = [compile("things"), join(stage.dir, "held")];
  const take = `setsid ${holder} ${ready} posix ${file} </dev/null >/dev/null 2>&1 &
    while [ ! -e ${ready} ]; do sleep 0.01; done`;
  const text = `#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != pre-resume ] || { ${take}\n}\n`;
  writeFileSync(script, text, { mode: 0o755 });
  const taken = await report(stage, "restore", images, [...options, "--action-script", script]);
  expect(taken).toMatchObject({ exit: 5, verdict: { result: "mismatch" } });
});

test("locks-held: of an open file description's lock CRIU says so", async () => {
  await using stage = openStage();
  const file = join(stage.dir, "file");
  const options = ["--file-locks"];
  const { pid, images } = await held(stage, ["ofd", file], options);
  await start(stage, "things", ["ofd", file]);
  await foretold(stage, {
    id: "locks-held",
    images,
    pid,
    subject: file,
    options,
    mend: "typed",
  });
});
