/** `recriu memory` and `recriu diff`: looking into checkpoints of real trees. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { join } from "node:path";
import { descendants, dump, openStage, recriu, start, waitFor } from "./stage.ts";

test("memory: mappings, where bytes are, and the bytes there", async () => {
  await using stage = openStage();
  const marker = "a-word-that-is-nowhere-else";
  const { images } = await startDumped(stage, "memory", ["plain", marker]);
  const maps = await recriu(stage, ["memory", images]);
  expect([maps.exit, maps.stdout]).toEqual([
    0,
    expect.stringMatching(/saved {2}[0-9a-f-]+ rw-p \[stack]/),
  ]);

  const found = await recriu(stage, ["memory", images, `--search=${marker}`, "--json"]);
  const { count, places, unread } = JSON.parse(found.stdout);
  expect([found.exit, unread, places.length]).toEqual([0, 0, count]);
  const [{ address, mapping }] = places;
  expect(mapping).toContain("[stack]");
  const hex = `0x${Buffer.from(marker).toString("hex")}`;
  expect(
    JSON.parse((await recriu(stage, ["memory", images, `--search=${hex}`, "--json"])).stdout)
      .places,
  ).toEqual(places);
  const dumped = await recriu(stage, ["memory", images, `--dump=${address}:${marker.length}`]);
  expect(dumped.stdout.replace(/^.*?\|(.*)\|$/gm, "$1").replaceAll("\n", "")).toBe(marker);

  const nowhere = await recriu(stage, ["memory", images, "--search=not-a-word-of-it-either"]);
  expect([nowhere.exit, nowhere.stderr]).toEqual([1, expect.stringContaining("found 0 times in ")]);
  expect((await recriu(stage, ["memory", images, "--dump=10:16"])).stdout).toContain(
    "16 bytes are not in the images",
  );
  for (const wrong of [["--pid=1"], ["--dump=x"], ["--dump=0:99999999999"], ["--search="]])
    expect([wrong, (await recriu(stage, ["memory", images, ...wrong])).exit]).toEqual([wrong, 2]);
});

test("diff: what came to a tree between two dumps, and what its restore would need besides", async () => {
  await using stage = openStage();
  const sockets = join(stage.dir, "sockets");
  const { pid } = await start(stage, "x11-server", [sockets, join(stage.dir, "progress")]);
  const first = await dump(stage, pid, ["--leave-running"]);
  const same = await recriu(stage, ["diff", first, first]);
  expect([same.exit, same.stdout]).toEqual([0, expect.stringContaining("no difference")]);
  const [child] = descendants(pid);
  process.kill(child!.pid, "SIGKILL");
  await waitFor("the client to be gone", () =>
    descendants(pid).every(({ state }) => state === "Z"),
  );
  const second = await dump(stage, pid);
  const { exit, stdout } = await recriu(stage, ["diff", first, second]);
  expect(exit).toBe(1);
  expect(stdout).toMatch(/^ {2}- socket {4}unix stream /m);
  const { changed } = JSON.parse((await recriu(stage, ["diff", first, second, "--json"])).stdout);
  expect(changed).toContainEqual(expect.objectContaining({ task: child!.pid, kind: "task" }));
  expect((await recriu(stage, ["diff", first])).exit).toBe(2);
  expect((await recriu(stage, ["diff", first, stage.dir])).exit).not.toBe(0);
});

test("an archive is there until all of it was shown, and is no other checkpoint than its directory", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "memory", ["plain"]);
  const archive = join(stage.dir, "exported.tar");
  Bun.spawnSync(["tar", "-cf", archive, "--transform", "s,^[.]/,checkpoint/,", "-C", images, "."]);
  const shown = await recriu(stage, ["show", archive]);
  expect([shown.exit, shown.stderr]).toEqual([0, ""]);
  expect(shown.stdout).toMatch(new RegExp(`^${pid} +0 +alive .*\\[memory]$`, "m"));
  const page = await recriu(stage, ["show", archive, "--html", "-"]);
  expect([page.exit, page.stdout.includes("was not looked at")]).toEqual([0, false]);
  // Its memory is not unpacked, and with it the words that a task was called with.
  const compared = await recriu(stage, ["diff", images, archive]);
  expect([compared.exit, compared.stdout]).toEqual([0, expect.stringContaining("no difference")]);
  const memory = await recriu(stage, ["memory", archive]);
  expect([memory.exit, memory.stderr]).toEqual([2, expect.stringContaining("is an archive")]);
});
