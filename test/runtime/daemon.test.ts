/** What a daemon was started with: Debian 12's Docker and containerd that run; of systemd's units a stand-in, as none runs here. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { makeSystem, program, type System } from "../restore/engine.ts";
import { openStage, type Stage, waitFor } from "../restore/stage.ts";

const NAMES = ["dockerd", "docker", "containerd", "containerd-shim-runc-v2", "runc"];

async function systemOn(stage: Stage) {
  const bin = join(stage.dir, "bin");
  mkdirSync(bin);
  for (const name of NAMES) symlinkSync(program(name), join(bin, name));
  const etc = join(stage.dir, "system/etc");
  mkdirSync(join(etc, "docker"), { recursive: true });
  const env = { HOME: stage.dir, PATH: `${bin}:${process.env["PATH"]}`, NO_COLOR: "1" };
  return { bin, etc, system: await makeSystem(stage, env) };
}

/** A daemon, until it is ended; what it says while it starts. */
async function daemon(stage: Stage, system: System, words: string, until: RegExp) {
  const log = join(stage.dir, `daemon-${++stage.count}.log`);
  const ended = system.run(["sh", "-c", `echo $$ >${log}.pid; exec ${words} >${log} 2>&1`], 60_000);
  let over = false;
  void ended.then(() => (over = true));
  const said = () => (existsSync(log) ? readFileSync(log, "utf8") : "");
  await waitFor("the daemon", () => over || until.test(said()), 30_000);
  const end = async () => {
    if (!over) process.kill(Number(readFileSync(`${log}.pid`, "utf8")), "SIGTERM");
    await ended;
  };
  return { said: said(), end };
}

const listens = /API listen on/;

test("docker: no second default runtime is written, and no file that the daemon does not read", async () => {
  await using stage = openStage();
  const { etc, system } = await systemOn(stage);
  const at = (name: string) => join(stage.dir, name);
  const own = {
    bridge: "none",
    iptables: false,
    "storage-driver": "vfs",
    "data-root": at("data"),
    "exec-root": at("exec"),
    pidfile: at("docker.pid"),
    hosts: [`unix://${at("docker.sock")}`],
  };
  const [file, other] = [join(etc, "docker/daemon.json"), at("other.json")];
  const text = JSON.stringify(own);
  for (const each of [file, other]) writeFileSync(each, text);
  const install = () => system.recriu("install", "--runtime=docker");

  const words = "dockerd --config-file /etc/docker/daemon.json --default-runtime=runc";
  const running = await daemon(stage, system, words, listens);
  const installed = await install();
  expect([installed.exit, installed.stderr]).toEqual([0, expect.stringContaining("installed")]);
  expect(Object.keys(JSON.parse(readFileSync(file, "utf8")))).toContain("runtimes");
  expect(readFileSync(file, "utf8")).not.toContain("default-runtime");
  await running.end();
  const again = await daemon(stage, system, words, listens);
  expect(again.said).toMatch(listens);
  await again.end();
  expect((await system.recriu("uninstall")).exit).toBe(0);

  // As it would be without that: dockerd does not start.
  expect((await install()).exit).toBe(0);
  expect(readFileSync(file, "utf8")).toContain('"default-runtime": "recriu"');
  const twice = await daemon(stage, system, words, listens);
  expect(twice.said).toContain("specified both as a flag and in the configuration file");
  await twice.end();
  expect((await system.recriu("uninstall")).exit).toBe(0);

  const elsewhere = await daemon(stage, system, `dockerd --config-file=${other}`, listens);
  const refused = await install();
  expect([refused.exit, refused.stderr]).toEqual([
    1,
    expect.stringMatching(/dockerd reads \S+other.json, and not .* \(process \d+\); nothing was/),
  ]);
  expect(readFileSync(file, "utf8")).toBe(text);
  await elsewhere.end();
});

test("containerd: one that was started with another file is not taken for one that reads recriu's", async () => {
  await using stage = openStage();
  const { system } = await systemOn(stage);
  const file = join(stage.dir, "other.toml");
  const { dir } = stage;
  const own = `version = 2\nroot = "${dir}/root"\nstate = "${dir}/state"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n[grpc]\n  address = "${dir}/c.sock"\n`;
  writeFileSync(file, own);
  const booted = /successfully booted/;
  const other = await daemon(stage, system, `containerd -c ${file}`, booted);
  const refused = await system.recriu("install", "--runtime=containerd");
  expect([refused.exit, refused.stderr]).toEqual([
    1,
    expect.stringContaining(`containerd reads ${file}, and not /etc/containerd/config.toml`),
  ]);
  await other.end();
  expect((await system.recriu("install", "--runtime=containerd")).exit).toBe(0);
  expect((await system.recriu("doctor")).stderr).toMatch(/containerd .*guarded by its wrapper/);
  const later = await daemon(stage, system, `containerd --config=${file}`, booted);
  expect((await system.recriu("doctor")).stderr).toMatch(
    /containerd .*not guarded; containerd reads \S+other.toml/,
  );
  await later.end();
  expect((await system.recriu("uninstall")).exit).toBe(0);
});

test("a unit's words count where no daemon runs, with what its files set", async () => {
  await using stage = openStage();
  const { bin, etc, system } = await systemOn(stage);
  const options = join(stage.dir, "options");
  writeFileSync(options, '# of the administrator\nDOCKER_OPTS="--debug --default-runtime=runc"\n');
  const unit = (argv: string) => `#!/bin/sh
[ "$2" = docker.service ] || exit 1
echo 'ExecStart={ path=/usr/sbin/dockerd ; argv[]=${argv} ; ignore_errors=no ; pid=0 ; code=(null) }'
echo 'Environment=WHERE=/srv/other.json A=b'
echo 'EnvironmentFiles=${options} (ignore_errors=yes)'
`;
  const systemctl = join(bin, "systemctl");
  const file = join(etc, "docker/daemon.json");
  const install = () => system.recriu("install", "--runtime=docker");

  writeFileSync(systemctl, unit("/usr/sbin/dockerd -H fd:// $DOCKER_OPTS"), { mode: 0o755 });
  expect((await install()).exit).toBe(0);
  expect(readFileSync(file, "utf8")).toContain("recriu-runc");
  expect(readFileSync(file, "utf8")).not.toContain("default-runtime");
  expect((await system.recriu("uninstall")).exit).toBe(0);

  writeFileSync(systemctl, unit("/usr/sbin/dockerd --config-file ${WHERE}"));
  const refused = await install();
  expect([refused.exit, refused.stderr]).toEqual([
    1,
    expect.stringContaining(
      "dockerd reads /srv/other.json, and not /etc/docker/daemon.json (docker.service)",
    ),
  ]);
  rmSync(systemctl);
  expect((await install()).exit).toBe(0);
  expect(readFileSync(file, "utf8")).toContain("default-runtime");
});
