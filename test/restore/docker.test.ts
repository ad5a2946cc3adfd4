/** Docker 20.10, its own daemon: a checkpoint whose socket's directory is gone from the container's file system. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { echo, makeBin, makeImage, program } from "./engine.ts";
import {
  criu,
  hierarchies,
  makeCgroup,
  openStage,
  recriuBinary,
  run,
  type Stage,
  waitFor,
} from "./stage.ts";

/** A daemon below the stage, with a runtime `recriu`; it ends with the stage. */
async function dockerOn(stage: Stage) {
  const bin = makeBin(stage);
  for (const name of ["dockerd", "docker", "containerd", "containerd-shim-runc-v2"])
    symlinkSync(program(name), join(bin, name));
  const runtime = join(bin, "recriu-runc");
  const at = (name: string) => join(stage.dir, name);
  const socket = `unix://${at("docker.sock")}`;
  const daemon = {
    experimental: true,
    bridge: "none",
    iptables: false,
    ip6tables: false,
    "storage-driver": "vfs",
    "data-root": at("data"),
    "exec-root": at("exec"),
    pidfile: at("docker.pid"),
    hosts: [socket],
    runtimes: { recriu: { path: runtime } },
  };
  writeFileSync(at("daemon.json"), JSON.stringify(daemon));
  const env = {
    HOME: stage.dir,
    PATH: `${bin}:${process.env["PATH"]}`,
    RECRIU_CRIU: criu,
    NO_COLOR: "1",
  };
  const shell = `exec dockerd --config-file ${at("daemon.json")} >${at("dockerd.log")} 2>&1`;
  void run(stage, ["sh", "-c", shell], { env, timeout: 120_000 });
  await waitFor("the daemon", () => existsSync(at("docker.sock")), 30_000);
  return {
    become(who: "runc" | "recriu") {
      rmSync(runtime, { force: true });
      symlinkSync(who === "runc" ? join(bin, "runc") : recriuBinary, runtime);
    },
    docker: (...words: string[]) =>
      run(stage, ["docker", "--host", socket, ...words], { env, timeout: 60_000 }),
    stop: () => process.kill(Number(readFileSync(at("docker.pid"), "utf8")), "SIGTERM"),
  };
}

test("docker start --checkpoint: fails alone, works with recriu as the runtime", async () => {
  await using stage = openStage();
  const { become, docker, stop } = await dockerOn(stage);
  const ok = async (...words: string[]) => {
    const done = await docker(...words);
    expect([words[0], done.exit, done.stderr]).toEqual([words[0]!, 0, done.stderr]);
    return done.stdout.trim();
  };
  become("recriu");
  await ok("import", await makeImage(stage), "x11:1");
  const parent = basename(stage.dir);
  const cpu = hierarchies().find(({ controllers }) => controllers.includes("cpu"));
  const budget = cpu && join(makeCgroup(stage, cpu, ""), "cpu.rt_runtime_us");
  if (budget !== undefined && existsSync(budget)) writeFileSync(budget, "50000");
  const server = ["/x11-server", "/tmp/ready", "/tmp/.X11-unix", "/tmp/progress"];
  const words = ["--runtime=recriu", "--network=none", "--security-opt=seccomp=unconfined"];
  words.push("--cap-add=SYS_NICE", `--cgroup-parent=/${parent}`, "--cpu-rt-runtime=10000");
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
  become("runc");
  const alone = await startFromCheckpoint();
  expect(alone.exit).not.toBe(0);
  expect(alone.stderr).toContain("criu failed");
  expect(await ok("ps", "--quiet")).toBe("");

  become("recriu");
  const restored = await startFromCheckpoint();
  expect([restored.exit, restored.stderr]).toEqual([0, ""]);
  expect(await ok("ps", "--format", "{{.Names}} {{.Status}}")).toMatch(/^x11 Up/);
  expect(await echo(join(sockets, "X7"), "still there")).toBe("still there");
  await ok("stop", "--time", "0", "x11");
  await ok("rm", "x11");
  expect(await ok("ps", "--all", "--quiet")).toBe("");
  stop();
  await waitFor("the daemon's end", () => !existsSync(join(stage.dir, "docker.pid")), 30_000);
});
