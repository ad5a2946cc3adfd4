/** Paths in a refusal: as the container has them, and the host's where it lasts. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { watched } from "../dropin/as-criu.ts";
import {
  answers,
  checkpoint,
  type Container,
  end,
  enterMounts,
  makeContainer,
  restoreWords,
} from "./oci.ts";
import { openStage, waitFor } from "./stage.ts";

/** A refusal both ways: what stderr or CRIU's log has of it. */
async function refusals(container: Container): Promise<string[]> {
  const { stage } = container;
  const said: string[] = [];
  for (const way of ["guarded", "withCriu"] as const) {
    rmSync(container.log, { force: true });
    const id = `${container.name}-${way}`;
    expect((await container[way](...restoreWords(container, id))).exit).toBe(1);
    await end(container, id);
    said.push(readFileSync(way === "guarded" ? join(stage.dir, "stderr") : container.log, "utf8"));
  }
  return said;
}

const inContainer = "cannot be bound: /tmp/.X11-unix: Not a directory (in the container";

test("runc: a root that lasts is named, and what is typed is about it", async () => {
  await using stage = openStage();
  const container = makeContainer(stage, "runc");
  await checkpoint(container);
  rmSync(container.sockets, { recursive: true });
  writeFileSync(container.sockets, "a file where a directory was");
  for (const said of await refusals(container)) {
    expect(said).toContain(`${inContainer}, whose root is ${container.rootfs})`);
    expect(said).toContain(`mv ${container.sockets} `);
    expect(said).not.toContain("criu-root");
  }
});

test("runc: a root that is mounted for the container is named nowhere, nor anything in it", async () => {
  await using stage = openStage();
  const container = makeContainer(stage, "runc");
  const { rootfs } = container;
  const [lower, over] = [join(stage.dir, "lower"), join(stage.dir, "over")];
  renameSync(rootfs, lower);
  for (const dir of [rootfs, over]) mkdirSync(dir);
  const options = `lowerdir=${lower},upperdir=${over}/upper,workdir=${over}/work`;
  const make = `mount -t tmpfs none ${over}; mkdir ${over}/upper ${over}/work`;
  await enterMounts(container, `${make}; mount -t overlay overlay -o ${options} ${rootfs}`);
  const [, namespace] = container.enter[1]!.split("=");
  // The same root, by a path that leads there from here.
  const seen = { ...container, rootfs: `${namespace!.replace("/ns/mnt", "/root")}${rootfs}` };
  seen.sockets = join(seen.rootfs, "tmp/.X11-unix");
  await checkpoint(seen);
  rmSync(seen.sockets, { recursive: true });
  writeFileSync(seen.sockets, "a file where a directory was");
  for (const said of await refusals(container)) {
    expect(said).toContain(`${inContainer})`);
    expect(said).toContain("in its root while that is mounted");
    expect(said).not.toContain(rootfs);
    expect(said).not.toContain("criu-root");
  }
  rmSync(seen.sockets);
  const id = `${container.name}-on`;
  expect((await container.guarded(...restoreWords(container, id))).exit).toBe(0);
  expect(existsSync(seen.sockets)).toBe(true);
  expect(await answers(seen, "still there")).toBe("still there");
  await waitFor("the watcher to end", () => !watched(stage));
  expect(readFileSync(container.log, "utf8")).toMatch(/^verified: /m);
  await end(container, id);
});
