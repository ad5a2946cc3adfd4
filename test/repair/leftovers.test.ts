/** What a failed CRIU leaves, of each kind: what is its own goes, all else stays and is told. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Leftover } from "../../src/checks/index.ts";
import { removeLeftover } from "../../src/repair/leftovers.ts";
import { stepOf } from "../../src/repair/place.ts";
import { INITIAL_PID_NAMESPACE } from "../../src/sys/linux.ts";
import type { Step } from "../../src/repair/step.ts";

let base: string;
beforeEach(() => {
  base = realpathSync(mkdtempSync(join(tmpdir(), "recriu-leftovers-")));
});
afterEach(() => {
  Bun.spawnSync([
    "sh",
    "-c",
    `cut -d" " -f5 /proc/self/mountinfo | grep "^${base}/" | tac | xargs -r umount -l`,
  ]);
  rmSync(base, { recursive: true });
});

const at = (name: string) => join(base, name);
const step = (kind: Leftover["kind"], name: string, more: object = {}): Step =>
  stepOf({ kind, root: "/", path: at(name), ...more });

test("a cgroup goes when it is empty; one that is in use stays, and is told", () => {
  const cgroup = step("cgroup", "cgroup");
  expect(removeLeftover(cgroup)).toBeUndefined();
  mkdirSync(at("cgroup/below"), { recursive: true });
  expect(removeLeftover(cgroup)).toBe(`${at("cgroup")}: in use by now; left alone`);
  rmdirSync(at("cgroup/below"));
  expect(removeLeftover(cgroup)).toBeUndefined();
  expect(existsSync(at("cgroup"))).toBe(false);
  // What cannot be removed for another reason is told, too.
  writeFileSync(at("cgroup"), "");
  expect(removeLeftover(cgroup)).toContain(at("cgroup"));
});

test("in a directory that all may write to only a cgroup's is written down: there nothing can be moved", () => {
  mkdirSync(at("open"));
  chmodSync(at("open"), 0o777);
  expect(step("ghost", "open/x").parent).toBeUndefined();
  expect(step("socket", "open/x").parent).toBeUndefined();
  expect(step("cgroup", "open/x").parent).toBeString();
});

test("a setting that CRIU raised is set back, unless it was changed since", () => {
  const sysctl = step("sysctl", "pid_max", { like: "100:200" });
  writeFileSync(at("pid_max"), "200\n");
  expect(removeLeftover(sysctl)).toBeUndefined();
  expect(readFileSync(at("pid_max"), "utf8").trim()).toBe("100");
  writeFileSync(at("pid_max"), "300\n");
  expect(removeLeftover(sysctl)).toBeUndefined();
  expect(readFileSync(at("pid_max"), "utf8")).toBe("300\n");
});

test("what is no socket, in the place of one, stays", () => {
  const socket = step("socket", "socket");
  writeFileSync(at("socket"), "");
  expect(removeLeftover(socket)).toBe(`${at("socket")}: not a socket; left alone`);
  expect(existsSync(at("socket"))).toBe(true);
});

test("a deleted file that was made again goes, and nothing else of its name", () => {
  const made = () => {
    writeFileSync(at("ghost"), "", { mode: 0o640 });
    const { dev, ino, mode, uid, gid, mtimeMs } = statSync(at("ghost"));
    return { inode: `${dev}:${ino}`, mode, uid, gid, time: BigInt(Math.floor(mtimeMs * 1000)) };
  };
  const told = (like: string) => removeLeftover(step("ghost", "ghost", { like }));
  const { mode, uid, gid } = made();
  const precise = statSync(at("ghost"), { bigint: true }).mtimeNs / 1000n;
  for (const other of [
    `${mode + 1}:${uid}:${gid}:`,
    `${mode}:${uid + 1}:${gid}:`,
    `${mode}:${uid}:${gid + 1}:`,
    `${mode}:${uid}:${gid}:${precise + 1n}`,
    "1:1",
  ]) {
    expect(told(other)).toContain("is not what CRIU made; left alone");
    expect(existsSync(at("ghost"))).toBe(true);
  }
  expect(told(`${mode}:${uid}:${gid}:${precise}`)).toBeUndefined();
  expect(existsSync(at("ghost"))).toBe(false);
  const { inode } = made();
  expect(told(inode)).toBeUndefined();
  expect(existsSync(at("ghost"))).toBe(false);
  // What is not known counts for nothing.
  made();
  expect(told(`${mode}:::`)).toBeUndefined();
  // A directory is none.
  mkdirSync(at("ghost"));
  expect(told(":::")).toContain("left alone");
});

/** In a pid namespace of its own, as in scripts/fresh, recriu cannot know whether another CRIU runs: the last test has that. */
const seesAll = test.skipIf(readlinkSync("/proc/self/ns/pid") !== INITIAL_PID_NAMESPACE);

const YARD = ".criu.cgyard.abcdef";
const scratch = (existing: string[] = []) =>
  stepOf({ kind: "scratch", root: base, path: "/", existing });

const source = JSON.stringify(join(import.meta.dir, "../../src/repair/leftovers.ts"));

/** What `removeLeftover` says on a machine where only these processes run: what others do here is not looked at. */
function removedAmong(left: Step, pids: readonly number[], namespace: string[] = []): string {
  const view = `
    mkdir ${at("proc")}; mount --rbind /proc ${at("proc")}; mount -t tmpfs none /proc
    ln -s ${at("proc")}/self ${at("proc")}/sys /proc
    for pid in ${pids.join(" ")}; do ln -s ${at("proc")}/$pid /proc; done
    exec "$0" -e "$1"`;
  const code = `const { removeLeftover } = await import(${source});
    console.log(removeLeftover(${JSON.stringify(left)}));`;
  const argv = ["unshare", "--mount", ...namespace, "sh", "-ec", view, process.execPath, code];
  const { stdout, stderr } = Bun.spawnSync(argv);
  rmdirSync(at("proc"));
  if (stdout.length === 0) throw new Error(stderr.toString());
  return stdout.toString().trim();
}

seesAll(
  "CRIU's temporary directories go with what is mounted there; others, and those of before, stay",
  () => {
    for (const name of [
      YARD,
      "cr-tmpfs.abcdef",
      "crtools-proc.before",
      ".criu.mntns.abcdefg",
      "mine",
    ])
      mkdirSync(at(name));
    const mounted = `mount -t tmpfs none ${at(YARD)}; mkdir ${at(YARD)}/in; mount -t tmpfs none ${at(YARD)}/in`;
    expect(Bun.spawnSync(["sh", "-ec", mounted]).exitCode).toBe(0);
    expect(removedAmong(scratch(["crtools-proc.before"]), [])).toBe("undefined");
    expect(readdirSync(base).toSorted()).toEqual([
      ".criu.mntns.abcdefg",
      "crtools-proc.before",
      "mine",
    ]);
    expect(readFileSync("/proc/self/mountinfo", "utf8")).not.toContain(base);
  },
);

seesAll("what is below a mount of somebody's is not gone into", () => {
  mkdirSync(at(YARD));
  writeFileSync(at(`${YARD}/file`), "");
  expect(removedAmong(scratch(), [])).toBe(`${at(YARD)}: cannot be removed`);
  expect(existsSync(at(`${YARD}/file`))).toBe(true);
});

seesAll(
  "while another CRIU runs they may be of that one; one that has ended does not count",
  async () => {
    mkdirSync(at(YARD));
    copyFileSync("/bin/sleep", at("criu"));
    const other = Bun.spawn([at("criu"), "60"], { stdin: "ignore" });
    while (readFileSync(`/proc/${other.pid}/comm`, "utf8") !== "criu\n") await Bun.sleep(1);
    const told = `${at(YARD)}: perhaps of another CRIU that runs; left alone`;
    expect(removedAmong(scratch(), [other.pid])).toBe(told);
    expect(existsSync(at(YARD))).toBe(true);
    other.kill("SIGKILL");
    await other.exited;
    // One that was not waited for yet.
    const words = ["sh", "-c", `${at("criu")} 0 & echo $!; exec sleep 60`];
    const parent = Bun.spawn(words, { stdin: "ignore", stdout: "pipe" });
    const { value } = await parent.stdout.getReader().read();
    const zombie = Number(Buffer.from(value!).toString());
    while (!readFileSync(`/proc/${zombie}/stat`, "utf8").includes(") Z ")) await Bun.sleep(1);
    expect(removedAmong(scratch(), [zombie])).toBe("undefined");
    parent.kill("SIGKILL");
    await parent.exited;
  },
);

test("in a pid namespace of its own recriu sees no other CRIU, and removes nothing", () => {
  mkdirSync(at(YARD));
  const own = ["--pid", "--fork", "--mount-proc"];
  const told = `${at(YARD)}: perhaps of another CRIU that runs; left alone`;
  expect(removedAmong(scratch(), [], own)).toBe(told);
  expect(existsSync(at(YARD))).toBe(true);
});
