/** A container in the pid namespace of another, as in a pod: its numbers may be others' there. */
import { expect, test } from "bun:test";
import { existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { watched } from "../dropin/as-criu.ts";
import { innermostPid } from "../../src/host/processes.ts";
import { answers, checkpoint, configure, end, makeContainer, restoreWords } from "./oci.ts";
import { openStage, run, start, waitFor } from "./stage.ts";
import { compile } from "./stage/compile.ts";

test("runc: a number of a container that shares a pod's pid namespace is taken there", async () => {
  await using stage = openStage();
  const container = makeContainer(stage, "runc");
  // It has two tasks: an init, and a member, in whose place the container comes to be.
  const pod = await start(stage, "pidns-member", []);
  const init = Number(
    (await run(stage, ["pgrep", "-P", `${pod.pid}`, "pidns-init"])).stdout.trim(),
  );
  const path = `/proc/${init}/ns/pid`;
  configure(container, ({ linux }) => {
    linux.namespaces = linux.namespaces.filter(({ type }: { type: string }) => type !== "pid");
    linux.namespaces.push({ type: "pid", path });
  });
  await checkpoint(container);
  const restored = async (way: "alone" | "guarded" | "withCriu", as: string) => {
    rmSync(container.log, { force: true });
    const id = `${container.name}-${way}-${as}`;
    const { exit } = await container[way](...restoreWords(container, id));
    if (exit === 0) expect(await answers(container, "still there")).toBe("still there");
    const pid = exit === 0 ? Number(readFileSync(join(stage.dir, `${id}.pid`), "utf8")) : 0;
    const number = innermostPid(pid);
    await waitFor("the watcher to end", () => !watched(stage));
    await end(container, id);
    const log = existsSync(container.log) ? readFileSync(container.log, "utf8") : "";
    return { exit, number, said: readFileSync(join(stage.dir, "stderr"), "utf8") + log };
  };
  const alone = await restored("alone", "free");
  expect(alone.exit).toBe(0);
  for (const way of ["guarded", "withCriu"] as const) {
    const { exit, said } = await restored(way, "free");
    expect([way, exit, /^verified: /m.test(said)]).toEqual([way, 0, true]);
  }

  const ready = join(stage.dir, "taken");
  const words = ["nsenter", `--pid=${path}`, compile("at-pid"), ready, `${alone.number}`];
  void run(stage, words, { timeout: 60_000 });
  await waitFor("the number to be taken", () => existsSync(ready));
  const failed = await restored("alone", "taken");
  expect(failed.exit).toBe(1);
  expect(failed.said).toContain(`Can't fork for ${alone.number}: File exists`);
  for (const way of ["guarded", "withCriu"] as const) {
    const { exit, said } = await restored(way, "taken");
    expect([way, exit]).toEqual([way, 1]);
    expect(said).toContain("blocker[pid-in-use]");
    expect(said).toContain("(at-pid), in the pid namespace that the tree is put into");
  }
});
