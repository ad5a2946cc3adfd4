import { startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { blockers, report } from "../report.ts";
import { hierarchies, killTree, makeCgroup, openStage, restoreBare } from "../stage.ts";
import { refused } from "../untrusted.ts";
import { editFile, holds } from "./untrusted.ts";
import { expect, test } from "bun:test";
import {
  chmodSync,
  lchownSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

test("untrusted-write: a link leads the tree's log to another's file", async () => {
  await using stage = openStage();
  const at = (name: string) => join(stage.dir, name);
  mkdirSync(at("logs"));
  const { pid, images } = await startDumped(stage, "objects", ["write", at("logs/log")]);
  writeFileSync(at("shadow"), "");
  rmSync(at("logs/log"));
  symlinkSync("../shadow", at("logs/log"));
  // As another user would have put it there; of a link of root's the gate says nothing (moved.test.ts).
  lchownSync(at("logs/log"), 65534, 65534);
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
  const { pid, images } = await startDumped(stage, "objects", ["write", victim]);
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
  const { pid, images } = await startDumped(stage, "objects", [], { cgroups: [cgroup] });
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

test("untrusted-write: a terminal's path is another's file, whose mode CRIU changes before it looks", async () => {
  await using stage = openStage();
  const victim = join(stage.dir, "victim");
  writeFileSync(victim, "", { mode: 0o600 });
  const { images } = await startDumped(stage, "terminal", ["pair"]);
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
