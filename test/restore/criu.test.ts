/** CRIU itself: not there, too old for this kernel, without the rights it needs. */
import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { blockers, finding, report } from "./report.ts";
import { alive, criu, dump, openStage, recriu, recriuBinary, run, start } from "./stage.ts";
import { typed } from "./typed.ts";

const old = join(import.meta.dir, "../../.cache/criu/bookworm/criu");
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
