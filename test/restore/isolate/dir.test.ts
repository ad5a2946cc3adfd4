/** A directory of the tree's own: what stands in it, and is in the way, stays there for others. */
import { startDumped } from "../stage/dumped.ts";
import { expect, test } from "bun:test";
import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { blockers, finding, report } from "../report.ts";
import { openStage, restoreBare, run, running, type Stage, start, waitFor } from "../stage.ts";

/** Images of a tree, and what is in its way; `keeps` is what must not have changed. */
interface Fault {
  id: string;
  images: string;
  options?: string[];
  keeps: () => unknown;
}

async function readOnly(stage: Stage, dir: string) {
  await run(stage, ["mount", "-t", "tmpfs", "none", dir]);
  return () => run(stage, ["mount", "-o", "remount,ro", dir]);
}

const faults: Record<string, (stage: Stage, dir: string) => Promise<Fault>> = {
  "a live server's socket": async (stage, dir) => {
    const name = join(dir, "a");
    const { images } = await startDumped(stage, "objects", ["listen", name]);
    rmSync(name);
    await start(stage, "objects", ["listen", name]);
    return { id: "unix-socket-busy", images, keeps: () => lstatSync(name).ino };
  },
  "something that is no socket": async (stage, dir) => {
    const name = join(dir, "a");
    const { images } = await startDumped(stage, "objects", ["listen", name]);
    rmSync(name);
    writeFileSync(name, "mine");
    return { id: "unix-socket-busy", images, keeps: () => readFileSync(name, "utf8") };
  },
  "what a killed CRIU left": async (stage, dir) => {
    const file = join(dir, "deleted");
    const { images } = await startDumped(stage, "objects", ["write", file, "unlink", file]);
    const [ghost] = [...new Bun.Glob("ghost-file-*.img").scanSync(images)];
    const left = `${file}.cr.${/ghost-file-([0-9a-f]+)/.exec(ghost!)![1]}.ghost`;
    writeFileSync(left, "left");
    return { id: "ghost-file-exists", images, keeps: () => readFileSync(left, "utf8") };
  },
  "a directory where a deleted one was": async (stage, dir) => {
    const deleted = join(dir, "deleted");
    mkdirSync(deleted);
    const { images } = await startDumped(stage, "objects", ["chdir", deleted, "rmdir", deleted]);
    mkdirSync(deleted, { mode: 0o700 });
    writeFileSync(join(deleted, "mine"), "mine");
    return { id: "ghost-file-exists", images, keeps: () => lstatSync(deleted).mode };
  },
  "a lock that another holds": async (stage, dir) => {
    const file = join(dir, "file");
    const { images } = await startDumped(stage, "objects", ["ofd", file], {
      dump: ["--file-locks"],
    });
    await start(stage, "objects", ["ofd", file]);
    const keeps = () => lstatSync(file).ino;
    return { id: "locks-held", images, options: ["--file-locks"], keeps };
  },
  "a deleted file, a file system that is only to be read": async (stage, dir) => {
    const file = join(dir, "deleted");
    const close = await readOnly(stage, dir);
    const words = ["read", "/dev/null", "write", file, "unlink", file];
    const { images } = await startDumped(stage, "objects", words);
    await close();
    return { id: "ghost-unwritable", images, keeps: () => existsSync(file) };
  },
  "a file to write to, and that": async (stage, dir) => {
    const file = join(dir, "data");
    const close = await readOnly(stage, dir);
    const { images } = await startDumped(stage, "objects", ["write", file]);
    await close();
    return { id: "file-unwritable", images, keeps: () => readFileSync(file, "utf8") };
  },
  "a socket whose file was deleted, and that": async (stage, dir) => {
    const name = join(dir, "a");
    const close = await readOnly(stage, dir);
    const { images } = await startDumped(stage, "objects", ["dgram", name, "unlink", name]);
    await close();
    return { id: "unix-socket-ghost", images, keeps: () => existsSync(name) };
  },
  "something that was the directory of a socket whose file was deleted": async (stage, dir) => {
    const sockets = join(dir, "sockets");
    mkdirSync(sockets);
    const name = join(sockets, "a");
    const { images } = await startDumped(stage, "objects", [
      "dgram",
      name,
      "unlink",
      name,
      "rmdir",
      sockets,
    ]);
    writeFileSync(sockets, "mine");
    return { id: "unix-socket-ghost", images, keeps: () => readFileSync(sockets, "utf8") };
  },
  "a socket, and that": async (stage, dir) => {
    const name = join(dir, "a");
    const close = await readOnly(stage, dir);
    const { images } = await startDumped(stage, "objects", ["dgram", name]);
    rmSync(name);
    await close();
    return { id: "unix-socket-unwritable", images, keeps: () => existsSync(name) };
  },
};

for (const [what, make] of Object.entries(faults))
  test(`${what}: recriu names the directory, and with it the tree comes back`, async () => {
    await using stage = openStage();
    const dir = join(stage.dir, "place");
    mkdirSync(dir, { mode: 0o750 });
    const { id, images, options = [], keeps } = await make(stage, dir);
    const blocked = await report(stage, "restore", images, options);
    expect([blocked.exit, blockers(blocked)]).toEqual([3, [id]]);
    expect(finding(blocked, id).isolate_dir).toBe(dir);
    expect(blocked.plan.would_restore?.isolate_dirs).toEqual([dir]);
    const before = keeps();
    const own = [...options, `--isolate-dir=${dir}`];
    const done = await report(stage, "restore", images, own);
    expect([done.exit, done.failure]).toEqual([0, null]);
    expect(finding(done, id).remedy).toMatchObject({
      kind: "isolate",
      command: `--isolate-dir=${dir}`,
    });
    expect([done.plan.isolate, done.plan.isolate_dirs, done.verdict?.result]).toEqual([
      ["pid", "mount"],
      [dir],
      "match",
    ]);
    const root = done.run!.pid!;
    const { mode } = lstatSync(`/proc/${root}/root${dir}`);
    expect(mode & 0o7777).toBe(lstatSync(dir).mode & 0o7777);
    expect(keeps()).toEqual(before);
    process.kill(root, "SIGKILL");
    await waitFor("the init to end", () => running(stage, "recriu-init").length === 0);
    // Alone CRIU fails, or does the harm.
    const bare = await restoreBare(stage, images, options, { timeout: 5000 });
    const harmed = () => {
      try {
        return JSON.stringify(keeps()) !== JSON.stringify(before);
      } catch {
        return true;
      }
    };
    expect(bare.exit === 1 || harmed()).toBe(true);
  });

test("what only seems to be in it is not: a link leads out, and there a server keeps its name", async () => {
  await using stage = openStage();
  const [dir, out] = [join(stage.dir, "place"), join(stage.dir, "out")];
  for (const each of [dir, out]) mkdirSync(each);
  symlinkSync(out, join(dir, "link"));
  for (const name of [join(dir, "link", "a"), `${dir}/../out/b`]) {
    const { images } = await startDumped(stage, "objects", ["listen", name]);
    const real = join(out, basename(name));
    rmSync(real);
    await start(stage, "objects", ["listen", real]);
    const { ino } = lstatSync(real);
    const told = await report(stage, "restore", images, [`--isolate-dir=${dir}`]);
    expect(told.exit).not.toBe(0);
    expect(finding(told, "unix-socket-busy")).toMatchObject({
      isolate_dir: out,
      remedy: { kind: "human" },
    });
    expect(lstatSync(real).ino).toBe(ino);
  }
});

test("what cannot be the tree's own is refused before anything is touched", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage);
  const file = join(stage.dir, "file");
  writeFileSync(file, "");
  const mounted = join(stage.dir, "place", "below");
  mkdirSync(mounted, { recursive: true });
  await run(stage, ["mount", "-t", "tmpfs", "none", mounted]);
  for (const [dir, why] of [
    ["place", "not an absolute path"],
    ["/", "not an absolute path"],
    [`${stage.dir}/place/..`, `it is ${stage.dir}: name that`],
    [file, "not a directory"],
    [`${stage.dir}/none`, "not a directory"],
    [join(stage.dir, "place"), `${mounted} is mounted in it`],
    [images, "CRIU's log would be in it"],
  ] as const) {
    const told = await report(stage, "restore", images, [`--isolate-dir=${dir}`]);
    expect([told.exit, told.failure?.line]).toEqual([2, expect.stringContaining(why)]);
  }
});

test("a socket that is connected to a server there cannot reach it any more, and that is said", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, "place");
  mkdirSync(dir);
  const name = join(dir, "a");
  await start(stage, "objects", ["dgram", name]);
  const { images } = await startDumped(stage, "objects", ["connect", name], {
    dump: ["--ext-unix-sk"],
  });
  expect((await report(stage, "preflight", images)).exit).toBe(0);
  const apart = await report(stage, "restore", images, [`--isolate-dir=${dir}`]);
  expect([apart.exit, blockers(apart)]).toEqual([3, ["unix-peer-down"]]);
});
