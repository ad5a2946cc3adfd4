/** `preflight --effects` against what bare CRIU was seen to do by strace(1). */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { linkSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { type Effect, report } from "./report.ts";
import {
  criu,
  hierarchies,
  killTree,
  makeCgroup,
  openStage,
  recriu,
  run,
  type Stage,
} from "./stage.ts";
import { dumpContainer } from "./tree-in-container.ts";

/** System calls that make, change or remove something by a path. */
const changing =
  "open,openat,creat,mkdir,mkdirat,rmdir,unlink,unlinkat,rename,renameat,renameat2,link,linkat,symlink,symlinkat,mknod,mknodat," +
  "chmod,fchmodat,chown,lchown,fchownat,truncate,bind,mount";

/** Every path that a restore by bare CRIU made, changed or removed. CRIU cannot end its restore under strace, which traces its tasks. */
async function touched(stage: Stage, images: string, options: string[]): Promise<Set<string>> {
  const trace = join(stage.dir, `trace-${++stage.count}`);
  const words = [criu, "restore", "-d", "-D", images, "-o", "bare.log", ...options];
  await run(stage, [
    "strace",
    "-f",
    "-yy",
    "-s",
    "4096",
    "-e",
    `trace=${changing}`,
    "-o",
    trace,
    ...words,
  ]);
  const paths = new Set<string>();
  for (const line of readFileSync(trace, "latin1").split("\n")) {
    const [, call = "", rest = ""] = /^\d+ +(\w+)\((.*)/.exec(line) ?? [];
    if (call.startsWith("open") && !/O_WRONLY|O_RDWR|O_CREAT|O_TRUNC/.test(rest)) continue;
    if (/= -1 E/.test(rest)) continue;
    // A name that is relative to a descriptor has that one's path before it: openat(120</>, "tmp/x", …).
    const names = [...rest.matchAll(/(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?(?:sun_path=)?"([^"]+)"/g)];
    // Of mount(2) the second is a place of this machine; of bind(2) only files are.
    if (call === "bind" && !rest.includes('sun_path="')) continue;
    const places = call === "mount" ? names.filter(([, , name]) => name === target(rest)) : names;
    for (const [, base = "", name = ""] of places)
      paths.add(name.startsWith("/") ? name : join(base || images, name));
  }
  return paths;
}

const target = (mount: string) => /^(?:NULL|"[^"]*"), "([^"]+)"/.exec(mount)?.[1];

/** What is CRIU's own business: processes' files, its descriptors' and sockets' names. */
const isInternal = (path: string): boolean =>
  /^\/proc\/|^\/dev\/null$|\/proc\/self\/|^(tmpfs|none|proc|devpts|criu\.[a-z_]*)$|criu-fdstore|crtools-/.test(
    path,
  );

const shape = (path: string): string => path.replace(/(\.criu\.[a-z_]+\.)\w{6}/, "$1XXXXXX");

/** Paths that were touched and are neither in the table nor below what is in it for the moment. */
async function missing(stage: Stage, images: string, options: string[] = []) {
  const { effects } = await report(stage, "preflight", images, [
    "--effects",
    "-o",
    "bare.log",
    ...options,
  ]);
  const listed = new Set(
    effects!.filter(({ verb }) => verb !== "read").flatMap(({ path }) => path ?? []),
  );
  const seen = [...(await touched(stage, images, options))]
    .filter((path) => !isInternal(path))
    .map(shape);
  const own = [...listed].filter((path) => path.includes("XXXXXX"));
  // Inside of a mount namespace of its own the tree's names hold.
  if (options.length > 0) for (const { name } of effects!) listed.add(name).add(`${images}${name}`);
  return {
    seen,
    effects: effects!,
    missing: seen.filter(
      (path) =>
        !listed.has(path) &&
        !listed.has(path.replace(/\.tmp$/, "")) &&
        !own.some((directory) => path.startsWith(directory)),
    ),
  };
}

const find = (effects: readonly Effect[], verb: string, path: string | null): Effect | undefined =>
  effects.find((one) => one.verb === verb && one.path === path);

test("nothing that CRIU makes, changes or removes on the machine is missing", async () => {
  await using stage = openStage();
  const at = (name: string) => join(stage.dir, name);
  const abstract = `@${stage.dir}`;
  mkdirSync(at("gone-directory"));
  writeFileSync(at("linked"), "");
  const { pid, images } = await startDumped(
    stage,
    "objects",
    [
      ["write", at("log"), "write", at("deleted"), "unlink", at("deleted"), "fifo", at("fifo")],
      ["listen", at("sock"), "dgram", at("dgram"), "accepted", at("accepted")],
      ["listen", at("sock-gone"), "unlink", at("sock-gone"), "dgram", abstract],
      ["chdir", at("gone-directory"), "rmdir", at("gone-directory")],
    ].flat(),
  );
  const { seen, missing: lost, effects } = await missing(stage, images);
  // The trace is one of a restore, not of a CRIU that stopped before.
  for (const name of ["log", "deleted", "fifo", "sock", "sock-gone", "gone-directory"])
    expect(seen).toContain(at(name));
  expect(lost).toEqual([]);
  expect(find(effects, "write", at("log"))).toMatchObject({ when: "running", task: pid });
  expect(find(effects, "delete", at("sock"))).toMatchObject({ what: "socket", when: "restoring" });
  expect(find(effects, "create", at("sock"))?.detail).toContain("owner 0:0");
  expect(effects.find(({ name }) => name === abstract)).toMatchObject({ path: null });
});

test("of a container too, whose paths are those below --root", async () => {
  await using stage = openStage();
  const mounts: [string, string, string][] = [
    ["proc", "none", "/proc"],
    ["tmpfs", "none", "/tmp"],
  ];
  const { root, socket, images, options } = await dumpContainer(stage, { mounts });
  const { missing: lost, effects } = await missing(stage, images, options);
  expect(lost).toEqual([]);
  expect(find(effects, "create", join(root, socket))?.name).toBe(socket);
  expect(find(effects, "mount", root)).toMatchObject({ name: "/", check: null });
  expect(effects.find(({ name }) => name === "tar")).toMatchObject({ verb: "run", path: null });
});

test("cgroups: what is made, given to others, written and joined", async () => {
  await using stage = openStage();
  const v1 = hierarchies().find(
    ({ version, controllers }) => version === 1 && controllers.includes("pids"),
  );
  if (v1 === undefined) throw new Error("this machine has no pids hierarchy of cgroup v1");
  const cgroup = makeCgroup(stage, v1, "tree");
  const { images } = await startDumped(stage, "objects", [], { cgroups: [cgroup] });
  const there = await report(stage, "preflight", images, ["--effects"]);
  expect(find(there.effects!, "join", cgroup)).toMatchObject({
    what: "cgroup",
    check: "untrusted-cgroup",
  });
  expect(find(there.effects!, "create", cgroup)).toBeUndefined();
  await run(stage, ["rmdir", cgroup]);
  const { missing: lost, effects } = await missing(stage, images);
  expect(lost).toEqual([]);
  expect(find(effects, "create", cgroup)).toBeDefined();
  expect(find(effects, "join", cgroup)).toMatchObject({ detail: "new", check: null });
  expect(find(effects, "write", join(cgroup, "pids.max"))?.detail).toBe('"max"');
});

test("the path shown is where links lead, and what nobody can tell is said", async () => {
  await using stage = openStage();
  const at = (name: string) => join(stage.dir, name);
  const { images } = await startDumped(stage, "objects", ["write", at("log")]);
  writeFileSync(at("shadow"), "");
  rmSync(at("log"));
  symlinkSync("shadow", at("log"));
  const effects = async () => (await report(stage, "preflight", images, ["--effects"])).effects!;
  expect(find(await effects(), "write", at("shadow"))).toMatchObject({
    name: at("log"),
    check: "untrusted-write",
  });
  rmSync(at("log"));
  symlinkSync("/proc/self/root/etc/shadow", at("log"));
  const dark = (await effects()).find(({ name }) => name === at("log"));
  expect(dark).toMatchObject({ path: null, check: "untrusted-write" });
  expect(dark?.detail).toContain("cannot be told beforehand");
  rmSync(at("log"));
  symlinkSync("not-there-yet", at("log"));
  edit(images, "files.img", (files) => {
    for (const { reg } of files) if (reg?.name === at("log")) reg.flags |= 0o100;
  });
  expect(find(await effects(), "create", at("not-there-yet"))?.check).toBe("untrusted-write");
});

test("a deleted file that was linked keeps a name that a restore removes", async () => {
  await using stage = openStage();
  const at = (name: string) => join(stage.dir, name);
  writeFileSync(at("file"), "");
  linkSync(at("file"), at("other"));
  const { pid, images } = await startDumped(
    stage,
    "objects",
    ["write", at("file"), "unlink", at("file")],
    { dump: ["--link-remap"] },
  );
  const { effects } = await report(stage, "preflight", images, ["--effects"]);
  const removed = effects!.find(({ verb, when }) => verb === "delete" && when === "succeeding");
  expect(removed?.path).toStartWith(at("link_remap."));
  expect((await report(stage, "restore", images)).exit).toBe(0);
  expect(await Bun.file(removed!.path!).exists()).toBe(false);
  await killTree(stage, pid);
});

test("the table: by what is done, and nothing from an image reaches the terminal as it is", async () => {
  await using stage = openStage();
  const log = join(stage.dir, "log\u001b[31m");
  const { images } = await startDumped(stage, "objects", ["write", log]);
  const shown = await recriu(stage, ["preflight", "-D", images, "--effects"]);
  expect(shown.exit).toBe(0);
  expect(shown.stdout).not.toContain("\u001b");
  expect(shown.stdout).toMatch(/^write \(\d+\)$/m);
  expect(shown.stdout).toMatch(/^ {2}file +\S*log\\x1b\[31m +descriptor O_RDWR/m);
  // Without the option nothing of it is there.
  expect((await report(stage, "preflight", images)).effects).toBeUndefined();
});
