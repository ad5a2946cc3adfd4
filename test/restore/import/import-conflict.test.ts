/** What Podman's import of an archive needs beside CRIU's: named beforehand, as Podman then says it, and mended as it is typed. */
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { cgroupParent, makeImage } from "../engine.ts";
import { podmanOn } from "../podman.ts";
import type { Report } from "../report.ts";
import { openStage, waitFor } from "../stage.ts";
import { typed } from "../typed.ts";

test("an archive with a volume: what is in the way of its import is named, and what the import makes is not", async () => {
  await using stage = openStage();
  const { bin, system, podman, ok } = await podmanOn(stage);
  const archive = join(stage.dir, "checkpoint.tar.zst");
  await ok("import", await makeImage(stage), "x11:1");
  const { parent, rationed } = cgroupParent(stage);
  const words = ["--network=none", "--cap-add=SYS_NICE", `--cgroup-parent=${parent}`];
  words.push("--volume=vol1:/data");
  if (rationed) words.push("--cpu-rt-runtime=10000");
  const server = ["/x11-server", "/dev/shm/ready", "/tmp/.X11-unix", "/dev/stdout"];
  await ok("run", "-d", "--name", "x11", ...words, "x11:1", ...server);
  const socket = join(await ok("mount", "x11"), "tmp/.X11-unix/X7");
  await waitFor("the server", () => existsSync(socket));
  await ok("container", "checkpoint", "--export", archive, "x11");

  const preflight = async () => {
    const done = await system.recriu("preflight", archive, "--json");
    return JSON.parse(done.stdout) as Report;
  };
  const said = ({ findings }: Report) =>
    findings
      .filter(({ severity }) => severity !== "info")
      .map(({ id, severity, subject }) => `${severity} ${id} ${subject}`)
      .filter((line) => !line.includes("rlimit"))
      .sort();
  const restore = ["container", "restore", "--import", archive];
  const failsWith = async (text: string) => {
    const { exit, stderr } = await podman(restore);
    expect([exit, stderr]).toEqual([125, expect.stringContaining(text)]);
  };
  const env = { PATH: `${bin}:${process.env["PATH"]}` };
  const mends = async (subject: string) => {
    const report = await preflight();
    const under = system.enter;
    const done = await typed(stage, report, "import-conflict", { subject, under, env });
    expect([subject, done.exit, done.stderr]).toEqual([subject, 0, ""]);
    await ok("rm", "--force", "--time", "0", "--all");
  };

  // Both are there still.
  const both = await preflight();
  expect(said(both)).toEqual(["blocker import-conflict vol1", "blocker import-conflict x11"]);
  expect(both.findings.find(({ id }) => id === "import-command")!.message).toContain(
    "podman container restore --import",
  );
  await failsWith("volume with name vol1 already exists");

  await ok("rm", "x11");
  expect(said(await preflight())).toEqual(["blocker import-conflict vol1"]);
  await mends("vol1");

  await ok("volume", "rm", "vol1");
  await ok("create", "--name", "x11", "x11:1", "/x11-server");
  expect(said(await preflight())).toEqual(["blocker import-conflict x11"]);
  await failsWith("already in use");
  await ok("volume", "rm", "--all", "--force").catch(() => undefined);
  const report = await preflight();
  expect(report.findings.find(({ subject }) => subject === "x11")!.remedy.command).toContain(
    "-n x11-restored",
  );
  await mends("x11");

  await ok("volume", "rm", "--all", "--force");
  expect(said(await preflight())).toEqual([]);
  await ok(...restore);
  await ok("rm", "--force", "--time", "0", "--all");

  await ok("volume", "rm", "--all", "--force");
  await ok("rmi", "x11:1");
  expect(said(await preflight())).toEqual(["warning import-refused localhost/x11:1"]);
  await failsWith("Trying to pull localhost/x11:1");
}, 180_000);
