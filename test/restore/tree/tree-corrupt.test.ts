import { copyOf, startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { blockers, finding, report } from "../report.ts";
import { openStage, restoreBare } from "../stage.ts";
import { expect, test } from "bun:test";

const damages: [string, (entries: any[]) => void][] = [
  ["a parent that is not there", (entries) => (entries[1].ppid = 4000000)],
  ["two roots", (entries) => (entries[1].ppid = 0)],
  ["one thread in two tasks", (entries) => entries[2].threads.push(entries[0].pid)],
];

test("tree-corrupt: entries that CRIU refuses", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage, "job", ["family"]);
  for (const [what, damage] of damages) {
    const spoiled = copyOf(stage, images, what.replaceAll(" ", "-"));
    edit(spoiled, "pstree.img", damage);
    const preflight = await report(stage, "preflight", spoiled);
    expect(blockers(preflight)).toContain("tree-corrupt");
    const bare = await restoreBare(stage, spoiled);
    expect(bare.exit).not.toBe(0);
    expect(bare.log).toContain(finding(preflight, "tree-corrupt").criu_message!);
  }
  expect((await report(stage, "restore", images)).exit).toBe(0);
});

test("tree-corrupt: a session that is led from below, which CRIU waits for", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage, "job", ["family"]);
  edit(images, "pstree.img", (entries) => {
    entries[1].sid = entries[2].pid;
    entries[2].sid = entries[2].pid;
  });
  const preflight = await report(stage, "preflight", images);
  expect(finding(preflight, "tree-corrupt")).toMatchObject({
    severity: "blocker",
    criu_message: null,
  });
  expect((await restoreBare(stage, images, [], { timeout: 3000 })).exit).toBe(null);
});
