/** Docker 20.10, its own daemon: a checkpoint whose socket's directory is gone from the container's file system. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import {
  cgroupParent,
  expectNothingLeft,
  makeBin,
  makeImage,
  makeSystem,
  program,
  verdict,
} from "./engine.ts";
import { criu, openStage, run, running, type Stage, waitFor } from "./stage.ts";
import { echo } from "./x11.ts";

/** A daemon below the stage; it ends with the stage. */
async function dockerOn(stage: Stage) {
  const bin = makeBin(stage);
  for (const name of ["dockerd", "docker", "containerd", "containerd-shim-runc-v2"])
    symlinkSync(program(name), join(bin, name));
  const at = (name: string) => join(stage.dir, name);
  const socket = `unix://${at("docker.sock")}`;
  const config = {
    experimental: true,
    bridge: "none",
    iptables: false,
    ip6tables: false,
    "storage-driver": "vfs",
    "data-root": at("data"),
    "exec-root": at("exec"),
    pidfile: at("docker.pid"),
    hosts: [socket],
  };
  mkdirSync(at("system/etc/docker"), { recursive: true });
  writeFileSync(at("system/etc/docker/daemon.json"), JSON.stringify(config));
  const env = {
    HOME: stage.dir,
    PATH: `${bin}:${process.env["PATH"]}`,
    RECRIU_CRIU: criu,
    NO_COLOR: "1",
  };
  const system = await makeSystem(stage, env);
  const docker = (...words: string[]) =>
    run(stage, ["docker", "--host", socket, ...words], { env, timeout: 120_000 });
  return {
    system,
    docker,
    async start() {
      const shell = `exec dockerd >${at("dockerd.log")} 2>&1`;
      void system.run(["sh", "-c", shell], 120_000);
      await waitFor("the daemon", () => existsSync(at("docker.sock")), 30_000);
    },
    async stop() {
      process.kill(Number(readFileSync(at("docker.pid"), "utf8")), "SIGTERM");
      await waitFor("the daemon's end", () => !existsSync(at("docker.pid")), 30_000);
    },
    ok: async (...words: string[]) => {
      const done = await docker(...words);
      expect([words[0], done.exit, done.stderr]).toEqual([words[0]!, 0, done.stderr]);
      return done.stdout.trim();
    },
  };
}

test("docker start --checkpoint: fails alone, works where recriu is installed, and uninstalls", async () => {
  await using stage = openStage();
  const { system, docker, start, stop, ok } = await dockerOn(stage);
  const untouched = await system.changes();
  expect((await system.recriu("install", "--runtime=docker")).exit).toBe(0);
  await start();
  await ok("import", await makeImage(stage), "x11:1");
  const { parent } = cgroupParent(stage);
  const server = ["/x11-server", "/tmp/ready", "/tmp/.X11-unix", "/dev/stdout"];
  const words = ["--network=none", "--security-opt=seccomp=unconfined", "--cap-add=SYS_NICE"];
  words.push(`--cgroup-parent=${parent}`, "--cpu-rt-runtime=10000");
  await ok("run", "-d", "--name", "x11", ...words, "x11:1", ...server);
  const id = await ok("inspect", "x11", "--format", "{{.Id}}");
  const layer = join(stage.dir, "data/image/vfs/layerdb/mounts", id, "mount-id");
  const root = join(stage.dir, "data/vfs/dir", readFileSync(layer, "utf8"));
  const sockets = join(root, "tmp/.X11-unix");
  await waitFor("the server", () => existsSync(join(root, "tmp/ready")));
  expect(await echo(join(sockets, "X7"), "before")).toBe("before");
  await ok("checkpoint", "create", "x11", "c1");
  rmSync(sockets, { recursive: true });

  // containerd may not have cleared away the last copy of the checkpoint yet: then it refuses for a moment.
  const startFromCheckpoint = async () => {
    for (;;) {
      const done = await docker("start", "--checkpoint", "c1", "x11");
      if (!done.stderr.includes("already exists")) return done;
      await Bun.sleep(500);
    }
  };
  // A container keeps the runtime it was made with, by its path.
  const link = "/usr/local/bin/recriu-runc";
  await system.run(["sh", "-c", `mv ${link} ${link}.kept && ln -s ${stage.dir}/bin/runc ${link}`]);
  const alone = await startFromCheckpoint();
  expect(alone.exit).not.toBe(0);
  expect(alone.stderr).toContain("criu failed");
  expect(await ok("ps", "--quiet")).toBe("");
  await system.run(["mv", `${link}.kept`, link]);

  await system.run(["sh", "-c", "mkdir /etc/recriu && echo fix none >/etc/recriu/recriu.conf"]);
  const refused = await startFromCheckpoint();
  await system.run(["rm", "-r", "/etc/recriu"]);
  expect(refused.exit).toBe(alone.exit);
  expect(refused.stderr).toContain("the restore is blocked");
  expect(await ok("ps", "--quiet")).toBe("");
  expect(running(stage, "x11-server")).toEqual([]);

  const restored = await startFromCheckpoint();
  expect([restored.exit, restored.stderr]).toEqual([0, ""]);
  expect(await ok("ps", "--format", "{{.Names}} {{.Status}}")).toMatch(/^x11 Up/);
  expect(await verdict(stage, system)).toMatch(/^verified: \d+ values compared/);
  expect(await echo(join(sockets, "X7"), "still there")).toBe("still there");
  const lines = async () => (await ok("logs", "x11")).split("\n").length;
  const said = await lines();
  await Bun.sleep(500);
  expect(await lines()).toBeGreaterThan(said);
  await ok("kill", "--signal", "KILL", "x11");
  expect(await ok("wait", "x11")).toBe("137");
  await ok("rm", "x11");
  expect(await ok("ps", "--all", "--quiet")).toBe("");
  await expectNothingLeft(stage, system, id);

  await stop();
  // The daemon's own, made when it first starts.
  await system.run(["rm", "-f", "/etc/docker/key.json"]);
  expect((await system.recriu("uninstall")).exit).toBe(0);
  expect(await system.changes()).toBe(untouched);
});
