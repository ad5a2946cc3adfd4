/** A container with a user namespace of its own: what recriu makes for it is its users', who have other numbers here. */
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { answers, checkpoint, end, makeContainer, restoreWords } from "./oci.ts";
import { openStage, run, waitFor } from "./stage.ts";

const FIRST = 100_000;

// crun binds the machine's devices into such a container, and CRIU refuses to dump that.
test("runc: the directory of a socket is made for the mapped root, where that of this machine's root is closed to it", async () => {
  await using stage = openStage();
  const container = makeContainer(stage, "runc");
  const sockets = join(container.rootfs, "tmp/app");
  const file = join(container.bundle, "config.json");
  const config = JSON.parse(readFileSync(file, "utf8"));
  config.process.args = ["/x11-server", "/tmp/ready", "/tmp/app", "/tmp/progress", "mild"];
  config.linux.namespaces.push({ type: "user" });
  config.linux.uidMappings = [{ containerID: 0, hostID: FIRST, size: 65536 }];
  config.linux.gidMappings = config.linux.uidMappings;
  delete config.linux.resources;
  writeFileSync(file, JSON.stringify(config));
  await run(stage, ["chown", "-R", `${FIRST}:${FIRST}`, container.rootfs]);
  await run(stage, ["chmod", "755", stage.dir, container.bundle]);
  await checkpoint({ ...container, sockets });
  const restored = async (way: "alone" | "guarded" | "withCriu", stands: () => Promise<void>) => {
    const id = `${container.name}-${way}`;
    const { exit } = await container[way](...restoreWords(container, id));
    const stderr = readFileSync(join(stage.dir, "stderr"), "utf8");
    if (way === "alone") expect(exit).toBe(1);
    else expect([exit, stderr]).toEqual([0, ""]);
    await stands();
    await end(container, id);
    rmSync(sockets, { recursive: true });
  };

  rmSync(sockets, { recursive: true });
  mkdirSync(sockets);
  await restored("alone", async () =>
    expect(readFileSync(container.log, "utf8")).toMatch(
      /Can't bind .*\/tmp\/app\/X7: Permission denied/,
    ),
  );
  for (const way of ["guarded", "withCriu"] as const)
    await restored(way, async () => {
      expect(await answers({ ...container, sockets }, "still there")).toBe("still there");
      const { uid, gid } = statSync(sockets);
      expect([uid, gid]).toEqual([FIRST, FIRST]);
      await waitFor("the verdict in CRIU's log", () =>
        readFileSync(container.log, "utf8").includes("verified: "),
      );
    });
});
