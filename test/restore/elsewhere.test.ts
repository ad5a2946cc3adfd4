/** A tree of one distribution on another, by its pack alone: what that has not is put there, what it has of another build is bound over. */
import { startDumped } from "./stage/dumped.ts";
import { recriuBinary, repository } from "../built.ts";
import { criu, dump, openStage, recriu, run, type Stage, start, waitFor } from "./stage.ts";
import { inRoot, newRoot } from "./roots.ts";
import { expect, test } from "bun:test";
import { copyFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Debian 11: a C library, perl, dash, coreutils, and the file systems of the kernel; with what of a pack is not the checkpoint. */
const debian11 = (stage: Stage, pack: string) =>
  newRoot(stage, "debian11", [
    'mount --bind "$0" "$0"; cd "$0"',
    `cp -a ${join(repository, ".cache/systems/oldest")}/. .`,
    "mount -t proc none proc; mount -t tmpfs none dev; mount -t tmpfs none run",
    "mknod -m 666 dev/null c 1 3",
    `tar --strip-components=1 -xf ${pack} checkpoint/recriu checkpoint/criu`,
  ]);

/** This machine, with all that is changed in memory. */
const thisMachine = (stage: Stage) =>
  newRoot(stage, "machine", [
    'mount -t tmpfs none "$0"; cd "$0"; mkdir upper work',
    'mount -t overlay -o "lowerdir=/,upperdir=$0/upper,workdir=$0/work" none "$0"; cd "$0"',
    "mount -t proc none proc; mount --rbind /dev dev; mount -t tmpfs none run",
    // The stage is there, which may be a file system of its own.
    "mount --bind /tmp tmp",
  ]);

const lines = (log: string) => (existsSync(log) ? readFileSync(log, "utf8").split("\n").length : 0);
/** Perl that says a line twenty times a second. */
const saying = (log: string) =>
  `open(L, ">>", "${log}"); L->autoflush(1); while (1) { print L "said\\n"; select(undef, undef, undef, 0.05) }`;

test("perl of this machine on Debian 11, which has an older one", async () => {
  await using stage = openStage();
  const log = join(stage.dir, "log");
  const perl = ["perl", "-MIO::Handle", "-e", saying(log)];
  const { pid } = await stage.supervisor.spawn(perl, { cwd: "/" });
  await waitFor("perl", () => lines(log) > 3);
  const images = await dump(stage, pid);
  expect((await recriu(stage, ["seal", "--with-files", images])).exit).toBe(0);
  const pack = join(stage.dir, "app.pack");
  expect((await recriu(stage, ["pack", images, "--with-criu", "-o", pack])).exit).toBe(0);
  const root = await debian11(stage, pack);
  copyFileSync(pack, join(root, "app.pack"));
  const older = readFileSync(join(root, "usr/bin/perl"));
  const before = lines(log);

  const restore = ["/recriu", "restore", "/app.pack", "-d", "--isolate=auto", "--json"];
  const done = await run(stage, inRoot(root, restore));
  expect([done.exit, done.stderr]).toEqual([0, expect.any(String)]);
  const { verdict, plan } = JSON.parse(done.stdout);
  expect(verdict).toMatchObject({ result: "match" });
  expect([plan.isolate, plan.isolate_dirs]).toEqual([["pid", "mount"], ["/usr/lib"]]);
  // To the system's own directories nothing is added.
  expect(plan.repairs.map(({ path }: { path: string }) => path)).toEqual([log]);
  expect(existsSync(join(root, "usr/lib/x86_64-linux-gnu/libm.so.6"))).toBe(false);
  await waitFor("perl to go on", () => lines(join(root, log)) > before);
  expect(lines(log)).toBe(before);
  expect(readFileSync(join(root, "usr/bin/perl")).equals(older)).toBe(true);
});

test("dash of Debian 11 on this machine, which has a newer one", async () => {
  await using stage = openStage();
  const some = join(stage.dir, "some.pack");
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const any = await dump(stage, pid);
  expect((await recriu(stage, ["seal", any])).exit).toBe(0);
  expect((await recriu(stage, ["pack", any, "--with-criu", "-o", some])).exit).toBe(0);
  const root = await debian11(stage, some);
  writeFileSync(join(root, "say"), "while echo said; do sleep 0.1; done >>/log\n");
  // What it has open is that root's.
  const say = ["dash", "-c", "exec dash /say </dev/null >/dev/null 2>&1"];
  const dash = await stage.supervisor.spawn(inRoot(root, say), { cwd: "/" });
  await waitFor("dash", () => lines(join(root, "log")) > 1);
  const script = [
    "cd /; mkdir images",
    // CRIU 4.1 would wait for a hardware breakpoint, which do not work on every machine.
    `CRIU_FAULT=130 /criu/criu dump -t ${dash.pid} -D /images -o dump.log`,
    "/recriu seal --with-files /images && /recriu pack /images -o /app.pack",
  ];
  const there = ["nsenter", "--mount", "--target", `${dash.pid}`, "sh", "-ec", script.join("; ")];
  const packed = await run(stage, there);
  expect([packed.exit, packed.stderr]).toEqual([0, expect.stringContaining("app.pack: ")]);

  const machine = await thisMachine(stage);
  const words = ["restore", join(root, "app.pack"), "-d", "--isolate=auto", "--json"];
  const restore = [recriuBinary, ...words, `--criu=${criu}`];
  const done = await run(stage, inRoot(machine, restore));
  expect(done.exit).toBe(0);
  const { verdict } = JSON.parse(done.stdout);
  expect(verdict).toMatchObject({ result: "match" });
  const before = lines(join(machine, "log"));
  await waitFor("dash to go on", () => lines(join(machine, "log")) > before);
});

test("perl of this machine on one that has a shell, the C library and nothing else", async () => {
  await using stage = openStage();
  const log = join(stage.dir, "log");
  const perl = ["perl", "-MIO::Handle", "-e", saying(log)];
  const { pid } = await stage.supervisor.spawn(perl, { cwd: "/" });
  await waitFor("perl", () => lines(log) > 3);
  const images = await dump(stage, pid);
  expect((await recriu(stage, ["seal", "--with-files", images])).exit).toBe(0);
  const pack = join(stage.dir, "app.pack");
  expect((await recriu(stage, ["pack", images, "--with-criu", "-o", pack])).exit).toBe(0);
  const root = await newRoot(stage, "bare", [
    'mount --bind "$0" "$0"; cd "$0"; mkdir bin lib lib64 proc dev run tmp',
    "cp -L /lib64/ld-linux-x86-64.so.2 lib64; cp /bin/dash bin/dash; ln -s dash bin/sh",
    `cp -L $(ldd /bin/dash ${recriuBinary} | sed -n 's/.*=> \\(\\S*\\).*/\\1/p' | sort -u) lib`,
    "mount -t proc none proc; mount -t tmpfs none dev; mknod -m 666 dev/null c 1 3",
    `tar --strip-components=1 -xf ${pack} checkpoint/recriu checkpoint/criu`,
  ]);
  copyFileSync(pack, join(root, "app.pack"));
  const before = lines(log);
  const restore = ["/recriu", "restore", "/app.pack", "-d", "--isolate=auto", "--json"];
  const done = await run(stage, inRoot(root, restore));
  expect([done.exit, done.stderr]).toEqual([0, expect.any(String)]);
  const { verdict } = JSON.parse(done.stdout);
  expect(verdict).toMatchObject({ result: "match" });
  await waitFor("perl to go on", () => lines(join(root, log)) > before);
  expect(lines(log)).toBe(before);
});

test("in a chroot: a root that is no mount is named before anything is done; of one that is, it comes back", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage);
  const root = await newRoot(stage, "chroot", [
    'mount -t tmpfs none "$0"; cd "$0"; mkdir -m 755 -p below; cd below; mkdir tmp; mount --rbind /tmp tmp',
    "for dir in bin sbin lib lib64 usr dev proc var run root; do [ ! -d /$dir ] || { mkdir $dir; mount --rbind /$dir $dir; }; done",
    `mkdir -p .${repository}; mount --bind ${repository} .${repository}`,
  ]);
  const below = join(root, "below");
  const words = ["restore", "-D", images, "-d", "--isolate=pid", `--criu=${criu}`];
  const chroot = () => run(stage, ["chroot", below, recriuBinary, ...words]);
  const refused = await chroot();
  expect([refused.exit, refused.stderr]).toEqual([
    2,
    expect.stringContaining("--isolate=pid,mount: / is no mount (chroot(8))"),
  ]);
  expect((await run(stage, ["mount", "--rbind", below, below])).exit).toBe(0);
  const done = await chroot();
  expect([done.exit, done.stderr]).toEqual([0, expect.stringContaining("verified: ")]);
});
