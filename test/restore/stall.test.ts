/** When a restore gets nowhere: what counts as progress, and what does not. A process of the test's own stands for CRIU. */
import { expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { standstillOf } from "../../src/restore/standstill.ts";
import { watchForStall } from "../../src/restore/stall.ts";
import { gone, killTree } from "../../src/restore/tree.ts";

/** How often a stall of 0.6 s is told within two seconds, of a program that does this; and what it was at. */
async function stalls(code: string, seconds = 0.6): Promise<number> {
  const child = Bun.spawn([process.execPath, "-e", `${code}; console.log("ready");`], {
    stdout: "pipe",
    stdin: "ignore",
  });
  await child.stdout.getReader().read();
  let told = 0;
  const stop = watchForStall(child.pid, seconds, () => (told += 1));
  await Bun.sleep(2000);
  stop();
  const before = told;
  await Bun.sleep(700);
  expect(told).toBe(before);
  await gone(killTree(child.pid));
  return told;
}

const each = (what: string) => `const fs = require("fs"); setInterval(() => { ${what} }, 20)`;

test("what waits is told once; 0 is never", async () => {
  expect(await stalls("setInterval(() => {}, 1e9)")).toBe(1);
  expect(await stalls("setInterval(() => {}, 1e9)", 0)).toBe(0);
});

test("bytes that are read are progress; processor time and bytes written are not", async () => {
  expect(await stalls(each(`fs.readFileSync("/etc/hostname")`))).toBe(0);
  expect(
    await stalls(
      each(`fs.writeSync(fd, "x"); `).replace(
        "setInterval",
        `const fd = fs.openSync("/dev/null", "w"); setInterval`,
      ),
    ),
  ).toBe(1);
});

test("a task that is made is progress, and so is what the tasks read", async () => {
  // Tasks begin as CRIU's own program.
  const reads = `setInterval(() => require("fs").readFileSync("/etc/hostname"), 20)`;
  const child = (code: string) =>
    `Bun.spawn([process.execPath, "-e", ${JSON.stringify(code)}], { stdin: "ignore" })`;
  expect(await stalls(child(reads))).toBe(0);
});

test("a script that is run takes the time that it takes", async () => {
  expect(await stalls(`Bun.spawn(["sleep", "60"], { stdin: "ignore" })`)).toBe(0);
});

test("nothing is said any more when the watch is over", async () => {
  const child = Bun.spawn(["sleep", "60"]);
  let told = 0;
  const stop = watchForStall(child.pid, 0.1, () => (told += 1));
  stop();
  await Bun.sleep(400);
  expect(told).toBe(0);
  child.kill("SIGKILL");
});

test("what CRIU and its tasks are at: its own first, others that wait alike counted", async () => {
  const dir = mkdtempSync(join(tmpdir(), "recriu-standstill-"));
  const script = join(dir, "three");
  writeFileSync(script, "#!/bin/sh\nsleep 60 & sleep 60 & sleep 60 & echo; wait\n");
  chmodSync(script, 0o755);
  const criu = Bun.spawn([script], { stdout: "pipe", stdin: "ignore" });
  await criu.stdout.getReader().read();
  await Bun.sleep(100);
  const [own, ...others] = standstillOf(criu.pid);
  expect(own).toMatch(new RegExp(`^criu ${criu.pid}: waits`));
  expect(others).toEqual([expect.stringMatching(/^task \d+ \(sleep\) and 2 more like it: waits/)]);
  process.kill(criu.pid, "SIGSTOP");
  await Bun.sleep(50);
  expect(standstillOf(criu.pid)[0]).toBe(`criu ${criu.pid}: is stopped`);
  await gone(killTree(criu.pid));
  rmSync(dir, { recursive: true });
});
