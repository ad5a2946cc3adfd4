/** Podman 4.3.1: a container that is imported from an archive without the directory of its socket. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
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

function podmanOn(stage: Stage) {
  const bin = makeBin(stage);
  mkdirSync(join(stage.dir, ".config/containers"), { recursive: true });
  const policy = { default: [{ type: "insecureAcceptAnything" }] };
  writeFileSync(join(stage.dir, ".config/containers/policy.json"), JSON.stringify(policy));
  writeFileSync(join(stage.dir, "containers.conf"), "");
  const runtime = join(bin, "recriu-runc");
  const at = (name: string) => join(stage.dir, name);
  const options = {
    root: at("S"),
    runroot: at("R"),
    tmpdir: at("T"),
    "cgroup-manager": "cgroupfs",
    "events-backend": "file",
    "storage-driver": "vfs",
    conmon: program("conmon"),
    runtime,
  };
  const words = Object.entries(options).map(([name, value]) => `--${name}=${value}`);
  const env = {
    HOME: stage.dir,
    PATH: `${bin}:${process.env["PATH"]}`,
    CONTAINERS_CONF: at("containers.conf"),
    RECRIU_CRIU: criu,
    NO_COLOR: "1",
  };
  return {
    /** An archive names its runtime by its path: the same path is runc alone, or recriu. */
    become(who: "runc" | "recriu") {
      rmSync(runtime, { force: true });
      symlinkSync(who === "runc" ? join(bin, "runc") : recriuBinary, runtime);
    },
    podman: (...given: string[]) =>
      run(stage, [program("podman"), ...words, ...given], { env, timeout: 60_000 }),
  };
}

test("podman container restore --import: fails alone, works with recriu as the runtime", async () => {
  await using stage = openStage();
  const { become, podman } = podmanOn(stage);
  const ok = async (...words: string[]) => {
    const done = await podman(...words);
    expect([words[0], done.exit, done.stderr]).toEqual([words[0]!, 0, done.stderr]);
    return done.stdout.trim();
  };
  const archive = join(stage.dir, "checkpoint.tar.zst");
  become("recriu");
  await ok("import", await makeImage(stage), "x11:1");
  const server = ["/x11-server", "/dev/shm/ready", "/tmp/.X11-unix", "/dev/shm/progress"];
  // In a new cgroup there is no real-time budget unless it is asked for, within that of its parent.
  const parent = basename(stage.dir);
  const cpu = hierarchies().find(({ controllers }) => controllers.includes("cpu"));
  const budget = cpu && join(makeCgroup(stage, cpu, ""), "cpu.rt_runtime_us");
  const rationed = budget !== undefined && existsSync(budget);
  if (rationed) writeFileSync(budget, "50000");
  const realtime = ["--cap-add=SYS_NICE", `--cgroup-parent=/${parent}`];
  if (rationed) realtime.push("--cpu-rt-runtime=10000");
  await ok("run", "-d", "--name", "x11", "--network", "none", ...realtime, "x11:1", ...server);
  const socket = async () => join(await ok("mount", "x11"), "tmp/.X11-unix/X7");
  const before = await socket();
  await waitFor("the server", () => existsSync(before));
  expect(await echo(before, "before")).toBe("before");
  await ok("container", "checkpoint", "--ignore-rootfs", "--export", archive, "x11");
  await ok("rm", "x11");

  become("runc");
  const alone = await podman("container", "restore", "--import", archive);
  expect(alone.exit).not.toBe(0);
  expect(alone.stderr).toContain("criu failed");
  await ok("rm", "--force", "--time", "0", "--all");

  become("recriu");
  await ok("container", "restore", "--import", archive);
  expect(await ok("ps", "--format", "{{.Names}} {{.Status}}")).toMatch(/^x11 Up/);
  expect(await echo(await socket(), "still there")).toBe("still there");
  await ok("stop", "--time", "0", "x11");
  await ok("rm", "x11");
  expect(await ok("ps", "--all", "--quiet")).toBe("");
});
