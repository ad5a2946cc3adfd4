/** A tree with a mount namespace and a pid namespace of its own: paths are those below --root, pids those of no other process. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, renameSync, rmSync, statSync, symlinkSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { blockers, finding, report } from "./report.ts";
import { openStage, recriu, restoreBare, run } from "./stage.ts";
import { dumpContainer } from "./tree-in-container.ts";

function greeting(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const client = connect(path);
    client.once("data", (data) => {
      client.end();
      resolve(data.toString());
    });
    client.once("error", reject);
  });
}

test("the socket's directory is missed, and made, inside the root only", async () => {
  await using stage = openStage();
  const { root, socket, images, options } = await dumpContainer(stage);
  rmSync(join(root, "run"), { recursive: true });
  const bare = await restoreBare(stage, images, options);
  expect(bare.exit).toBe(1);

  const preflight = await report(stage, "preflight", images, options);
  expect(preflight.exit).toBe(4);
  expect(blockers(preflight)).toEqual(["unix-socket-dir"]);
  const named = finding(preflight, "unix-socket-dir");
  expect(named.subject).toBe(join(root, "run/recriu-test/app"));
  expect(bare.log).toContain(named.criu_message!);

  const restored = await report(stage, "restore", images, options);
  expect(restored).toMatchObject({ exit: 0, verdict: { result: "match", differences: [] } });
  expect(await greeting(join(root, socket))).toBe("here");
  expect(statSync(join(root, "run/recriu-test")).mode & 0o7777).toBe(0o755);
  expect(existsSync("/run/recriu-test")).toBe(false);
  const verified = await recriu(stage, [
    "verify",
    "-D",
    images,
    "--pid",
    String(restored.run!.pid),
  ]);
  expect(verified.exit).toBe(0);
});

test("its pid 1 is not this machine's, and no paths of this machine are missed", async () => {
  await using stage = openStage();
  const { images, options } = await dumpContainer(stage);
  expect(await report(stage, "preflight", images, options)).toMatchObject({
    exit: 0,
    findings: [],
  });
});

test("a link inside the root leads nowhere outside it", async () => {
  await using stage = openStage();
  const { root, images, options } = await dumpContainer(stage);
  const outside = join(stage.dir, "outside");
  mkdirSync(outside);
  renameSync(join(root, "run"), join(root, "run.aside"));
  for (const target of [outside, "../../../../../../../..", "../outside"]) {
    symlinkSync(target, join(root, "run"));
    const restored = await report(stage, "restore", images, options);
    expect(existsSync(join(outside, "recriu-test"))).toBe(false);
    expect(existsSync("/recriu-test")).toBe(false);
    // Where the link has a target inside, the directory is made there; a link to nothing is refused.
    expect([0, 3]).toContain(restored.exit!);
    if (restored.exit === 0) await run(stage, ["kill", "-9", String(restored.run!.pid)]);
    rmSync(join(root, "run"));
    rmSync(join(root, "recriu-test"), { recursive: true, force: true });
  }
});

test("without --root nothing of this machine is taken for the container's", async () => {
  await using stage = openStage();
  const { images, root } = await dumpContainer(stage);
  rmSync(join(root, "run"), { recursive: true });
  const preflight = await report(stage, "preflight", images);
  expect(preflight.plan.repairs).toEqual([]);
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 3, verdict: null });
  expect(existsSync("/run/recriu-test")).toBe(false);
});

test("a mount namespace below the tree's own: what lies on its mounts is CRIU's to make", async () => {
  await using stage = openStage();
  const mounts: [string, string, string][] = [["nested", "none", "/nested"]];
  const { images, options } = await dumpContainer(stage, { mounts });
  // The same path on this machine is an empty directory.
  expect(await report(stage, "preflight", images, options)).toMatchObject({
    exit: 0,
    findings: [],
  });
  const restored = await report(stage, "restore", images, options);
  expect(restored).toMatchObject({ exit: 0, verdict: { result: "match", differences: [] } });
});
