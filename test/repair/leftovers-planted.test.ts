/** What a failed CRIU leaves, where a user of the machine has put something in its place: only what is surely CRIU's goes. */
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, linkSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { unmakeDirectory } from "../../src/repair/directory.ts";
import { removeLeftover } from "../../src/repair/leftovers.ts";
import { stepOf } from "../../src/repair/place.ts";
import type { Step } from "../../src/repair/step.ts";
import { ALICE, base, dir, home, link, plant, uproot, victim } from "./planted.ts";

beforeEach(plant);
afterEach(uproot);

const socket = async (path: string) => {
  const server = createServer();
  await new Promise<void>((resolve) => void server.listen(path, resolve));
  return { server, [Symbol.dispose]: () => void server.close() };
};
/** A process that listens at a path until it is killed, at the latest when the test is over. */
const listening = async (path: string, under: string[] = []) => {
  const listen = `require("net").createServer().listen(${JSON.stringify(path)}, () => console.log())`;
  const argv = [...under, process.execPath, "-e", listen];
  const holder = Bun.spawn(argv, { stdout: "pipe", stderr: "ignore" });
  await holder.stdout.getReader().read();
  const end = async () => {
    holder.kill("SIGKILL");
    await holder.exited;
  };
  return { end, [Symbol.asyncDispose]: end };
};

test("a live socket that was planted in the place of the directory stays", async () => {
  dir("run", 0);
  const step = stepOf({ kind: "socket", root: "/", path: join(base, "run/sock") });
  using _ = await socket(join(victim, "sock"));
  rmSync(join(base, "run"), { recursive: true });
  link(victim, "run", 0);
  expect(removeLeftover(step)).toContain("another one by now");
  rmSync(join(base, "run"));
  link(victim, "run", ALICE);
  expect(removeLeftover(step)).toContain("link of uid 1000");
  for (const kind of ["ghost", "mkdir"] as const) {
    const other = { ...step, action: kind, inode: undefined } as never as Step;
    const said = kind === "ghost" ? removeLeftover(other) : unmakeDirectory(other);
    expect(said).toContain("link of uid 1000");
  }
  expect(existsSync(join(victim, "sock"))).toBe(true);
});

test("a socket that somebody has bound by another name stays; one that nobody has goes", async () => {
  dir("run", 0);
  const path = join(base, "run/sock");
  const step = stepOf({ kind: "socket", root: "/", path });
  {
    using _ = await socket(join(base, "run/other"));
    linkSync(join(base, "run/other"), path);
    expect(removeLeftover(step)).toContain("in use by now");
    expect(existsSync(path)).toBe(true);
  }
  rmSync(path);
  const holder = await listening(path);
  await holder.end();
  expect(removeLeftover(step)).toBeUndefined();
  expect(existsSync(path)).toBe(false);
});

test("a socket whose owner is in another network namespace stays", async () => {
  dir("run", 0);
  const path = join(base, "run/sock");
  const step = stepOf({ kind: "socket", root: "/", path });
  await using holder = await listening(path, ["unshare", "-n"]);
  expect(removeLeftover(step)).toContain("in use by now");
  await holder.end();
  expect(existsSync(path)).toBe(true);
  expect(removeLeftover(step)).toBeUndefined();
});

test("below directories that CRIU made itself", () => {
  const step = stepOf({ kind: "ghost", root: "/", path: join(base, "a/b/c") });
  expect(step.below).toBe(3);
  expect(removeLeftover(step)).toBeUndefined();
  dir("a/b", 0);
  writeFileSync(join(base, "a/b/c"), "");
  expect(removeLeftover(step)).toBeUndefined();
  expect(existsSync(join(base, "a/b/c"))).toBe(false);
  rmSync(join(base, "a/b"), { recursive: true });
  writeFileSync(join(victim, "c"), "");
  link(victim, "a/b", 0);
  expect(removeLeftover(step)).toContain("left alone");
  expect(existsSync(join(victim, "c"))).toBe(true);
});

test("a directory for temporary ones that is another by now", () => {
  dir("work", 0);
  const step = stepOf({ kind: "scratch", root: join(base, "work"), path: "/", existing: [] });
  rmSync(join(base, "work"), { recursive: true });
  dir("victim/cr-tmpfs.abcdef", 0);
  link(victim, "work", ALICE);
  expect(removeLeftover(step)).toContain("link of uid 1000");
  rmSync(join(base, "work"));
  link(victim, "work", 0);
  expect(removeLeftover(step)).toContain("another directory");
  // One that is uncertain from the first is only named.
  rmSync(join(base, "work"));
  link(victim, "work", ALICE);
  const unsure = stepOf({ kind: "scratch", root: join(base, "work"), path: "/", existing: [] });
  expect(removeLeftover(unsure)).toContain("cr-tmpfs.abcdef: others may have led here; left alone");
  expect(readdirSync(victim)).toEqual(["cr-tmpfs.abcdef"]);
  expect(removeLeftover({ ...unsure, existing: ["cr-tmpfs.abcdef"] })).toBeUndefined();
});

test("what no directory was written down for stays", () => {
  link(victim, "alice/run", ALICE);
  writeFileSync(join(victim, "ghost"), "");
  const step = stepOf({ kind: "ghost", root: "/", path: join(home, "run/ghost") });
  expect(step.parent).toBeUndefined();
  expect(removeLeftover(step)).toContain("left alone");
  rmSync(join(victim, "ghost"));
  expect(removeLeftover(step)).toBeUndefined();
});
