/** In a fresh pid namespace the tree needs the very numbers that come next: nothing of recriu may hold one. */
import { expect, test } from "bun:test";
import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { compile } from "../restore/stage/compile.ts";
import { criu, openStage, type Run, run, type Stage, waitFor } from "../restore/stage.ts";
import { link, watched } from "./as-criu.ts";

/** Run the words as the first process of a new pid namespace. */
async function fresh(stage: Stage, words: string[], env: Record<string, string>): Promise<Run> {
  const argv = ["unshare", "--pid", "--fork", "--mount-proc", ...words];
  const done = await run(stage, argv, { env: { RECRIU_CRIU: criu, ...env } });
  await waitFor("the watcher to end", () => !watched(stage));
  return done;
}

/** A server with a thread and a client, three numbers from `first` on; the directory of its socket is gone. */
async function dumpAt(stage: Stage, first: number): Promise<string> {
  const images = join(stage.dir, "images");
  const sockets = join(stage.dir, "sockets");
  mkdirSync(images);
  const server = `setsid ${compile("x11-server")} ${stage.dir}/ready ${sockets} ${stage.dir}/progress`;
  const script = [
    `echo ${first - 1} >/proc/sys/kernel/ns_last_pid`,
    `{ ${server} </dev/null >/dev/null 2>&1 & }`,
    `until [ -e ${stage.dir}/ready ]; do :; done`,
    `${criu} dump -t ${first} -D ${images} -o dump.log`,
  ].join("; ");
  expect((await fresh(stage, ["sh", "-c", script], {})).exit).toBe(0);
  rmSync(sockets, { recursive: true });
  return images;
}

const count = "cat /proc/[0-9]*/comm 2>/dev/null | grep -c x11";

// criu is 2 there; what recriu starts meanwhile would be 3 and so on.
for (const first of [3, 4, 7, 12, 40])
  test(`a tree from ${first} on`, async () => {
    await using stage = openStage();
    const images = await dumpAt(stage, first);
    const restore = `${link(stage)} restore -d -D ${images} -o r.log; code=$?; ${count}; exit $code`;
    const words = ["sh", "-c", restore];
    if (first === 3) {
      const stuck = await fresh(stage, words, { RECRIU_RENUMBERED: "1" });
      expect(stuck).toMatchObject({ exit: 1, stdout: "0\n" });
      expect(stuck.stderr).toContain("5 cannot be made: the number is taken by a thread of");
    }
    expect(await fresh(stage, words, {})).toEqual({ exit: 0, stdout: "2\n", stderr: "" });
  });

test("criu is the first process, and everybody's parent", async () => {
  await using stage = openStage();
  const images = await dumpAt(stage, 2);
  const words = ["restore", "-D", images, "-o", "r.log", "--exec-cmd", "--", "sh", "-c"];
  const restored = await fresh(stage, [link(stage), ...words, `${count}; exit 9`], {});
  expect(restored).toEqual({ exit: 9, stdout: "2\n", stderr: "" });
});
