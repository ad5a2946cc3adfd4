/** Files that are others by now: for the tree alone those that were sealed with it are bound over them. */
import { startDumped } from "../stage/dumped.ts";
import { expect, test } from "bun:test";
import {
  chownSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { blockers, finding, report } from "../report.ts";
import { manifestOf, spoil } from "../seal.ts";
import {
  dump,
  openStage,
  recriu,
  restoreBare,
  run,
  running,
  type Stage,
  start,
  waitFor,
} from "../stage.ts";
import { compile } from "../stage/compile.ts";

/** Another build of the same size: its build-id note says so. */
function rebuilt(file: string): Buffer {
  const bytes = readFileSync(file);
  const note = bytes.indexOf(Buffer.from("\x04\0\0\0\x14\0\0\0\x03\0\0\0GNU\0", "latin1"));
  bytes[note + 16]! ^= 0xff;
  return bytes;
}

/** A tree that uses `file`, and what is put in its place; CRIU's words, where it has any. */
interface Case {
  ids: string[];
  use: (stage: Stage, file: string) => Promise<{ images: string }>;
  now: (file: string) => Uint8Array | string;
  criu: string | undefined;
}

const runs = async (stage: Stage, file: string) => {
  copyFileSync(compile("objects"), file);
  const { pid } = await start(stage, "objects", ["read", "/dev/null"], { program: file });
  return { images: await dump(stage, pid) };
};

const cases: Record<string, Case> = {
  "a program that was built anew": {
    ids: ["file-build-id", "file-differs"],
    use: runs,
    now: rebuilt,
    criu: "has bad build-ID",
  },
  "a program that is another": {
    ids: ["file-changed", "file-differs"],
    use: runs,
    now: () => readFileSync("/bin/true"),
    criu: "has bad size",
  },
  "a library that was replaced": {
    ids: ["file-build-id", "file-differs"],
    use: (stage, file) => {
      copyFileSync("/bin/true", file);
      return startDumped(stage, "objects", ["map", file]);
    },
    now: rebuilt,
    criu: "has bad build-ID",
  },
  "a data file that is mapped, of the same size": {
    ids: ["file-differs"],
    use: (stage, file) => {
      writeFileSync(file, "what it was");
      return startDumped(stage, "objects", ["map", file]);
    },
    now: () => "what is now",
    criu: undefined,
  },
  "a data file that is read": {
    ids: ["file-changed"],
    use: (stage, file) => {
      writeFileSync(file, "what it was");
      return startDumped(stage, "objects", ["read", file]);
    },
    now: () => "what it is now",
    criu: "has bad size",
  },
};

for (const [what, { ids, use, now, criu }] of Object.entries(cases))
  test(`${what}: the tree has its own, and others have theirs`, async () => {
    await using stage = openStage();
    const file = join(stage.dir, "file");
    const { images } = await use(stage, file);
    const before = readFileSync(file);
    chownSync(file, 3, 4);
    const { mode } = statSync(file);
    expect((await recriu(stage, ["seal", images, "--with-files"])).exit).toBe(0);
    writeFileSync(file, now(file));
    const there = readFileSync(file);

    const bare = await restoreBare(stage, images);
    if (criu === undefined) expect(bare.exit).toBe(0);
    else expect([bare.exit, bare.log]).toEqual([1, expect.stringContaining(criu)]);
    for (const pid of running(stage, "objects")) process.kill(pid, "SIGKILL");
    await waitFor("bare CRIU's tree to be gone", () => running(stage, "objects").length === 0);

    const blocked = await report(stage, "restore", images);
    expect([blocked.exit, [...new Set(blockers(blocked))]]).toEqual([3, ids]);
    expect(finding(blocked, ids[0]!).isolate).toBe("mount");
    expect(blocked.plan.would_restore).toMatchObject({ isolate: ["mount"], isolate_dirs: [] });
    const done = await report(stage, "restore", images, ["--isolate"]);
    expect([done.exit, done.failure, done.verdict?.result]).toEqual([0, null, "match"]);
    expect(done.plan.over.map(({ path }) => path)).toEqual([file]);
    expect(finding(done, ids[0]!).remedy).toMatchObject({
      kind: "isolate",
      command: "--isolate=mount",
    });

    const root = done.run!.pid!;
    const inside = `/proc/${root}/root${file}`;
    expect(readFileSync(inside)).toEqual(before);
    expect(statSync(inside)).toMatchObject({ mode, uid: 3, gid: 4 });
    expect(() => writeFileSync(inside, "")).toThrow(/EROFS|ETXTBSY/);
    expect(readFileSync(file)).toEqual(there);
    // It is bound, and what it was copied to is nowhere.
    const mounts = readFileSync(`/proc/${root}/mountinfo`, "utf8").split("\n");
    expect(mounts.filter((line) => line.includes(` /0 ${file} ro,nosuid,nodev`)).length).toBe(1);
    expect(mounts.filter((line) => / \/ \/proc .* tmpfs /.test(line))).toEqual([]);
    const verified = await recriu(stage, ["verify", "-D", images]);
    expect([verified.exit, verified.stderr]).toEqual([0, expect.stringContaining("verified: ")]);
    process.kill(root, "SIGKILL");
    await waitFor("the init to end", () => running(stage, "recriu-init").length === 0);
  });

/** A tree that reads a file, which is another by now; `words` are more that it does. */
async function changed(stage: Stage, ...words: string[]) {
  const dir = join(stage.dir, "place");
  mkdirSync(dir);
  const file = join(dir, "file");
  writeFileSync(file, "what it was");
  const { images } = await startDumped(stage, "objects", ["read", file, ...words]);
  expect((await recriu(stage, ["seal", images, "--with-files"])).exit).toBe(0);
  writeFileSync(file, "what it is now");
  return { dir, file, images };
}

/** An action script that does `what` at `point`. */
function scriptAt(stage: Stage, point: string, what: string): string[] {
  const script = join(stage.dir, "script");
  const text = `#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != ${point} ] || { ${what}; }\n`;
  writeFileSync(script, text, { mode: 0o755 });
  return ["--isolate", "--action-script", script];
}

test("only that file: where a link is put on the way meanwhile, nothing is bound", async () => {
  await using stage = openStage();
  const { dir, file, images } = await changed(stage);
  const other = join(stage.dir, "other");
  mkdirSync(other);
  writeFileSync(join(other, "file"), "another's");
  const swap = `mv ${dir} ${dir}.was && ln -s ${other} ${dir}`;
  const done = await report(stage, "restore", images, scriptAt(stage, "pre-restore", swap));
  const said = `${file}: the file that was taken along cannot be bound over it`;
  expect([done.exit, done.failure?.line]).toEqual([1, said]);
  expect(running(stage, "objects")).toEqual([]);
});

test("CRIU itself starts with this machine's files: they are bound when it is there", async () => {
  await using stage = openStage();
  const { file, images } = await changed(stage);
  const seen = join(stage.dir, "seen");
  const done = await report(
    stage,
    "restore",
    images,
    scriptAt(stage, "pre-restore", `cat ${file} >${seen}`),
  );
  expect([done.exit, readFileSync(seen, "utf8")]).toEqual([0, "what it is now"]);
  const inside = (at: string) => readFileSync(`/proc/${done.run!.pid}/${at}`, "utf8");
  expect(inside(`root${file}`)).toBe("what it was");
  // An upgrade replaces the machine's file: its path leads to the new one, what is open stays.
  writeFileSync(`${file}.new`, "upgraded");
  renameSync(`${file}.new`, file);
  expect([inside(`root${file}`), inside("fd/3")]).toEqual(["upgraded", "what it was"]);
});

test("other bytes than were sealed are not bound", async () => {
  await using stage = openStage();
  const { file, images } = await changed(stage);
  const { taken } = JSON.parse(readFileSync(manifestOf(images), "utf8")).files.find(
    ({ path }: { path: string }) => path === file,
  );
  spoil(join(images, "recriu.files", `${taken.sha256}.zst`));
  const done = await report(stage, "restore", images, ["--isolate"]);
  const said = expect.stringContaining("its bytes are not those that were sealed");
  expect([done.exit, done.failure?.line]).toEqual([1, said]);
});

test("what the tree writes to, untrusted images, and a file of rights are a person's", async () => {
  await using stage = openStage();
  const { file, images } = await changed(stage);
  const offered = async (from: string, ...options: string[]) =>
    (await report(stage, "preflight", from, options)).findings.find(
      ({ id, subject }) => id === "file-changed" && subject === file,
    )?.isolate;
  expect(await offered(images)).toBe("mount");
  expect(await offered(images, "--untrusted")).toBeNull();
  const manifest = readFileSync(manifestOf(images), "utf8");
  writeFileSync(manifestOf(images), manifest.replaceAll(/"mode": ?420/g, '"mode":2468'));
  expect(await offered(images)).toBeNull();
  // By another name it writes to the same file.
  const second = join(stage.dir, "second");
  linkSync(file, second);
  const { images: writing } = await startDumped(stage, "objects", ["read", file, "write", second]);
  expect((await recriu(stage, ["seal", writing, "--with-files"])).exit).toBe(0);
  writeFileSync(file, "what it is now, and longer");
  expect(await offered(writing)).toBeNull();
});

test("where files are missing and only to be read, the tree has a directory of its own, and they are there", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, "place");
  mkdirSync(dir);
  const mount = (...words: string[]) => run(stage, ["mount", ...words]);
  await mount("-t", "tmpfs", "none", dir);
  const [program, data] = [join(dir, "bin/program"), join(dir, "data")];
  mkdirSync(join(dir, "bin"), { mode: 0o750 });
  copyFileSync(compile("objects"), program);
  writeFileSync(data, "what it was");
  const { images } = await startDumped(stage, "objects", ["map", data], { program });
  expect((await recriu(stage, ["seal", images, "--with-files"])).exit).toBe(0);
  for (const each of ["bin", "data"]) rmSync(join(dir, each), { recursive: true });
  await mount("-o", "remount,ro", dir);
  expect((await restoreBare(stage, images)).exit).toBe(1);
  const blocked = await report(stage, "restore", images);
  expect([blocked.exit, [...new Set(blockers(blocked))]]).toEqual([3, ["file-missing"]]);
  expect(finding(blocked, "file-missing").remedy.text).toContain("only to be read");
  expect(blocked.plan.would_restore).toMatchObject({ isolate: [], isolate_dirs: [dir] });
  const done = await report(stage, "restore", images, ["--isolate"]);
  expect([done.exit, done.failure, done.verdict?.result]).toEqual([0, null, "match"]);
  expect(done.plan).toMatchObject({ isolate_dirs: [dir], repairs: [] });
  expect(done.plan.over.map(({ path }) => path).toSorted()).toEqual([program, data]);
  const inside = `/proc/${done.run!.pid}/root`;
  expect(readFileSync(inside + data, "utf8")).toBe("what it was");
  expect(statSync(`${inside}${dir}/bin`).mode & 0o7777).toBe(0o750);
  expect(readdirSync(dir)).toEqual([]);
  process.kill(done.run!.pid!, "SIGKILL");
  await waitFor("the init to end", () => running(stage, "recriu-init").length === 0);
});
