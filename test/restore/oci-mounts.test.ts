/** Mounts that a runtime binds from outside: each is found again where the runtime has it. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { watched } from "../dropin/as-criu.ts";
import {
  checkpoint,
  configure,
  type Container,
  end,
  enterMounts,
  makeContainer,
  restoreWords,
} from "./oci.ts";
import { openStage, run, type Stage, waitFor } from "./stage.ts";

/** How a restore ends, and what is said of it: the container is gone then. */
async function restored(container: Container, way: "alone" | "guarded" | "withCriu") {
  rmSync(container.log, { force: true });
  const { stage, name } = container;
  const { exit } = await container[way](...restoreWords(container, `${name}-${way}`));
  await waitFor("the watcher to end", () => !watched(stage));
  await end(container, `${name}-${way}`);
  const log = existsSync(container.log) ? readFileSync(container.log, "utf8") : "";
  return { exit, said: readFileSync(join(stage.dir, "stderr"), "utf8"), log };
}

async function guardedBothWays(container: Container) {
  for (const way of ["guarded", "withCriu"] as const) {
    const { exit, said, log } = await restored(container, way);
    expect([way, exit, said]).toEqual([way, 0, ""]);
    expect(log).toMatch(/^verified: \d+ values compared/m);
    expect(log).not.toMatch(/^(?:fatal|not verified)/m);
  }
}

test("runc: the place of a mount is a link in the image", async () => {
  await using stage = openStage();
  const container = makeContainer(stage, "runc");
  const [source, there] = ["data", "bundle/rootfs/run"].map((name) => join(stage.dir, name));
  for (const dir of [source!, there!, join(container.rootfs, "var")]) mkdirSync(dir);
  symlinkSync("/run", join(container.rootfs, "var/run"));
  configure(container, ({ mounts }) => {
    const destination = "/var/run/data/";
    mounts.push({ destination, type: "bind", source, options: ["rbind", "rw"] });
  });
  await checkpoint(container);
  expect((await restored(container, "alone")).exit).toBe(0);
  await guardedBothWays(container);
});

/** A mount that shares, in a mount namespace that the container's runtime is called in. */
async function sharedOn(stage: Stage, container: Container) {
  const at = join(stage.dir, "shared");
  mkdirSync(at);
  const make = `mount -t tmpfs none ${at}; mount --make-shared ${at}; mkdir ${at}/a ${at}/b`;
  await enterMounts(container, make);
  configure(container, ({ mounts }) => {
    for (const name of ["a", "b"]) {
      const options = ["rbind", "rw", "rslave"];
      mounts.push({ destination: `/${name}`, type: "bind", source: join(at, name), options });
    }
  });
  return at;
}

for (const [how, changed, found] of [
  ["private", (at: string) => `mount --make-private ${at}`, "is private"],
  [
    "in two",
    (at: string) => `mount -t tmpfs none ${at}/b && mount --make-shared ${at}/b`,
    "is not on the mount",
  ],
] as const) {
  test(`runc: two mounts of one that shared, and is ${how} now`, async () => {
    await using stage = openStage();
    const container = makeContainer(stage, "runc");
    const at = await sharedOn(stage, container);
    await checkpoint(container);
    expect((await restored(container, "alone")).exit).toBe(0);
    await run(stage, [...container.enter, "sh", "-c", changed(at)]);
    const alone = await restored(container, "alone");
    expect(alone.exit).toBe(1);
    expect(alone.log).toMatch(/mnt-v2: Failed to copy sharing from source .*\/shared\/b to \d+/);
    const words = restoreWords(container, `${container.name}-refused`);
    expect((await container.guardedWith({ RECRIU_FIX: "none" }, ...words)).exit).toBe(1);
    const refused = readFileSync(join(stage.dir, "stderr"), "utf8");
    expect(refused).toContain("blocker[mount-group]");
    expect(refused).toContain(found);
    await guardedBothWays(container);
  });
}
