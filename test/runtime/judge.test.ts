/** What recriu install wrote, judged by the runtime's own program: Debian 12's containerd and Podman, a stand-in for a newer dockerd. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeSystem, program, type System } from "../restore/engine.ts";
import { openStage, type Stage, waitFor } from "../restore/stage.ts";

/** A system with these programs in PATH: names of .cache/runtimes, or scripts. */
async function systemWith(stage: Stage, programs: Readonly<Record<string, string | undefined>>) {
  const bin = join(stage.dir, "bin");
  mkdirSync(bin);
  for (const [name, text] of Object.entries(programs))
    if (text === undefined) symlinkSync(program(name), join(bin, name));
    else writeFileSync(join(bin, name), `#!/bin/sh\n${text}\n`, { mode: 0o755 });
  const env = { HOME: stage.dir, PATH: `${bin}:${process.env["PATH"]}`, NO_COLOR: "1" };
  return makeSystem(stage, env);
}

/** A file of the system's with this text. */
async function put(system: System, stage: Stage, path: string, text: string) {
  const from = join(stage.dir, "put");
  writeFileSync(from, text);
  expect((await system.run(["install", "-D", "-m", "644", from, path])).exit).toBe(0);
}

const plugin = '[plugins."io.containerd.grpc.v1.cri"';
/** Debian's file has no table of runtimes. */
const debian = (dir: string) =>
  `version = 2\nroot = "${dir}/root"\nstate = "${dir}/state"\n[grpc]\n  address = "${dir}/c.sock"\n${plugin}.cni]\n  bin_dir = "/usr/lib/cni"\n`;
const alone = `${plugin}.containerd.runtimes.recriu]\n  runtime_type = "io.containerd.runc.v2"\n`;

test("containerd: its CRI plugin starts with what recriu installs, where a runtime alone takes it down", async () => {
  await using stage = openStage();
  const system = await systemWith(stage, { containerd: undefined });
  const file = join(stage.dir, "system/etc/containerd/config.toml");
  const write = (text: string) => put(system, stage, "/etc/containerd/config.toml", text);
  const cri = async (name: string) => {
    const log = join(stage.dir, `${name}.log`);
    const daemon = system.run(["sh", "-c", `echo $$ >${log}.pid; exec containerd >${log} 2>&1`]);
    const said = () => (existsSync(log) ? readFileSync(log, "utf8") : "");
    await waitFor("containerd", () => said().includes("containerd successfully booted"), 30_000);
    process.kill(Number(readFileSync(`${log}.pid`, "utf8")), "SIGTERM");
    await daemon;
    return /failed to load plugin io.containerd.grpc.v1.cri.*/.exec(said())?.[0] ?? "starts";
  };
  const dumped = async () =>
    (Bun.TOML.parse((await system.run(["containerd", "config", "dump"])).stdout) as any).plugins[
      "io.containerd.grpc.v1.cri"
    ].containerd.runtimes;

  await write(debian(stage.dir) + alone);
  expect(await cri("alone")).toContain("no corresponding runtime configured");

  await write(debian(stage.dir));
  const before = await dumped();
  const installed = await system.recriu("install", "--runtime=containerd");
  expect([installed.exit, installed.stderr]).toEqual([
    0,
    expect.stringContaining("containerd: installed"),
  ]);
  const { recriu, runc } = await dumped();
  expect(recriu.options.BinaryName).toBe("/usr/local/bin/recriu-runc");
  expect(runc.runtime_type).toBe(before.runc.runtime_type);
  expect(await cri("installed")).toBe("starts");
  expect((await system.recriu("doctor")).stderr).toMatch(/containerd .*guarded by its wrapper/);

  // Somebody takes runc's table out: then it is not guarded, whatever was installed.
  const written = readFileSync(file, "utf8");
  await write(written.replace(/^.*runtimes\.runc\]\n.*\n/m, ""));
  expect(await cri("changed")).toContain("no corresponding runtime configured");
  expect((await system.recriu("doctor")).stderr).toMatch(
    /containerd .*, installed, and not guarded; what .*containerd has/,
  );
  await write(written);
  expect((await system.recriu("uninstall")).exit).toBe(0);
  expect(readFileSync(file, "utf8")).toBe(debian(stage.dir));

  // An imported file has the last word on a whole plugin, and takes recriu out again.
  const imported = join(stage.dir, "imported.toml");
  writeFileSync(imported, `version = 2\n${plugin}]\n  sandbox_image = "x"\n`);
  const importing = debian(stage.dir).replace("\n", `\nimports = ["${imported}"]\n`);
  await write(importing);
  const refused = await system.recriu("install", "--runtime=containerd");
  expect([refused.exit, refused.stderr]).toEqual([
    1,
    expect.stringMatching(/would not come to recriu all the same\nwhat was written is taken back/),
  ]);
  expect(readFileSync(file, "utf8")).toBe(importing);
  expect(existsSync(join(stage.dir, "system/usr/local/bin/recriu-runc"))).toBe(false);
});

test("containerd without a configuration file is judged by its defaults", async () => {
  await using stage = openStage();
  const system = await systemWith(stage, { containerd: undefined });
  const installed = await system.recriu("install", "--runtime=containerd");
  expect([installed.exit, installed.stderr]).toEqual([
    0,
    expect.stringContaining("containerd: installed"),
  ]);
  expect((await system.recriu("doctor")).stderr).toMatch(/containerd .*guarded by its wrapper/);
  expect((await system.recriu("uninstall")).exit).toBe(0);
});

test("docker: what dockerd --validate refuses is taken back; one that cannot be asked changes nothing", async () => {
  await using stage = openStage();
  // As of a daemon whose unit has --default-runtime: a stand-in, since Debian 12's dockerd has no --validate.
  const says =
    'grep -q default-runtime /etc/docker/daemon.json 2>/dev/null || exit 0; echo "unable to configure the Docker daemon with file" >&2; exit 1';
  const system = await systemWith(stage, { dockerd: says });
  const untouched = await system.changes();
  const refused = await system.recriu("install", "--runtime=docker");
  expect([refused.exit, refused.stderr]).toEqual([
    1,
    expect.stringContaining("refuses it then: unable to configure"),
  ]);
  expect(await system.changes()).toBe(untouched);
  await system.run(["sh", "-c", `ln -sf ${program("dockerd")} ${join(stage.dir, "bin/dockerd")}`]);
  expect((await system.recriu("install", "--runtime=docker")).exit).toBe(0);
  expect((await system.recriu("doctor")).stderr).toMatch(/docker .*guarded by its wrapper/);
  expect((await system.recriu("uninstall")).exit).toBe(0);
});

test("podman: a configuration that names its runtime by path does not come to recriu, and that is said", async () => {
  await using stage = openStage();
  const system = await systemWith(stage, { podman: undefined, conmon: undefined, runc: undefined });
  const store = ["S", "R", "T"].map((name) => join(stage.dir, name));
  const [graphroot, runroot, tmp] = store;
  const storage = `[storage]\ndriver = "vfs"\ngraphroot = "${graphroot}"\nrunroot = "${runroot}"\n`;
  await put(system, stage, "/etc/containers/storage.conf", storage);
  const engine = `cgroup_manager = "cgroupfs"\nevents_logger = "file"\ntmp_dir = "${tmp}"\nconmon_path = ["${program("conmon")}"]\n`;
  const runtimes = `[engine.runtimes]\nrunc = ["${program("runc")}"]\n`;
  const configure = (runtime: string) =>
    put(
      system,
      stage,
      "/etc/containers/containers.conf",
      `[engine]\n${engine}runtime = "${runtime}"\n${runtimes}`,
    );
  await configure("runc");
  const installed = await system.recriu("install", "--runtime=podman");
  expect([installed.exit, installed.stderr]).toEqual([
    0,
    expect.stringContaining("podman: installed"),
  ]);
  expect((await system.recriu("doctor")).stderr).toMatch(/podman .*guarded by its wrapper/);
  expect((await system.recriu("uninstall")).exit).toBe(0);
  await configure(program("runc"));
  const refused = await system.recriu("install", "--runtime=podman");
  expect([refused.exit, refused.stderr]).toEqual([1, expect.stringContaining("taken back")]);
});
