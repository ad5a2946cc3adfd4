/** A tree that is linked with musl: its loader, libraries and vDSO are mapped otherwise than glibc's. */
import { repository } from "../built.ts";
import { blockers, report } from "../restore/report.ts";
import { killTree, openStage, recriu, restoreBare, waitFor } from "../restore/stage.ts";
import { ask, dumpX11, echoes } from "../restore/x11.ts";
import { expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

/** Of scripts/systems/project. */
const program = join(repository, ".cache/workloads/musl/x11-server");

test("the incident's tree, linked with musl", async () => {
  await using stage = openStage();
  const x11 = await dumpX11(stage, [], program);
  const { pid, images, sockets } = x11;
  rmSync(sockets, { recursive: true });
  const bare = await restoreBare(stage, images);
  expect([bare.exit, bare.errors.join("\n")]).toEqual([
    1,
    expect.stringContaining("Can't bind id"),
  ]);
  expect(blockers(await report(stage, "preflight", images))).toEqual(["unix-socket-dir"]);
  const before = echoes(x11);
  const done = await report(stage, "restore", images);
  expect(done).toMatchObject({ exit: 0, run: { pid }, verdict: { result: "match" } });
  expect(readFileSync(`/proc/${pid}/maps`, "utf8")).toMatch(/ld-musl-|x86_64-linux-musl/);
  await waitFor("the client to go on", () => echoes(x11) > before + 1);
  expect(await ask(x11, "hello")).toBe("hello");
  expect((await recriu(stage, ["verify", "-D", images])).exit).toBe(0);
  await killTree(stage, pid);
});
