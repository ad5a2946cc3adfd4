import { startDumped } from "../stage/dumped.ts";
import { blockers, finding, report } from "../report.ts";
import { restored } from "../stage-check.ts";
import { killTree, openStage, recriu, restoreBare } from "../stage.ts";
import { dumpContainer } from "../tree-in-container.ts";
import { expect, test } from "bun:test";
import { mkdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";

test("root-ignored: the tree would be in this machine's root, and bare CRIU puts it there", async () => {
  await using stage = openStage();
  const root = join(stage.dir, "root");
  mkdirSync(root);
  const { pid, images } = await startDumped(stage, "kernel", ["owner"]);
  const options = ["--root", root];
  const bare = await restoreBare(stage, images, options);
  expect([bare.exit, bare.errors.slice(1)]).toEqual([0, []]);
  const live = (what: string) => readlinkSync(`/proc/${pid}/${what}`);
  expect([live("root"), live("ns/mnt")]).toEqual(["/", readlinkSync("/proc/self/ns/mnt")]);
  await killTree(stage, pid);

  const named = await report(stage, "restore", images, options);
  expect(named).toMatchObject({ exit: 3, run: null, verdict: null });
  expect(blockers(named)).toEqual(["root-ignored"]);
  expect(finding(named, "root-ignored")).toMatchObject({ task: pid, subject: root });
  const said = await recriu(stage, ["restore", "-d", "-D", images, ...options]);
  expect(said.stderr).toContain("this machine's own file systems");

  // The remedies: the option left out; a root that is this machine's; the user's word.
  for (const given of [[], ["--root", "/"], ["--root", "//."]]) {
    expect(await restored(stage, images, { options: given })).toBe(pid);
    await killTree(stage, pid);
  }
  const ignored = await report(stage, "restore", images, [...options, "--ignore=root-ignored"]);
  expect(ignored).toMatchObject({ exit: 0, verdict: { result: "match" } });
});

test("root-ignored: nothing of it for a tree with a mount namespace of its own", async () => {
  await using stage = openStage();
  const { images, options } = await dumpContainer(stage);
  expect(await report(stage, "restore", images, options)).toMatchObject({ exit: 0, findings: [] });
});
