/** A file of a file system is found by the mounts of this machine, wherever its root is mounted. */
import { expect, test } from "bun:test";
import { readFileSync, statSync } from "node:fs";
import { mountHolding, placeOf, showsAlso } from "../../src/host/mount-places.ts";

const mountinfo = (...mounts: [device: string, root: string, point: string][]) =>
  mounts
    .map(([device, root, point], at) => `${at + 20} 1 ${device} ${root} ${point} rw - x none rw`)
    .join("\n");
const DISK = (8 << 20) | 1;
const TMPFS = 40;

test("below the mount that shows it, by the one that shows most", () => {
  const plain = mountinfo(["8:1", "/", "/"], ["8:1", "/srv", "/mnt"], ["0:40", "/", "/tmp"]);
  expect(placeOf(plain, DISK, "/srv/data")).toBe("/srv/data");
  expect(placeOf(plain, DISK, "/")).toBe("/");
  expect(placeOf(plain, TMPFS, "/data")).toBe("/tmp/data");
  expect(placeOf(plain, TMPFS, "/")).toBe("/tmp");
  expect(placeOf(plain, 41, "/data")).toBeUndefined();
});

test("where the root of the machine is a directory of its file system", () => {
  const bound = mountinfo(["8:1", "/machines/one", "/"], ["8:1", "/home/a\\040b", "/home"]);
  expect(placeOf(bound, DISK, "/machines/one/srv/data")).toBe("/srv/data");
  expect(placeOf(bound, DISK, "/machines/one")).toBe("/");
  expect(placeOf(bound, DISK, "/home/a b/c")).toBe("/home/c");
  expect(placeOf(bound, DISK, "/machines/oneself")).toBeUndefined();
});

test("what another mount covers is not there", () => {
  const covered = mountinfo(["8:1", "/", "/"], ["0:40", "/", "/srv"], ["8:1", "/srv", "/mnt"]);
  expect(placeOf(covered, DISK, "/srv/data")).toBe("/mnt/data");
  const twice = mountinfo(["8:1", "/", "/"], ["8:1", "/x", "/srv"], ["0:40", "/", "/srv"]);
  expect(placeOf(twice, DISK, "/x/data")).toBe("/x/data");
  expect(placeOf(twice, DISK, "/srv/data")).toBeUndefined();
  expect(placeOf(twice, TMPFS, "/data")).toBe("/srv/data");
});

test("on this machine: its own root", () => {
  const text = readFileSync("/proc/self/mountinfo", "utf8");
  const root = text.split("\n").findLast((line) => line.split(" ")[4] === "/")!;
  const [, , number, inside] = root.split(" ");
  const [major, minor] = number!.split(":").map(Number);
  const found = placeOf(text, (major! << 20) | minor!, `${inside === "/" ? "" : inside}/etc`);
  expect(statSync(found!).ino).toBe(statSync("/etc").ino);
});

test("the mount that a path is on, what of its file system that is, and whether it shares", () => {
  const text = [
    "20 1 8:1 / / rw shared:1 - ext4 none rw",
    "21 20 0:40 / /srv rw - tmpfs none rw",
    "22 20 8:1 /data /mnt rw master:1 propagate_from:2 - ext4 none rw",
    "23 20 0:41 / /srv rw unbindable - tmpfs none rw",
  ].join("\n");
  const at = (path: string) => mountHolding(text, path)!;
  expect([at("/srvice").mount.point, at("/srvice").inside]).toEqual(["/", "/srvice"]);
  expect([at("/srv/x").mount.number, at("/srv/x").inside]).toEqual(["0:41", "/x"]);
  expect(at("/mnt/a").inside).toBe("/data/a");
  expect(["/", "/srv", "/mnt"].map((path) => at(path).mount.shares)).toEqual([true, false, true]);
  const shown = at("/mnt").mount;
  expect(showsAlso(shown, "8:1", at("/data/b").inside)).toBe(true);
  expect(showsAlso(shown, "8:1", at("/database").inside)).toBe(false);
  expect(showsAlso(shown, "0:41", "/data")).toBe(false);
});
