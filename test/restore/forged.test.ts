/** Images that no dump made: what bare CRIU does to this machine on their word, and that recriu names it and lets none of it be done. */
import { removeCgroup } from "./stage/cgroups.ts";
import { startDumped } from "./stage/dumped.ts";
import { edit } from "./edit.ts";
import { regOf, stageFile } from "./forged.ts";
import { finding, report } from "./report.ts";
import { hierarchies, killTree, makeCgroup, openStage, restoreBare, type Stage } from "./stage.ts";
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";

interface Attack {
  images: string;
  pid: number;
  /** What is forged: the finding's subject. */
  field: string;
  options?: string[];
  /** Whether the host has been harmed. */
  harmed: () => boolean;
}

/** recriu refuses with exit code 6 and nothing is touched; then bare CRIU, whatever its exit code, does the harm. */
async function refused(
  stage: Stage,
  { images, pid, field, options = [], harmed }: Attack,
): Promise<void> {
  expect(harmed()).toBe(false);
  const preflight = await report(stage, "preflight", images, options);
  const named = finding(preflight, "image-forged");
  expect([preflight.exit, named.severity, named.subject]).toEqual([6, "blocker", field]);
  const restore = await report(stage, "restore", images, options);
  expect([restore.exit, restore.run, harmed()]).toEqual([6, null, false]);
  await restoreBare(stage, images, options);
  await killTree(stage, pid);
  expect(harmed()).toBe(true);
}

const FD_REG = 1;

const FD_UNIXSK = 5;

const nobody = { uid: 0, euid: 0, signum: 0, pid_type: 0, pid: 0 };

// A property is written where its cgroup is made anew; cgroup v2 is mounted wherever these tests run.
const v2 = hierarchies().find(({ version }) => version === 2)!;

async function stageCgroup(change: (entry: any, victim: string) => void) {
  const stage = openStage();
  const cgroup = makeCgroup(stage, v2, "workload");
  const victim = join(stage.dir, "victim");
  writeFileSync(victim, "precious", { mode: 0o600 });
  const { pid, images } = await startDumped(stage, "objects", ["read", "/dev/null"], {
    cgroups: [cgroup],
  });
  removeCgroup(cgroup);
  edit(images, "cgroup.img", ([entry]) => change(entry, victim));
  return { stage, victim, pid, images };
}

/** The cgroup of the stage in its image. */
function inner(entry: any): any {
  let directory = entry.controllers.find(({ cnames }: any) => cnames[0] === "").dirs[0];
  while (directory.children.length > 0) directory = directory.children[0];
  return directory;
}

/** From a cgroup in CRIU's yard, which is below its work directory, to the root and down again. */
const up = (path: string) => `${"../".repeat(40)}${relative("/", path)}`;

test("O_TRUNC in the flags of an open file empties any file", async () => {
  const { stage, path, victim, pid, images } = await stageFile((file) => ["write", file]);
  await using _ = stage;
  edit(images, "files.img", (entries) => {
    const reg = regOf(entries, path);
    Object.assign(reg, { name: victim, flags: reg.flags | 0o1000 });
    delete reg.size;
    delete reg.mode;
  });
  const harmed = () => readFileSync(victim, "utf8") === "";
  await refused(stage, { images, pid, field: "reg_file_entry.flags", harmed });
});

test("O_CREAT makes any file", async () => {
  const { stage, path, victim, pid, images } = await stageFile((file) => ["write", file]);
  await using _ = stage;
  const made = `${victim}.made`;
  edit(images, "files.img", (entries) => {
    const reg = regOf(entries, path);
    Object.assign(reg, { name: made, flags: reg.flags | 0o300 });
    delete reg.size;
    delete reg.mode;
  });
  await refused(stage, {
    images,
    pid,
    field: "reg_file_entry.flags",
    harmed: () => existsSync(made),
  });
});

test("O_TRUNC in the flags of a mapping empties any file", async () => {
  const { stage, victim, path, pid, images } = await stageFile((file) => ["map", file]);
  await using _ = stage;
  let id = 0;
  edit(images, "files.img", (entries) => {
    const reg = regOf(entries, path);
    id = reg.id;
    reg.name = victim;
    delete reg.size;
    delete reg.mode;
  });
  edit(images, `mm-${pid}.img`, ([mm]) => {
    mm.vmas.find(({ shmid }: any) => shmid === BigInt(id)).fdflags = 0o1002;
  });
  const harmed = () => readFileSync(victim, "utf8") === "";
  await refused(stage, { images, pid, field: "vma_entry.fdflags", harmed });
});

test("a deleted file whose stand-in is any other file: CRIU removes that one", async () => {
  const { stage, path, victim, pid, images } = await stageFile((file) => [
    "write",
    file,
    "unlink",
    file,
  ]);
  await using _ = stage;
  const id = 0x7fff;
  edit(images, "files.img", (entries) => {
    entries.push({ type: FD_REG, id, reg: { id, flags: 0, pos: 0n, fown: nobody, name: victim } });
    delete regOf(entries, path).size;
    delete regOf(entries, path).mode;
  });
  edit(images, "remap-fpath.img", ([remap]) =>
    Object.assign(remap, { remap_type: 0, remap_id: id }),
  );
  const harmed = () => !existsSync(victim);
  await refused(stage, { images, pid, field: "remap_file_path_entry.remap_id", harmed });
});

test("a deleted file of another mode and size than the open one, and the name that CRIU leaves of it", async () => {
  const { stage, path, pid, images } = await stageFile((file) => ["write", file, "unlink", file]);
  await using _ = stage;
  const [ghost] = [...new Bun.Glob("ghost-file-*.img").scanSync(images)];
  edit(images, ghost!, ([entry]) => (entry.mode = 0o104755));
  const harmed = () => existsSync(path) && (statSync(path).mode & 0o7777) === 0o4755;
  await refused(stage, { images, pid, field: "ghost_file_entry.mode", harmed });
});

test("the names that a failed CRIU leaves of deleted files go, with their directories; what others made meanwhile stays", async () => {
  const stage = openStage();
  await using _ = stage;
  const dir = join(stage.dir, "gone/deep");
  const path = join(dir, "file");
  mkdirSync(dir, { recursive: true });
  writeFileSync(path, "content");
  const { images } = await startDumped(stage, "objects", ["write", path, "unlink", path]);
  rmSync(join(stage.dir, "gone"), { recursive: true });
  // Opened under its old name it has another mode than the images say: CRIU fails there, and leaves the name.
  edit(images, "files.img", (entries) => (regOf(entries, path).mode = 0o100600));
  const made = () => existsSync(path);
  expect((await restoreBare(stage, images)).exit).toBe(1);
  expect(made()).toBe(true);
  rmSync(join(stage.dir, "gone"), { recursive: true });
  const options = ["--ignore=image-forged"];
  const failed = await report(stage, "restore", images, options);
  expect([failed.exit, failed.failure?.left]).toEqual([1, []]);
  expect(existsSync(join(stage.dir, "gone"))).toBe(false);

  // Somebody makes a file of that name while CRIU is at it.
  const script = join(stage.dir, "script");
  const make = `mkdir -p ${dir}; echo theirs >${path}`;
  writeFileSync(script, `#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != pre-restore ] || { ${make}; }\n`, {
    mode: 0o755,
  });
  const meant = await report(stage, "restore", images, [...options, "--action-script", script]);
  expect(meant.exit).toBe(1);
  expect(meant.failure?.left.join()).toContain(`${path}: it was not there before`);
  expect(readFileSync(path, "utf8")).toBe("theirs\n");
});

test("a cgroup's property whose name leads out: CRIU writes any file, and changes its owner and mode", async () => {
  const { stage, victim, pid, images } = await stageCgroup((entry, file) => {
    const perms = { mode: 0o100666, uid: 1, gid: 1 };
    inner(entry).properties = [{ name: up(file), value: "attacker's", perms }];
  });
  await using _ = stage;
  const harmed = () =>
    readFileSync(victim, "utf8").startsWith("attacker") && statSync(victim).uid === 1;
  await refused(stage, { images, pid, field: "cgroup_prop_entry.name", harmed });
});

test("a cgroup's directory whose name leads out: CRIU makes it there, with the image's owner", async () => {
  const { stage, victim, pid, images } = await stageCgroup((entry, file) => {
    const directory = inner(entry);
    directory.dir_name = up(`${file}.d`);
    directory.dir_perms = { mode: 0o40777, uid: 1, gid: 1 };
    directory.properties = [];
  });
  await using _ = stage;
  const harmed = () => existsSync(`${victim}.d`) && statSync(`${victim}.d`).uid === 1;
  await refused(stage, { images, pid, field: "cgroup_dir_entry.dir_name", harmed });
  rmSync(`${victim}.d`, { recursive: true, force: true });
});

test("two files of one number: CRIU removes the socket of the one that is not looked at", async () => {
  const { stage, path, victim, pid, images } = await stageFile((file) => [
    "write",
    file,
    "listen",
    `${file}.socket`,
  ]);
  await using _ = stage;
  rmSync(victim);
  const server = Bun.listen({ unix: victim, socket: { data() {} } });
  edit(images, "files.img", (entries) => {
    const file = entries.find(({ reg }) => reg?.name === path);
    const { usk } = entries.find((entry) => entry.usk !== undefined);
    entries.push({ ...file });
    delete file.reg;
    Object.assign(file, {
      type: FD_UNIXSK,
      usk: { ...usk, id: file.id, ino: usk.ino + 1, name: Buffer.from(`${victim}\0`) },
    });
  });
  const harmed = () => !existsSync(victim);
  await refused(stage, { images, pid, field: "file_entry.id", harmed });
  server.stop();
});
