/** Names that CRIU wants to find, of which the images say little: a seal with files knows what stood there. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import {
  chmodSync,
  chownSync,
  linkSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { dumpWithMounts } from "./mounts/mounts.ts";
import { finding, report } from "./report.ts";
import { stageCheck } from "./stage-check.ts";
import { killTree, openStage, recriu, restoreBare, type Stage } from "./stage.ts";
import { typed } from "./typed.ts";

const seal = async (stage: Stage, images: string, ...words: string[]) =>
  expect((await recriu(stage, ["seal", images, "--with-files", ...words])).exit).toBe(0);

for (const kind of ["file", "directory"] as const)
  test(`watch-path-missing: a ${kind} that is watched is put back as it was`, async () => {
    await using stage = openStage();
    const watched = join(stage.dir, "watched");
    if (kind === "file") writeFileSync(watched, "settings");
    else mkdirSync(watched);
    chmodSync(watched, 0o750);
    const { images, pid } = await startDumped(stage, "objects", ["watch", watched]);
    await seal(stage, images);
    rmSync(watched, { recursive: true });
    const { remedy } = await stageCheck({
      id: "watch-path-missing",
      stage,
      images,
      pid,
      mend: "typed",
    });
    expect(remedy.kind).toBe("repair");
    rmSync(watched, { recursive: true });
    const done = await report(stage, "restore", images);
    expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
    expect(statSync(watched).mode & 0o7777).toBe(0o750);
    if (kind === "file") expect(readFileSync(watched, "utf8")).toBe("settings");
    await killTree(stage, pid);
    const untrusted = await report(stage, "preflight", images, ["--untrusted"]);
    expect(untrusted.findings.filter(({ remedy: { kind: by } }) => by === "repair")).toEqual([]);
  });

test("link-remap-missing: a deleted file that was sealed with the images is there again", async () => {
  await using stage = openStage();
  const file = join(stage.dir, "file");
  writeFileSync(file, "content");
  linkSync(file, join(stage.dir, "other"));
  const words = ["read", file, "unlink", file];
  const { pid, images } = await startDumped(stage, "objects", words, { dump: ["--link-remap"] });
  await seal(stage, images);
  expect((await restoreBare(stage, images)).exit).toBe(0);
  await killTree(stage, pid);
  const stuck = { id: "link-remap-missing", stage, images, pid } as const;
  const { remedy } = await stageCheck({ ...stuck, mend: "typed" });
  expect(remedy.kind).toBe("repair");
  const done = await report(stage, "restore", images);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(readFileSync(`/proc/${pid}/fd/3`, "utf8")).toBe("content");
  await killTree(stage, pid);
  // A restore that is refused at the last point leaves nothing that was not there.
  const script = join(stage.dir, "script");
  const spoil = "kill -9 $CRTOOLS_INIT_PID; sleep 0.1";
  const text = `#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != pre-resume ] || { ${spoil}; }\n`;
  writeFileSync(script, text, { mode: 0o755 });
  const names = [...new Bun.Glob("*").scanSync({ cwd: stage.dir, dot: true })].toSorted();
  const refused = await report(stage, "restore", images, ["--action-script", script]);
  expect(refused).toMatchObject({ exit: 5, failure: { left: [] } });
  const after = [...new Bun.Glob("*").scanSync({ cwd: stage.dir, dot: true })].toSorted();
  expect(after.filter((name) => !name.startsWith("run-"))).toEqual(
    names.filter((name) => !name.startsWith("run-")),
  );
});

test("unix-socket-dir: its mode and owner are those that were sealed", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, "sockets");
  mkdirSync(dir);
  chmodSync(dir, 0o710);
  chownSync(dir, 0, 12);
  const { pid, images } = await startDumped(stage, "objects", ["listen", join(dir, "a")]);
  await seal(stage, images);
  rmSync(dir, { recursive: true });
  const told = await report(stage, "preflight", images);
  expect((await restoreBare(stage, images)).exit).toBe(1);
  expect((await typed(stage, told, "unix-socket-dir")).exit).toBe(0);
  expect(statSync(dir)).toMatchObject({ mode: 0o40710, gid: 12 });
  rmSync(dir, { recursive: true });
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 0 });
  expect(statSync(dir)).toMatchObject({ mode: 0o40710, gid: 12 });
  await killTree(stage, pid);
});

test("mountpoint-missing: the file that a file was mounted on", async () => {
  await using stage = openStage();
  const { root, images, options, data, map } = await dumpWithMounts(stage);
  const all = [...options, ...map(data)];
  await seal(stage, images, `--root=${root}`);
  const place = join(root, "etc/hosts");
  const { mode } = statSync(place);
  rmSync(place);
  const named = await stageCheck({
    id: "mountpoint-missing",
    stage,
    images,
    options: all,
    among: true,
  });
  expect(named).toMatchObject({ subject: place, remedy: { kind: "repair" } });
  const told = await report(stage, "preflight", images, all);
  expect((await typed(stage, told, "mountpoint-missing")).exit).toBe(0);
  rmSync(place);
  const done = await report(stage, "restore", images, all);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(statSync(place)).toMatchObject({ mode, size: 0 });
  expect(finding(done, "mountpoint-missing").remedy.text).toContain("taken along");
  await killTree(stage, done.run!.pid!);
});
