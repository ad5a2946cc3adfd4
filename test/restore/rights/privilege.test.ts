import { is317 } from "../criu.ts";
import { startDumped } from "../stage/dumped.ts";
import { explained, finding } from "../report.ts";
import { alive, criu, dump, killTree, openStage, recriuBinary, run, waitFor } from "../stage.ts";
import { compile } from "../stage/compile.ts";
import { bareUnder, reportUnder } from "../under.ts";
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";

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

// A clone may stand where others than root cannot go, and this CRIU in it.
const asOther = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "test", "-x", criu];
const isReached = Bun.spawnSync(asOther).exitCode === 0;

test.skipIf(!isReached)(
  "privilege: a user who is not root, and root without capabilities",
  async () => {
    await using stage = openStage();
    const { pid, images } = await startDumped(stage);
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
  },
);

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
  const named = finding(preflight, "privilege");
  const bare = await bareUnder(stage, under, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(named.criu_message!);
  explained(named);
  if (is317) {
    // That option came with 3.18.
    expect(preflight).toMatchObject({ exit: 3, plan: { options: [] } });
    return expect(named.remedy.kind).toBe("human");
  }
  expect(preflight).toMatchObject({ exit: 0, plan: { options: ["--unprivileged"] } });
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
