/** `recriu verify` of a tree that runs: what changed since is told from what never was. */
import { copyOf, startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { report } from "./report.ts";
import { descendants, killTree, openStage, recriu, waitFor } from "./stage.ts";

test("what a program that runs does is what changed since; what it cannot do was never so", async () => {
  await using stage = openStage();
  const dir = join(stage.dir, "objects");
  mkdirSync(dir);
  const { pid, images } = await startDumped(stage, "open", [dir]);
  const verified = async (from: string, root = pid) => {
    const words = ["verify", "-D", from, "--pid", `${root}`, "--json"];
    const { exit, stdout } = await recriu(stage, words);
    return { exit, ...JSON.parse(stdout) };
  };
  const restored = await report(stage, "restore", images);
  expect([restored.exit, restored.failure]).toEqual([0, null]);
  process.kill(pid, "SIGUSR1");
  await waitFor("the program to do what programs do", () => existsSync(join(dir, "done")));
  const { exit, verdict } = await verified(images);
  const said = verdict.differences.map((each: any) => `${each.class} ${each.facet}`);
  expect([exit, verdict.result]).toEqual([0, "match"]);
  const does = ["tasks", "threads", "descriptors", "command", "cwd", "mappings"];
  expect(does.filter((facet) => !said.includes(`changed ${facet}`))).toEqual([]);
  expect(said.filter((each: string) => !each.startsWith("changed "))).toEqual([]);
  expect(verdict.not_compared).toBeGreaterThan(0);
  const text = await recriu(stage, ["verify", "-D", images, "--pid", `${pid}`]);
  expect(text.stderr).toMatch(
    /verified: .* not compared \(.*\), \d+ changed since by the running tree/,
  );

  // Its children die, their zombies stay.
  for (const child of descendants(pid)) process.kill(child.pid, "SIGKILL");
  expect((await verified(images)).exit).toBe(0);

  const never: [string, (values: any[]) => void][] = [
    [`core-${pid}.img`, ([core]) => (core.tc.task_state = 2)],
    // Another program that got the number.
    [`mm-${pid}.img`, ([mm]) => (mm.mm_start_stack += 4096n)],
    [`core-${pid}.img`, ([core]) => (core.thread_core.creds.cap_prm = [0, 0])],
    [`core-${pid}.img`, ([core]) => (core.tc.rlimits.rlimits[7].max = 77n)],
    [`core-${pid}.img`, ([core]) => (core.thread_core.creds.no_new_privs = 1)],
  ];
  for (const [file, change] of never) {
    const edited = copyOf(stage, images, "edited");
    edit(edited, file, change);
    expect([file, (await verified(edited)).exit]).toEqual([file, 5]);
    rmSync(edited, { recursive: true });
  }
  await killTree(stage, pid);

  // A tree that is gone has not changed, nor has another process.
  expect((await verified(images)).exit).toBe(5);
  expect((await verified(images, process.pid)).exit).toBe(5);
});
