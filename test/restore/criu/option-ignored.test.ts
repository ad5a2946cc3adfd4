import { startDumped } from "../stage/dumped.ts";
import { finding, report } from "../report.ts";
import { criu, killTree, openStage, recriuBinary, restoreBare, run } from "../stage.ts";
import { dumpContainer } from "../tree-in-container.ts";
import { expect, test } from "bun:test";
import { readlinkSync } from "node:fs";

test("option-ignored: the network, the cgroups and the mounts that stay as they are", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "kernel", ["owner"]);
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
