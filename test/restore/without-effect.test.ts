/** Options that are to confine a tree, which bare CRIU passes over with exit 0 and without a word. */
import { expect, test } from "bun:test";
import { mkdirSync, readlinkSync } from "node:fs";
import { join } from "node:path";
import { restored } from "./stage-check.ts";
import { blockers, finding, report } from "./report.ts";
import {
  criu,
  dump,
  killTree,
  openStage,
  recriu,
  recriuBinary,
  restoreBare,
  run,
  start,
} from "./stage.ts";
import { dumpContainer } from "./tree-in-container.ts";

test("root-ignored: the tree would be in this machine's root, and bare CRIU puts it there", async () => {
  await using stage = openStage();
  const root = join(stage.dir, "root");
  mkdirSync(root);
  const { pid } = await start(stage, "kernel", ["owner"]);
  const images = await dump(stage, pid);
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

test("option-ignored: the network, the cgroups and the mounts that stay as they are", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "kernel", ["owner"]);
  const images = await dump(stage, pid);
  const options = ["--empty-ns", "net", "--cgroup-root", "/elsewhere", "--manage-cgroups=ignore"];
  const named = await report(stage, "preflight", images, options);
  expect(named.exit).toBe(0);
  expect(named.findings.map(({ id, severity, subject }) => [id, severity, subject])).toEqual([
    ["option-ignored", "warning", "--empty-ns net"],
    ["option-ignored", "warning", "--cgroup-root"],
  ]);
  const bare = await restoreBare(stage, images, options);
  expect([bare.exit, bare.errors.slice(1)]).toEqual([0, []]);
  const net = readlinkSync("/proc/self/ns/net");
  expect(readlinkSync(`/proc/${pid}/ns/net`)).toBe(net);
  expect((await run(stage, ["cat", `/proc/${pid}/cgroup`])).stdout).not.toContain("elsewhere");
  await killTree(stage, pid);

  // The remedy: an empty network around the restore.
  const recriuInside = `ip link set lo up && exec ${recriuBinary} restore -d -D ${images}`;
  const inside = ["unshare", "--net", "sh", "-c", recriuInside];
  expect((await run(stage, inside, { env: { RECRIU_CRIU: criu } })).exit).toBe(0);
  expect(readlinkSync(`/proc/${pid}/ns/net`)).not.toBe(net);
});

test("option-ignored: --skip-mnt, which a restore does not heed", async () => {
  await using stage = openStage();
  const { images, options } = await dumpContainer(stage, { mounts: [["tmpfs", "none", "/tmp"]] });
  const skip = [...options, "--skip-mnt", "/tmp"];
  expect(finding(await report(stage, "preflight", images, skip), "option-ignored")).toMatchObject({
    severity: "warning",
    subject: "--skip-mnt",
  });
  const done = await report(stage, "restore", images, skip);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  const mounts = await run(stage, ["cat", `/proc/${done.run!.pid}/mountinfo`]);
  expect(mounts.stdout).toMatch(/ \/tmp .* tmpfs /);
});
