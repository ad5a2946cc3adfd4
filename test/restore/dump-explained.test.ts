/** What ends a dump, seen on real CRIU: recriu explain names the cause in its log, and the remedy makes the dump pass. */
import { expect, test } from "bun:test";
import { linkSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { index } from "../../src/explain/entries/index.ts";
import { find } from "../../src/explain/find.ts";
import { logReader } from "../../src/explain/log.ts";
import { join } from "node:path";
import { criu, descendants, openStage, recriu, run, type Stage, start } from "./stage.ts";

/** A dump that goes on with the tree; its log is in the directory. */
async function tryDump(stage: Stage, pid: number, options: readonly string[]) {
  const dir = join(stage.dir, `dump-${(stage.count += 1)}`);
  mkdirSync(dir);
  const words = ["dump", "-t", `${pid}`, "-D", dir, "-o", "dump.log", "-v4", "--leave-running"];
  const { exit } = await run(stage, [criu, ...words, ...options]);
  return { exit, log: join(dir, "dump.log") };
}

interface Case {
  readonly pid: number;
  readonly says: RegExp;
  readonly cause: string;
  /** In the remedy, as it is typed; none where the program has to do something. */
  readonly option?: string;
}

async function explained(stage: Stage, { pid, says, cause, option }: Case): Promise<void> {
  const failed = await tryDump(stage, pid, []);
  expect([cause, failed.exit]).toEqual([cause, 1]);
  const { exit, stderr } = await recriu(stage, ["explain", failed.log]);
  expect([cause, exit]).toEqual([cause, 0]);
  expect(stderr).toMatch(says);
  expect(stderr).toContain(cause);
  expect(stderr).toContain("a dump");
  if (option === undefined) return;
  expect(stderr).toContain(option);
  expect([option, (await tryDump(stage, pid, option.split(" "))).exit]).toEqual([option, 0]);
}

test("locks, deleted files, sockets to the outside, a shell's job, a device: by option where there is one", async () => {
  await using stage = openStage();
  const file = (name: string, bytes = 3) => {
    writeFileSync(join(stage.dir, name), Buffer.alloc(bytes));
    return join(stage.dir, name);
  };
  const objects = async (...words: string[]) => (await start(stage, "objects", words)).pid;
  const outside = join(stage.dir, "outside");
  await objects("dgram", outside);
  const big = file("big", 2 << 20);
  const linked = file("linked");
  linkSync(linked, join(stage.dir, "other"));
  const tree = await start(stage, "tree", [stage.dir, file("read"), file("log"), "1"]);
  const child = descendants(tree.pid).find(({ state }) => state !== "Z")!;
  const cases: Case[] = [
    {
      pid: await objects("flock", file("lock")),
      says: /Some file locks are hold by dumping tasks! You can try --file-locks to dump them\./,
      cause: "the program has files locked",
      option: "--file-locks",
    },
    {
      pid: await objects("write", big, "unlink", big),
      says: /Can't dump ghost file \S+\/big of 2097152 size, increase limit/,
      cause: "big was deleted and is still open",
      option: "--ghost-limit 2097152",
    },
    {
      pid: await objects("read", linked, "unlink", linked),
      says: /Can't create link remap for \S+\/linked\. Use link-remap option\./,
      cause: "has another name somewhere",
      option: "--link-remap",
    },
    {
      pid: await objects("connect", outside),
      says: /unix: External socket is used\. Consider using --ext-unix-sk option\./,
      cause: "connected by a Unix socket to one outside of the tree",
      option: "--ext-unix-sk",
    },
    {
      pid: child.pid,
      says: /The root process \d+ is not a session leader\. Consider using --shell-job option/,
      cause: "was started from a shell",
      option: "--shell-job",
    },
    {
      pid: await objects("read", "/dev/hwrng"),
      says: /Can't dump file 3 of that type \[20600\] \(chr 10:183\)/,
      cause: "the hardware random generator (/dev/hwrng) (10:183)",
    },
  ];
  for (const one of cases) await explained(stage, one);
}, 240_000);

test("a mount from outside: the option is typed as it stands there", async () => {
  await using stage = openStage();
  const [root, data] = [join(stage.dir, "root"), join(stage.dir, "data")];
  for (const dir of [data, join(root, "data")]) mkdirSync(dir, { recursive: true });
  const { pid } = await start(stage, "container", [root, "/run/sock", "bind", data, "/data"]);
  const init = descendants(pid)[0]!.pid;
  const failed = await tryDump(stage, init, []);
  expect(failed.exit).toBe(1);
  const { stderr } = await recriu(stage, ["explain", failed.log]);
  expect(stderr).toMatch(/\.\/data doesn't have a proper root mount/);
  const option = /--external '([^']+)' at the dump/.exec(stderr)?.[1] ?? "";
  expect(option).toBe("mnt[/data]:KEY");
  expect((await tryDump(stage, init, ["--external", option])).exit).toBe(0);
}, 240_000);

test("what bare CRIU says of a dump that cannot be is told by its own entry", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "objects", ["read", "/dev/null"]);
  const asked = (...more: string[]) => {
    const dir = join(stage.dir, `asked-${(stage.count += 1)}`);
    mkdirSync(dir);
    const words = ["dump", "-t", `${pid}`, "-D", dir, "-o", "dump.log", "-v4", "--leave-running"];
    return { dir, argv: [criu, ...words, ...more] };
  };
  const cases: readonly (readonly [words: string, ...options: string[]])[] = [
    ["Tracking memory is not available. Consider omitting --track-mem option.", "--track-mem"],
    [
      "Neither a cgroupv1 (freezer.state) or cgroupv2 (cgroup.freeze) control file found.",
      "--freeze-cgroup",
      "/nonexistent",
    ],
    ["Script <path> exited with <#status>", "--action-script", "/bin/false"],
    ['execvp("<script>", ...) failed', "--action-script", "/nonexistent"],
    ["cg-prop: Can't open file <path>", "--cgroup-props-file", "/nonexistent"],
    ["cg-prop: Expecting controller name", "--cgroup-props", "nonsense: ["],
    ["Unable to open directory <path>", "--libdir", "/nonexistent"],
    // This CRIU does not call it an error, and ends with one that is none.
    ["Can't connect to server <address>", "--page-server", "--address", "127.0.0.1", "--port", "1"],
  ];
  for (const [words, ...options] of cases) {
    const { dir, argv } = asked(...options);
    const { exit } = await run(stage, argv);
    const reader = logReader();
    reader.feed(readFileSync(join(dir, "dump.log")));
    const { explanation, cause } = reader.end();
    const found = find(index(), explanation?.line ?? "", { file: cause?.file, way: "dump" });
    expect([words, exit, found?.words.text]).toEqual([words, 1, words]);
  }
}, 240_000);
