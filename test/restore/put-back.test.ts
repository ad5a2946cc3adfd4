/** Files that are gone or others: what is told of them, and that the command, as it is typed, puts them back. */
import { expect, test } from "bun:test";
import { mkdirSync, rmdirSync, rmSync, statSync, truncateSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { edit } from "./edit.ts";
import { restored, stageCheck } from "./stage-check.ts";
import { blockers, finding, report } from "./report.ts";
import { dump, openStage, recriu, run, start, waitFor } from "./stage.ts";
import { typed } from "./typed.ts";
import { reportUnder } from "./under.ts";

test("what a command can put back it does: an empty file, shared memory, a device, a directory", async () => {
  await using stage = openStage();
  const at = (name: string) => join(stage.dir, "below", name);
  mkdirSync(at(""));
  const [empty, zero, dir] = [at("empty"), at("zero"), at("dir")];
  const shm = `/dev/shm/${basename(stage.dir)}`;
  try {
    writeFileSync(empty, "", { mode: 0o600 });
    writeFileSync(shm, "what it was", { mode: 0o640 });
    mkdirSync(dir, { mode: 0o750 });
    expect((await run(stage, ["mknod", "-m", "666", zero, "c", "1", "5"])).exit).toBe(0);
    const held = [empty, shm, zero, dir].flatMap((path) => ["read", path]);
    const { pid } = await start(stage, "things", held);
    const images = await dump(stage, pid);
    rmSync(shm);
    rmSync(at(""), { recursive: true });
    const told = await stageCheck({ id: "file-missing", stage, images, among: true });
    expect(told.remedy.text).toContain("mode 0");
    const preflight = await report(stage, "preflight", images);
    expect(preflight.findings.map(({ id }) => id)).toEqual(Array(4).fill("file-missing"));
    expect(preflight.findings.find(({ subject }) => subject === shm)?.remedy.text).toContain(
      "a file of 11 bytes, mode 0640",
    );
    for (const subject of [empty, dir, zero, shm])
      expect(await typed(stage, preflight, "file-missing", { subject })).toMatchObject({
        exit: 0,
        stderr: "",
      });
    expect([statSync(empty).mode, statSync(zero).rdev, statSync(shm).size]).toEqual([
      0o100600, 0x105, 11,
    ]);
    await restored(stage, images);
  } finally {
    rmSync(shm, { force: true });
  }
});

test("a log that is only appended to is begun anew", async () => {
  await using stage = openStage();
  const [file, log] = [join(stage.dir, "data"), join(stage.dir, "log")];
  writeFileSync(file, "what it was");
  const { pid } = await start(stage, "tree", ["/", file, log, "1"]);
  await waitFor("a line in the log", () => statSync(log).size > 0);
  const images = await dump(stage, pid);
  rmSync(log);
  await stageCheck({ id: "file-missing", stage, images, among: true });
  const preflight = await report(stage, "preflight", images);
  expect((await typed(stage, preflight, "file-missing")).exit).toBe(0);
  await restored(stage, images);
});

test("what no command can put back: its size and mode are told, and nobody is told to pad it", async () => {
  await using stage = openStage();
  const file = join(stage.dir, "data");
  writeFileSync(file, "what it was", { mode: 0o640 });
  const { pid } = await start(stage, "things", ["read", file]);
  const images = await dump(stage, pid);
  truncateSync(file, 4);
  const shrunk = await stageCheck({ id: "file-changed", stage, images, among: true });
  expect(shrunk.remedy).toMatchObject({ kind: "human", command: null });
  expect(shrunk.remedy.text).toContain("a file of 11 bytes, mode 0640");
  rmSync(file);
  const gone = await stageCheck({ id: "file-missing", stage, images, among: true });
  expect(gone.remedy).toMatchObject({ kind: "human", command: null });
  expect(gone.remedy.text).toContain("a file of 11 bytes, mode 0640; whose it was");
  writeFileSync(file, "what it was", { mode: 0o640 });
  await restored(stage, images);
});

test("programs and libraries: the package of this machine, its version, and the build-id of the dump", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dump(stage, pid);
  let library = "";
  edit(images, "files.img", (entries) => {
    const { reg } = entries.find((entry) => entry.reg?.name.endsWith("/libc.so.6"));
    library = reg.name;
    reg.size += 1n;
  });
  const { subject, remedy } = await stageCheck({ id: "file-changed", stage, images, among: true });
  expect(subject).toBe(library);
  const asked = await run(stage, ["dpkg-query", "-W", "-f", "${Version}", "libc6"]);
  expect(remedy.command).toBeNull();
  expect(remedy.text).toContain(`what is there now is of libc6:amd64 ${asked.stdout} (dpkg)`);
  expect(remedy.text).toMatch(/the build-id of the dump is [0-9a-f]{40}/);
});

test("a file system that is not mounted is to be mounted, not the directory below it to be changed", async () => {
  await using stage = openStage();
  const at = join(stage.dir, "mnt");
  mkdirSync(at);
  const mount = ["mount", "-t", "tmpfs", "-o", "mode=0700", "tmpfs", at];
  expect((await run(stage, mount)).exit).toBe(0);
  writeFileSync(join(at, "data"), "what it was");
  const things = ["chdir", at, "read", join(at, "data")];
  const { pid } = await start(stage, "things", things);
  const images = await dump(stage, pid);
  expect((await run(stage, ["umount", at])).exit).toBe(0);

  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight).toSorted()).toEqual(["file-changed", "file-missing"]);
  const { remedy } = finding(preflight, "file-changed");
  expect(remedy.command).toBeNull();
  expect(remedy.text).toContain("if a file system was mounted there, mount it");
  expect(finding(preflight, "file-missing").remedy.text).toContain(
    `mounted at ${at}, which is empty`,
  );

  // Where /etc/fstab has it, it is known.
  const fstab = join(stage.dir, "fstab");
  writeFileSync(fstab, `# here\ntmpfs ${at} tmpfs mode=0700 0 0\n`);
  const planned = (command: string) => [
    "unshare",
    "--mount",
    "sh",
    "-c",
    `mount --bind ${fstab} /etc/fstab && ${command}`,
  ];
  const known = await reportUnder(stage, planned, "preflight", images);
  for (const id of ["file-changed", "file-missing"])
    expect(finding(known, id).remedy.command).toBe(`mount ${at}`);
  const again = await reportUnder(
    stage,
    (command) => planned(`mount ${at} && printf 'what it was' >${at}/data && ${command}`),
    "restore",
    images,
  );
  expect(again).toMatchObject({ exit: 0, findings: [], verdict: { result: "match" } });
});

test("cwd-missing: the directory has the owner of what it stands in", async () => {
  await using stage = openStage();
  const cwd = join(stage.dir, "work");
  mkdirSync(cwd, { mode: 0o700 });
  const { pid } = await start(stage, "sched", ["other", "0", "0"], { cwd });
  const images = await dump(stage, pid);
  rmdirSync(cwd);
  const preflight = await report(stage, "preflight", images);
  expect((await typed(stage, preflight, "cwd-missing")).exit).toBe(0);
  expect(statSync(cwd).mode & 0o7777).toBe(0o700);
  expect((await recriu(stage, ["restore", "-d", "-D", images])).exit).toBe(0);
});
