/** CRIU itself: not there, too old for this kernel, without the rights it needs. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { blockers, explained, finding, report } from "./report.ts";
import {
  alive,
  criu,
  dump,
  killTree,
  openStage,
  recriu,
  recriuBinary,
  run,
  start,
  waitFor,
} from "./stage.ts";
import { compile } from "./stage/compile.ts";
import { bareUnder, reportUnder } from "./under.ts";

const old = join(import.meta.dir, "../../.cache/criu/bookworm/criu");
const vvarVclock = readFileSync("/proc/self/maps", "utf8").includes("[vvar_vclock]");

test("criu-missing", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dump(stage, pid);
  const missing = await report(stage, "restore", images, [`--criu=${stage.dir}/criu`]);
  expect(missing).toMatchObject({ exit: 3, run: null, criu: { path: null, version: null } });
  expect(blockers(missing)).toEqual(["criu-missing"]);
  expect((await report(stage, "restore", images)).exit).toBe(0);
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
