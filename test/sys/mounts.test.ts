/** A mount of another mount namespace, and the way back from there. */
import { expect, test } from "bun:test";
import { readFileSync, readlinkSync, statSync } from "node:fs";
import { remountIn } from "../../src/sys/mounts.ts";

test("it is read-only there, the thread is where it was", async () => {
  const code = "mount -t tmpfs none /mnt; echo; exec cat";
  const words = ["unshare", "--mount", "sh", "-c", code];
  const child = Bun.spawn(words, { stdin: "pipe", stdout: "pipe" });
  await child.stdout.getReader().read();
  const space = `/proc/${child.pid}/ns/mnt`;
  const flags = () =>
    / \/mnt (\S+) /.exec(readFileSync(`/proc/${child.pid}/mountinfo`, "utf8"))![1];
  const here = () => [
    readlinkSync("/proc/thread-self/ns/mnt"),
    readlinkSync("/proc/thread-self/cwd"),
    statSync("/").ino,
    statSync(".").ino,
  ];
  const before = here();
  expect(flags()).toBe("rw,relatime");
  expect(remountIn(space, "/mnt", 1)).toBe(0);
  expect(flags()).toBe("ro,relatime");
  expect(remountIn(space, "/mnt", 0)).toBe(0);
  expect(flags()).toBe("rw,relatime");
  // Where nothing is mounted.
  expect(remountIn(space, "/proc/self", 1)).toBe(-22); // EINVAL
  expect(here()).toEqual(before);
  child.kill("SIGKILL");
  await child.exited;
  expect(remountIn(space, "/mnt", 1)).toBeLessThan(0);
});
