/** --untrusted: images that somebody made or changed to do harm. The victims are files and processes of the stage. */
import { expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { blockers, report } from "./report.ts";
import {
  dump,
  hierarchies,
  killTree,
  makeCgroup,
  openStage,
  restoreBare,
  run,
  type Stage,
  start,
} from "./stage.ts";
import { refused } from "./untrusted.ts";

async function held(stage: Stage, things: string[], options: string[] = []) {
  const { pid } = await start(stage, "things", things);
  return { pid, images: await dump(stage, pid, options) };
}

/** Descriptors of a process that lead to a path. */
function holds(pid: number, path: string): boolean {
  for (let fd = 0; fd < 16; fd++)
    try {
      if (readlinkSync(`/proc/${pid}/fd/${fd}`).replace(/ \(deleted\)$/, "") === path) return true;
    } catch {
      continue;
    }
  return false;
}

/** Change the one regular file of that name in the images. */
const editFile = (images: string, path: string, change: (reg: any) => void) =>
  edit(images, "files.img", (files) => {
    for (const { reg } of files) if (reg?.name === path) change(reg);
  });

test("untrusted-write: a link leads the tree's log to another's file", async () => {
  await using stage = openStage();
  const at = (name: string) => join(stage.dir, name);
  mkdirSync(at("logs"));
  const { pid, images } = await held(stage, ["write", at("logs/log")]);
  writeFileSync(at("shadow"), "");
  rmSync(at("logs/log"));
  symlinkSync("../shadow", at("logs/log"));
  const harm = {
    id: "untrusted-write",
    images,
    pid,
    subject: at("shadow"),
    done: () => expect(holds(pid, at("shadow"))).toBe(true),
  };
  // Without the check it is noticed at the gate: the descriptor has another name.
  const named = await refused(stage, { ...harm, verdict: "mismatch" });
  expect(named.message).toContain(`(${at("logs/log")} in the images)`);
  // A link inside of the directory that leads out of it is outside; one that leads into it is not.
  const within = ["--untrusted", `--allow-write=${at("logs")}`];
  expect(blockers(await report(stage, "preflight", images, within))).toEqual(["untrusted-write"]);
  rmSync(at("logs/log"));
  writeFileSync(at("logs/log"), "");
  symlinkSync("logs", at("by-link"));
  await refused(stage, {
    ...harm,
    subject: at("logs/log"),
    done: () => expect(holds(pid, at("logs/log"))).toBe(true),
    allow: [`--allow-write=${at("by-link")}`],
  });
  const lost = await report(stage, "preflight", images, [`--allow-write=${at("gone")}`]);
  expect(lost).toMatchObject({ exit: 2, failure: { line: expect.stringContaining(at("gone")) } });
});

test("untrusted-write: a flag that no dump has empties a file, and CRIU fails only then", async () => {
  await using stage = openStage();
  const victim = join(stage.dir, "victim");
  writeFileSync(victim, "content");
  const { pid, images } = await held(stage, ["write", victim]);
  editFile(images, victim, (reg) => (reg.flags |= 0o1000));
  await refused(stage, {
    id: "untrusted-write",
    also: "image-forged",
    images,
    pid,
    subject: victim,
    fails: true,
    done: () => expect(readFileSync(victim, "utf8")).toBe(""),
    again: () => writeFileSync(victim, "content"),
    allow: [`--allow-write=${stage.dir}`],
  });
});

test("untrusted-write: cgroup.img names a directory out of its hierarchy", async () => {
  await using stage = openStage();
  const hierarchy = hierarchies().find(({ controllers }) => controllers.includes("pids"))!;
  const cgroup = makeCgroup(stage, hierarchy, "tree");
  const { pid } = await start(stage, "things", [], { cgroups: [cgroup] });
  const images = await dump(stage, pid);
  const victim = join(stage.dir, "made");
  edit(images, "cgroup.img", ([{ controllers }]) => {
    const own = controllers.find(({ cnames }: { cnames: string[] }) => cnames.includes("pids"));
    own.dirs.push({ dir_name: `../../../../../..${victim}`, children: [], properties: [] });
  });
  const options = ["-W", stage.dir];
  await restoreBare(stage, images, options);
  expect(statSync(victim).isDirectory()).toBe(true);
  await killTree(stage, pid);
  rmSync(victim, { recursive: true });
  const named = await report(stage, "preflight", images, ["--untrusted", ...options]);
  expect(
    named.findings.filter(({ id }) => id === "untrusted-write").map(({ subject }) => subject),
  ).toEqual([victim]);
});

test("untrusted-delete: the name to be removed is another's", async () => {
  await using stage = openStage();
  const at = (name: string) => join(stage.dir, name);
  writeFileSync(at("file"), "");
  await run(stage, ["ln", at("file"), at("other")]);
  const { pid, images } = await held(
    stage,
    ["read", at("file"), "unlink", at("file")],
    ["--link-remap"],
  );
  writeFileSync(at("victim"), "", { mode: 0o644 });
  edit(images, "files.img", (files) => {
    for (const { reg } of files) if (/link_remap/.test(reg?.name)) reg.name = at("victim");
  });
  // The file's own name stands free in a directory where anybody may make one.
  chmodSync(stage.dir, 0o1777);
  await refused(stage, {
    id: "untrusted-delete",
    also: "image-forged",
    images,
    pid,
    subject: at("victim"),
    done: () => expect(statSync(at("victim"), { throwIfNoEntry: false })).toBeUndefined(),
    again: () => writeFileSync(at("victim"), "", { mode: 0o644 }),
  });
});

test("untrusted-read: a file that the tree's user may not read", async () => {
  await using stage = openStage();
  const secret = join(stage.dir, "secret");
  writeFileSync(secret, "secret");
  const { pid, images } = await held(stage, ["read", secret]);
  chmodSync(secret, 0o600);
  editFile(images, secret, (reg) => (reg.mode = 0o100600));
  edit(images, `core-${pid}.img`, ([core]) => {
    const { creds } = core.thread_core;
    for (const id of ["uid", "euid", "suid", "fsuid"]) creds[id] = 65534;
    for (const set of ["cap_inh", "cap_prm", "cap_eff"]) creds[set] = [0, 0];
  });
  const named = await refused(stage, {
    id: "untrusted-read",
    images,
    pid,
    subject: secret,
    done: () => expect(holds(pid, secret)).toBe(true),
  });
  expect(named.message).toContain("mode 0600, owner 0:0");
});

test("untrusted-read: a mapping, and a file in a directory that the user may not enter", async () => {
  await using stage = openStage();
  chmodSync(stage.dir, 0o755);
  const inside = join(stage.dir, "closed");
  mkdirSync(inside);
  const [mapped, open] = [join(stage.dir, "mapped"), join(inside, "open")];
  for (const file of [mapped, open]) writeFileSync(file, "secret");
  const { pid, images } = await held(stage, ["map", mapped, "read", open]);
  edit(images, `core-${pid}.img`, ([core]) => {
    const { creds } = core.thread_core;
    for (const id of ["uid", "euid", "suid", "fsuid"]) creds[id] = 65534;
    for (const set of ["cap_inh", "cap_prm", "cap_eff"]) creds[set] = [0, 0];
  });
  expect(blockers(await report(stage, "preflight", images, ["--untrusted"]))).toEqual([]);
  chmodSync(mapped, 0o600);
  editFile(images, mapped, (reg) => (reg.mode = 0o100600));
  chmodSync(inside, 0o700);
  const { findings } = await report(stage, "preflight", images, ["--untrusted"]);
  const secret = findings.filter(({ id }) => id === "untrusted-read");
  expect(secret.map(({ subject }) => subject).toSorted()).toEqual([open, mapped]);
  expect((await restoreBare(stage, images)).exit).toBe(0);
  expect(holds(pid, open)).toBe(true);
  await killTree(stage, pid);
});

test("untrusted-proc-write: a switch of the kernel's", async () => {
  await using stage = openStage();
  const pattern = "/proc/sys/kernel/core_pattern";
  const { pid, images } = await held(stage, ["read", pattern]);
  editFile(images, pattern, (reg) => (reg.flags |= 2));
  await refused(stage, {
    id: "untrusted-proc-write",
    images,
    pid,
    subject: pattern,
    done: () => expect(holds(pid, pattern)).toBe(true),
  });
  const open = await report(stage, "preflight", images, ["--untrusted", "--allow-write=/proc"]);
  expect(blockers(open)).toEqual(["untrusted-proc-write"]);
});

test("untrusted-device: another device of the name, and a deleted one with a number of the images'", async () => {
  await using stage = openStage();
  const [device, gone] = [join(stage.dir, "device"), join(stage.dir, "gone")];
  await run(stage, ["mknod", "-m", "0666", device, "c", "1", "3"]);
  const { pid, images } = await held(stage, ["write", device]);
  rmSync(device);
  // /dev/kmsg
  await run(stage, ["mknod", "-m", "0666", device, "c", "1", "11"]);
  await refused(stage, {
    id: "untrusted-device",
    images,
    pid,
    subject: device,
    done: () => expect(holds(pid, device)).toBe(true),
  });

  const deleted = await held(stage, ["write", gone, "unlink", gone]);
  chmodSync(stage.dir, 0o1777);
  editFile(deleted.images, gone, (reg) => {
    delete reg.size;
    reg.mode = 0o020666;
  });
  edit(deleted.images, "ghost-file-1.img", ([ghost]) =>
    Object.assign(ghost, { mode: 0o020666, rdev: 0x10b }),
  );
  await refused(stage, {
    id: "untrusted-device",
    also: "ghost-rights",
    images: deleted.images,
    pid: deleted.pid,
    subject: `${gone}.cr.1.ghost`,
    done: () => expect(holds(deleted.pid, gone)).toBe(true),
  });
});

test("untrusted-write: a terminal's path is another's file, whose mode CRIU changes before it looks", async () => {
  await using stage = openStage();
  const victim = join(stage.dir, "victim");
  writeFileSync(victim, "", { mode: 0o600 });
  const { pid } = await start(stage, "terminal", ["pair"]);
  const images = await dump(stage, pid);
  const own = await report(stage, "preflight", images, ["--untrusted", "--effects"]);
  expect(blockers(own)).toEqual([]);
  expect(own.effects!.filter(({ what }) => what.startsWith("terminal")).length).toBeGreaterThan(0);
  edit(images, "files.img", (files) => {
    for (const { reg } of files)
      if (reg?.name.startsWith("/dev/pts/")) Object.assign(reg, { name: victim, mode: 0o20666 });
  });
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(statSync(victim).mode & 0o777).toBe(0o666);
  chmodSync(victim, 0o600);
  const blocked = await report(stage, "restore", images, ["--untrusted"]);
  expect(blocked.exit).toBe(3);
  expect(new Set(blockers(blocked))).toContain("untrusted-write");
  expect(blocked.findings.find(({ id }) => id === "untrusted-write")?.subject).toBe(victim);
  expect(statSync(victim).mode & 0o777).toBe(0o600);
});
