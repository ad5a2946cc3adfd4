import { blockers, finding, report } from "../report.ts";
import { dump, killTree, openStage, restoreBare, start } from "../stage.ts";
import { typed } from "../typed.ts";
import { indices } from "./ttys.ts";
import { expect, test } from "bun:test";

for (const mode of ["pair", "hung-up"]) {
  test(`the number of a pseudoterminal is taken: ${mode}`, async () => {
    await using stage = openStage();
    const { pid } = await start(stage, "terminal", [mode]);
    const [index] = indices(pid);
    const images = await dump(stage, pid);
    const taker = await start(stage, "terminal", ["pairs", `${index! + 1}`]);
    const preflight = await report(stage, "preflight", images);
    expect(blockers(preflight)).toEqual(["tty-index-busy"]);
    expect(finding(preflight, "tty-index-busy").subject).toBe(`/dev/pts/${index}`);
    const bare = await restoreBare(stage, images);
    expect(bare.exit).toBe(1);
    expect(bare.log).toContain(finding(preflight, "tty-index-busy").criu_message!);
    const who = await typed(stage, preflight, "tty-index-busy");
    expect([who.exit, who.stdout.includes(`${taker.pid}`)]).toEqual([0, true]);
    await killTree(stage, taker.pid);
    expect(await report(stage, "restore", images)).toMatchObject({ exit: 0, findings: [] });
  });
}

test("the number of a pseudoterminal is too far above the lowest free one", async () => {
  await using stage = openStage();
  const below = await start(stage, "terminal", ["pairs", "40"]);
  const { pid } = await start(stage, "terminal", ["pair"]);
  const [index] = indices(pid);
  const images = await dump(stage, pid);
  // With all below it in use it is the next.
  expect(blockers(await report(stage, "preflight", images))).toEqual([]);
  await killTree(stage, below.pid);
  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight)).toEqual(["tty-index-busy"]);
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(`with specified index ${index}`);
  const again = await start(stage, "terminal", ["pairs", `${index! - 31}`]);
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 0, findings: [] });
  await killTree(stage, again.pid);
});
