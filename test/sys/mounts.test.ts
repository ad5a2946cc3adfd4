/** A mount of another mount namespace, and the way back from there. */
import { expect, test } from "bun:test";
import {
  mkdtempSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmdirSync,
  statSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { remountIn } from "../../src/sys/mounts.ts";

test("it is read-only there, the thread is where it was", async () => {
  const dir = realpathSync(mkdtempSync(join(tmpdir(), "recriu-mounts-")));
  const code = 'mount -t tmpfs none "$1"; echo; exec cat';
  const words = ["unshare", "--mount", "sh", "-c", code, "sh", dir];
  const child = Bun.spawn(words, { stdin: "pipe", stdout: "pipe" });
  await child.stdout.getReader().read();
  const flags = () => {
    const mounts = readFileSync(`/proc/${child.pid}/mountinfo`, "utf8");
    return mounts.split(` ${dir} `)[1]!.split(" ")[0];
  };
  const here = () => [
    readlinkSync("/proc/thread-self/ns/mnt"),
    readlinkSync("/proc/thread-self/cwd"),
    statSync("/").ino,
    statSync(".").ino,
  ];
  const before = here();
  expect(flags()).toBe("rw,relatime");
  expect(remountIn(child.pid, dir, 1)).toBe(0);
  expect(flags()).toBe("ro,relatime");
  expect(remountIn(child.pid, dir, 0)).toBe(0);
  expect(flags()).toBe("rw,relatime");
  // Where nothing is mounted.
  expect(remountIn(child.pid, "/proc/self", 1)).toBe(-22); // EINVAL
  expect(here()).toEqual(before);
  child.kill("SIGKILL");
  await child.exited;
  rmdirSync(dir);
  expect(remountIn(child.pid, dir, 1)).toBeLessThan(0);
});
