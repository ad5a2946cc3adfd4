/** Where a path of the checkpoint will be: on this machine, below --root, behind an external mount, or nowhere yet. */
import { expect, test } from "bun:test";
import { livingTasks, namespacesOf } from "../../src/checks/paths.ts";
import { requestFrom } from "../../src/criu/index.ts";
import type { Checkpoint } from "../../src/image/index.ts";
import { quietHost } from "../host/quiet.ts";

const host = quietHost({ root: (path) => ({ ok: true, root: { path } }) as never });
const mount = (mnt_id: number, mountpoint: string, more: object = {}) => ({
  mnt_id,
  mountpoint,
  root: "/",
  root_dev: 1,
  ext_mount: false,
  ...more,
});

/** A root task in mount namespace 2, another in 3 after pivot_root(2); CRIU itself is in 1. */
function placeOf(
  path: string,
  { words = [] as string[], mnt = 2, mntId = undefined as number | undefined } = {},
) {
  const asked = requestFrom(["-D", "/nowhere", ...words], {}, []);
  if (!asked.ok) throw new Error(asked.problem);
  const mounts: Record<number, object[]> = {
    2: [
      mount(20, "/"),
      mount(21, "/ext", { ext_key: "key", root_dev: 7 }),
      mount(22, "/tmp", { root_dev: 5 }),
    ],
    3: [mount(30, "/", { root: "/new" })],
  };
  const tasks = [{ ids: { mnt_ns_id: mnt } }, { ids: { mnt_ns_id: 3 } }];
  const checkpoint = {
    tasks,
    root: tasks[0],
    inventory: { root_ids: { mnt_ns_id: 1 } },
    mounts: (id: number) => mounts[id] ?? [],
  } as unknown as Checkpoint;
  const { place, created } = namespacesOf(checkpoint, host, asked.request);
  const found = place(path, mntId);
  return {
    created,
    said: found.onHost ? `${found.root.path} ${found.path}: ${found.hostPath}` : found.why,
  };
}

const rooted = ["--root=/srv"];

test("this machine's own namespace is not made: a path is where it was", () => {
  const { created, said } = placeOf("/a/b", { mnt: 1 });
  expect(said).toBe("/ /a/b: /a/b");
  expect(created.mnt).toBe(false);
  expect(placeOf("a/b", { mnt: 1 }).said).toBe("not an absolute path");
});

test("below --root, and nowhere without it", () => {
  expect(placeOf("/a/b", { words: rooted }).said).toBe("/srv /a/b: /srv/a/b");
  expect(placeOf("/a/b").said).toBe("its mount namespace needs --root");
  expect(placeOf("/a/b").created.mnt).toBe(true);
});

test("behind an external mount where the caller says where that is", () => {
  expect(placeOf("/ext/b", { words: [...rooted, "--external=mnt[key]:/host"] }).said).toBe(
    "/host /b: /host/b",
  );
  expect(placeOf("/ext/b", { words: rooted }).said).toContain("CRIU makes its mount");
});

test("what CRIU mounts itself is nowhere yet, and so is a root after pivot_root", () => {
  expect(placeOf("/tmp/x", { words: rooted }).said).toContain("CRIU makes its mount (/tmp)");
  expect(placeOf("/x", { words: rooted, mntId: 30 }).said).toContain("CRIU makes its mount (/)");
  expect(placeOf("/x", { words: rooted, mntId: 20 }).said).toBe("/srv /x: /srv/x");
});

test("a zombie has neither memory nor files", () => {
  const tasks = [{ state: "alive" }, { state: "dead" }, { state: "stopped" }];
  const living = livingTasks({ tasks } as unknown as Checkpoint);
  expect(living.map(({ state }) => state)).toEqual(["alive", "stopped"]);
});
