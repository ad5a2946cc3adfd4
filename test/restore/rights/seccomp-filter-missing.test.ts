import { copyOf } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { blockers, finding, report } from "../report.ts";
import { dump, killTree, openStage, restoreBare, running, start, waitFor } from "../stage.ts";
import { kill } from "../stage/processes.ts";
import { filtered } from "./labels.ts";
import { expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";

test("seccomp-filter-missing: filters that are not there, damaged, or in a circle", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "seccomp", ["lax"]);
  await filtered(pid);
  const images = await dump(stage, pid);
  /** `words` are CRIU's; null where it says nothing. */
  const check = async (name: string, words: string | null, damage: (copy: string) => void) => {
    const copy = copyOf(stage, images, name);
    damage(copy);
    const preflight = await report(stage, "preflight", copy);
    expect(blockers(preflight)).toEqual(["seccomp-filter-missing"]);
    const bare = await restoreBare(stage, copy, [], { timeout: 3000 });
    expect(bare.exit).not.toBe(0);
    expect(finding(preflight, "seccomp-filter-missing").criu_message).toBe(words);
    expect(bare.log).toContain(words ?? "");
    // CRIU 4.3 leaves a process of its own behind, in the session of the task that crashed.
    for (const left of running(stage, "criu")) kill(left);
    await waitFor("CRIU to be gone", () => running(stage, "criu").length === 0);
    return bare;
  };
  const gone = await check("gone", null, (copy) => rmSync(join(copy, "seccomp.img")));
  expect(gone.log).toContain("killed by signal 11");
  await check("index", `Corrupted filter index on tid ${pid}`, (copy) =>
    edit(copy, `core-${pid}.img`, ([core]) => (core.thread_core.seccomp_filter = 7)),
  );
  await check("length", `Corrupted filter len on tid ${pid}`, (copy) =>
    edit(copy, "seccomp.img", ([entry]) => {
      const [filter] = entry.seccomp_filters;
      filter.filter = filter.filter.subarray(0, filter.filter.length - 1);
    }),
  );
  const circle = await check("circle", null, (copy) =>
    edit(copy, "seccomp.img", ([entry]) => (entry.seccomp_filters[0].prev = 0)),
  );
  expect(circle.exit).toBeNull(); // killed after its time
  await killTree(stage, pid);
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 0, findings: [] });
});
