/** Podman 4.3.1: a container that is imported from an archive without the directory of its socket. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { cgroupParent, expectNothingLeft, makeImage, verdict } from "./engine.ts";
import { podmanOn } from "./podman.ts";
import { criu, openStage, waitFor } from "./stage.ts";
import { echo } from "./x11.ts";

test("podman container restore --import: fails alone, works once recriu is installed, and uninstalls", async () => {
  await using stage = openStage();
  const { system, configure, podman, ok } = await podmanOn(stage);
  const archive = join(stage.dir, "checkpoint.tar.zst");
  await ok("import", await makeImage(stage), "x11:1");
  const { parent, rationed } = cgroupParent(stage);
  const words = ["--network=none", "--cap-add=SYS_NICE", `--cgroup-parent=${parent}`];
  if (rationed) words.push("--cpu-rt-runtime=10000");
  const server = ["/x11-server", "/dev/shm/ready", "/tmp/.X11-unix", "/dev/stdout"];
  await ok("run", "-d", "--name", "x11", ...words, "x11:1", ...server);
  const socket = async () => join(await ok("mount", "x11"), "tmp/.X11-unix/X7");
  const before = await socket();
  await waitFor("the server", () => existsSync(before));
  expect(await echo(before, "before")).toBe("before");
  await ok("container", "checkpoint", "--ignore-rootfs", "--export", archive, "x11");
  await ok("rm", "x11");

  const restore = ["container", "restore", "--import", archive];
  const alone = await podman(restore);
  expect(alone.exit).not.toBe(0);
  expect(alone.stderr).toContain("criu failed");
  const left = await ok("ps", "--all", "--format", "{{.Names}} {{.Status}}");
  await ok("rm", "--force", "--time", "0", "--all");

  // What the archive says of its container is shown.
  const shown = await system.recriu("show", archive, "--json");
  expect(JSON.parse(shown.stdout)).toMatchObject({
    container: {
      engine: "Podman",
      name: "x11",
      image: expect.stringContaining("x11:1"),
      runtime: "runc",
    },
    statistics: { frozen: expect.any(Number) },
  });
  expect((await system.recriu("show", archive)).stdout).toMatch(
    /^container +x11, [0-9a-f]{12}\nimage +\S*x11:1$/m,
  );

  // What Podman's own configuration grants is what its container has.
  expect((await system.recriu("preflight", archive)).stderr).not.toContain("bundle-");

  // No wrapper, but a criu that is recriu. Runtimes are not given the caller's environment.
  const bare = await system.changes();
  await configure(`criu ${criu}`);
  rmSync(join(stage.dir, "bin/criu"));
  expect((await system.recriu("install", "--criu")).exit).toBe(0);
  await ok(...restore, "--keep");
  expect(await verdict(stage, system)).toMatch(/^verified: \d+ values compared/);
  expect(await echo(await socket(), "still there")).toBe("still there");
  await ok("rm", "--force", "--time", "0", "--all");
  expect((await system.recriu("uninstall")).exit).toBe(0);
  symlinkSync(criu, join(stage.dir, "bin/criu"));
  await configure();
  expect(await system.changes()).toBe(bare);

  expect((await system.recriu("install", "--runtime=podman")).exit).toBe(0);

  await configure("fix none");
  const refused = await podman(restore);
  await configure();
  expect(refused.exit).toBe(alone.exit);
  expect(refused.stderr).toContain("the restore is blocked");
  expect(await ok("ps", "--all", "--format", "{{.Names}} {{.Status}}")).toBe(left);
  const id = await ok("ps", "--all", "--no-trunc", "--quiet");
  await ok("rm", "--force", "--time", "0", "--all");
  await expectNothingLeft(stage, system, id);

  // Podman removes CRIU's log after a restore unless it is told to keep it.
  await ok(...restore, "--keep");
  expect(await ok("ps", "--format", "{{.Names}} {{.Status}}")).toMatch(/^x11 Up/);
  expect(await verdict(stage, system)).toMatch(/^verified: \d+ values compared/);
  expect(await echo(await socket(), "still there")).toBe("still there");
  const [pid, file] = (await ok("inspect", "x11", "--format", "{{.State.Pid}} {{.PidFile}}")).split(
    " ",
  );
  expect(readFileSync(file!, "utf8")).toBe(pid!);
  expect(readFileSync(`/proc/${pid}/comm`, "utf8")).toBe("x11-server\n");
  const lines = async () => (await ok("logs", "x11")).split("\n").length;
  const said = await lines();
  await Bun.sleep(500);
  expect(await lines()).toBeGreaterThan(said);
  await ok("kill", "--signal", "KILL", "x11");
  expect(await ok("wait", "x11")).toBe("137");
  const container = await ok("inspect", "x11", "--format", "{{.Id}}");
  await ok("rm", "x11");
  expect(await ok("ps", "--all", "--quiet")).toBe("");
  await expectNothingLeft(stage, system, container);

  expect((await system.recriu("uninstall")).exit).toBe(0);
  expect(await system.changes()).toBe(bare);
});
