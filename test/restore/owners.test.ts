/** Whose pipes and sockets are, and who sent what waits in them: CRIU saves that from 4.3 on. */
import { dumpBy, forky, newest } from "./criu.ts";
import { report } from "./report.ts";
import { killTree, openStage, recriu, start } from "./stage.ts";
import { expect, test } from "bun:test";
import { statSync } from "node:fs";

test("pipes and sockets get their owners back from any CRIU, and senders are restored by 4.3, else told", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "owners");
  const images = await dumpBy(stage, newest, pid);
  const words = ["show", "-D", images, "--files", "--sockets"];
  const { stdout: shown } = await recriu(stage, words);
  expect(shown).toMatch(/ 3 {2}pipe \d+, of 1000:1001$/m);
  expect(shown).toMatch(/ 5 {2}udp socket \S+, open, of 1002$/m);
  expect(shown).toContain(`2 from ${pid} as 1003:1004`);
  const owners = () =>
    [3, 4, 5].map((fd) => {
      const { uid, gid } = statSync(`/proc/${pid}/fd/${fd}`);
      return `${uid}:${gid}`;
    });
  const restored = async (by: string, from = images) => {
    const done = await report(stage, "restore", from, ["--criu", by]);
    const differences = done.verdict!.differences.map(({ expected, found, class: of }) => [
      of,
      expected,
      found,
    ]);
    const warned = done.findings.filter(({ id }) => id === "image-newer");
    return { ...done, differences, warned: warned.map(({ message }) => message) };
  };
  const whole = await restored(newest);
  expect(whole).toMatchObject({ exit: 0, differences: [], warned: [] });
  expect(whole.verdict!.not_compared).toBe(0);
  expect(owners()).toEqual(["1000:1001", "1000:1001", "1002:0"]);
  await killTree(stage, pid);

  const older = await restored(forky);
  expect(older.exit).toBe(0);
  expect(older.warned).toEqual([
    expect.stringMatching(/^4 messages .* sends them anew as nobody$/),
  ]);
  expect(older.differences).toEqual([
    ["mended", "owner of the pipe at descriptor 3: 1000:1001", "0:0"],
    ["mended", "owner of the socket at descriptor 5: 1002", "0"],
    [
      "tolerated",
      `senders of descriptor 7: 6 bytes of task ${pid} as 1003:1004`,
      "6 bytes of nobody",
    ],
    [
      "tolerated",
      `senders of descriptor 9: 2 bytes of task ${pid} as 1005:1006, 1 bytes of task ${pid} as 1007:1008`,
      "3 bytes of nobody",
    ],
  ]);
  expect(owners()).toEqual(["1000:1001", "1000:1001", "1002:0"]);
  await killTree(stage, pid);
});
