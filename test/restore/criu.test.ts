/** CRIU itself: not there, too old for this kernel, without the rights it needs. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { asCriu } from "../dropin/as-criu.ts";
import { blockers, finding, report, explained } from "./report.ts";
import {
  alive,
  criu,
  dump,
  openStage,
  recriu,
  recriuBinary,
  run,
  start,
  killTree,
  waitFor,
} from "./stage.ts";
import { dumpX11 } from "./x11.ts";
import { typed } from "./typed.ts";
import { compile } from "./stage/compile.ts";
import { bareUnder, reportUnder } from "./under.ts";

const cached = (program: string) => join(import.meta.dir, "../../.cache/criu", program);
const old = cached("bookworm/criu");
const vvarVclock = readFileSync("/proc/self/maps", "utf8").includes("[vvar_vclock]");

test("criu-missing", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dump(stage, pid);
  const missing = await report(stage, "restore", images, [`--criu=${stage.dir}/criu`]);
  expect(missing).toMatchObject({ exit: 3, run: null, criu: { path: null, version: null } });
  expect(blockers(missing)).toEqual(["criu-missing"]);
  expect(finding(missing, "criu-missing").message).toContain(
    `${stage.dir}/criu does not exist (named by --criu)`,
  );
  const env = { RECRIU_CRIU: "/nope" };
  const named = finding(await report(stage, "preflight", images, [], { env }), "criu-missing");
  expect(named.message).toContain("/nope does not exist (named by RECRIU_CRIU)");
  expect(named.remedy).toMatchObject({ command: null });
  expect(named.remedy.text).toContain("RECRIU_CRIU");
  expect((await report(stage, "restore", images)).exit).toBe(0);
});

test("criu-unstartable: an executable file that is no CRIU for this machine", async () => {
  await using stage = openStage();
  const { images, sockets } = await dumpX11(stage, []);
  rmSync(sockets, { recursive: true });
  const libc = "echo criu: libc.so.6: version GLIBC_9.9 not found >&2; exit 1";
  const files: [string, string, string][] = [
    ["interpreter", "#!/nowhere/criu\n", "is not there"],
    ["machine", "\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0\x02\0\xf3\0", "for this machine"],
    ["libc", `#!/bin/sh\n${libc}\n`, "GLIBC_9.9 not found"],
    ["processor", "#!/bin/sh\nkill -ILL $$\n", "SIGILL"],
  ];
  for (const [name, text, said] of files) {
    const file = join(stage.dir, name);
    writeFileSync(file, text, { mode: 0o755 });
    const words = ["restore", "-d", "-D", images, "-o", "r.log"];
    expect((await run(stage, ["sh", "-c", '"$@"', "sh", file, ...words])).exit).not.toBe(0);
    for (const command of ["preflight", "restore"] as const) {
      const named = await report(stage, command, images, [`--criu=${file}`]);
      expect(named).toMatchObject({ exit: 3, run: null });
      expect(finding(named, "criu-unstartable").message).toContain(said);
    }
    const asked = await asCriu(stage, words, { env: { RECRIU_CRIU: file } });
    expect(asked).toMatchObject({ exit: 1, stdout: "" });
    expect(asked.stderr).toContain("blocker[criu-unstartable]");
    expect(existsSync(sockets)).toBe(false);
  }
  expect((await report(stage, "restore", images)).exit).toBe(0);
});

test("a CRIU that is gone when it is wanted: what was repaired for it is taken back", async () => {
  await using stage = openStage();
  const { images, sockets } = await dumpX11(stage, []);
  rmSync(sockets, { recursive: true });
  // It answers once, and is no program any more.
  const once = join(stage.dir, "once");
  writeFileSync(once, `#!/bin/sh\necho Version: 4.1.1\necho '#!/nowhere' >${once}\n`, {
    mode: 0o755,
  });
  // With scripts of the user's CRIU is not held.
  const words = [`--criu=${once}`, "--action-script=/bin/true"];
  const failed = await report(stage, "restore", images, words);
  expect(failed).toMatchObject({ exit: 1, run: null, failure: { left: [] } });
  expect(failed.failure!.line).toContain("posix_spawn");
  expect(failed.stderr).not.toContain("await");
  expect(existsSync(sockets)).toBe(false);
  expect((await run(stage, ["grep", "-rl", images, "/run/recriu"])).stdout).toBe("");
});

// Before Linux 6.13 there is no such mapping, and CRIU 3.17.1 starts.
test.skipIf(!vvarVclock)(
  "criu-too-old: this kernel has a mapping that it cannot take",
  async () => {
    await using stage = openStage();
    const { pid } = await start(stage, "sched", ["other", "0", "0"]);
    const images = await dump(stage, pid);
    const named = await report(stage, "restore", images, [`--criu=${old}`]);
    expect(named).toMatchObject({ exit: 3, run: null, criu: { path: old, version: "3.17.1" } });
    expect(blockers(named)).toEqual(["criu-too-old"]);
    const version = await typed(stage, named, "criu-too-old");
    expect([version.exit, version.stdout]).toEqual([0, expect.stringContaining("Version: ")]);
    const bare = await run(stage, [
      old,
      "restore",
      "-d",
      "-D",
      images,
      "-o",
      join(stage.dir, "log"),
    ]);
    expect(bare.exit).toBe(1);
    expect(readFileSync(join(stage.dir, "log"), "utf8")).toContain(
      finding(named, "criu-too-old").criu_message!,
    );
    expect((await report(stage, "restore", images)).exit).toBe(0);
  },
);

test("criu-too-old: images of CRIU 4.2 have no pages for an older one", async () => {
  await using stage = openStage();
  const [older, newer] = ["trixie", "forky"].map((suite) => cached(`${suite}/criu`));
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = join(stage.dir, "images");
  mkdirSync(images);
  expect((await run(stage, [newer!, "dump", "-t", `${pid}`, "-D", images])).exit).toBe(0);
  const named = await report(stage, "restore", images, [`--criu=${older}`]);
  expect(named).toMatchObject({ exit: 3, run: null });
  expect(blockers(named)).toEqual(["criu-too-old"]);
  const log = join(stage.dir, "log");
  const bare = await run(stage, [older!, "restore", "-d", "-D", images, "-o", log]);
  expect(bare.exit).toBe(1);
  expect(readFileSync(log, "utf8")).toContain(finding(named, "criu-too-old").criu_message!);
  expect((await report(stage, "restore", images, [`--criu=${newer}`])).exit).toBe(0);
  await killTree(stage, pid);
});

test("privilege: a user who is not root, and root without capabilities", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dump(stage, pid);
  await run(stage, ["chmod", "-R", "a+rX", stage.dir]);
  const nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"];
  const powerless = ["setpriv", "--bounding-set=-all", "--inh-caps=-all", "--"];
  for (const as of [nobody, powerless]) {
    const words = ["preflight", "-D", images, "--json", `--criu=${criu}`];
    const said = await run(stage, [...as, recriuBinary, ...words], { cwd: "/" });
    expect(said.exit).toBe(3);
    const named = JSON.parse(said.stdout).findings.find(
      (entry: { id: string }) => entry.id === "privilege",
    );
    const bare = await run(stage, [...as, criu, "restore", "-d", "-D", images], { cwd: "/" });
    expect(bare.exit).toBe(1);
    expect(bare.stdout + bare.stderr).toContain(named.criu_message);
  }
  expect(alive(pid)).toBe(false);
});

/** Root with what containers are given, and CAP_CHECKPOINT_RESTORE. */
const fewRights = [
  ..."chown dac_override fowner fsetid kill setgid setuid setpcap net_bind_service net_raw sys_chroot".split(
    " ",
  ),
  ..."mknod audit_write setfcap checkpoint_restore sys_ptrace net_admin".split(" "),
]
  .map((name) => `+${name}`)
  .join(",");
const lessThanAdmin = ["setpriv", `--bounding-set=-all,${fewRights}`, "--inh-caps=-all", "--"];

test("privilege: root with CAP_CHECKPOINT_RESTORE alone is restored with --unprivileged", async () => {
  await using stage = openStage();
  const { exit, stdout } = await run(stage, [
    ...lessThanAdmin,
    "sh",
    "-c",
    "grep CapBnd /proc/self/status",
  ]);
  expect({ exit, stdout }).toMatchObject({
    exit: 0,
    stdout: expect.stringMatching(/CapBnd:\s+00000100a8/),
  });
  const program = join(stage.dir, "ready");
  const started = await stage.supervisor.spawn(
    [...lessThanAdmin, compile("sched"), program, "other", "0", "0"],
    { cwd: "/" },
  );
  await waitFor("the task to be ready", () => existsSync(program));
  const images = await dump(stage, started.pid);
  const under = lessThanAdmin;
  const preflight = await reportUnder(stage, under, "preflight", images);
  expect(preflight).toMatchObject({ exit: 0, plan: { options: ["--unprivileged"] } });
  const named = finding(preflight, "privilege");
  const bare = await bareUnder(stage, under, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(named.criu_message!);
  explained(named);
  expect((await bareUnder(stage, under, images, ["-d", named.remedy.command!])).exit).toBe(0);
  await killTree(stage, started.pid);
  const done = await reportUnder(stage, under, "restore", images);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  await killTree(stage, started.pid);
  // The user's word is not overridden, and what he said himself is no finding.
  const no = await reportUnder(stage, under, "preflight", images, ["--no-unprivileged"]);
  expect(no).toMatchObject({ exit: 3, plan: { options: [] } });
  const yes = await reportUnder(stage, under, "preflight", images, ["--unprivileged"]);
  expect(yes).toMatchObject({ exit: 0, findings: [] });
});

test("doctor names the CRIU, and that an old one cannot start", async () => {
  await using stage = openStage();
  const facts = async (path: string) =>
    JSON.parse((await recriu(stage, ["doctor", "--json", `--criu=${path}`])).stdout).facts as {
      name: string;
      state: string;
      found: string;
    }[];
  expect(await facts(criu)).toContainEqual(
    expect.objectContaining({ name: "criu check", state: "ok" }),
  );
  expect(await facts("/nowhere/criu")).toContainEqual(
    expect.objectContaining({ name: "criu", state: "missing" }),
  );
  expect(await facts(old)).toContainEqual(
    expect.objectContaining({ name: "criu", found: `${old}, version 3.17.1` }),
  );
});
