import { changed, dumpInNet } from "../namespaces.ts";
import { report } from "../report.ts";
import { stageCheck } from "../stage-check.ts";
import { criu, killTree, openStage, run } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { basename } from "node:path";

test("external-netns: handed over as a descriptor", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpInNet(stage);
  const external = changed(stage, images, "external", /^netns/, ([netns]) => {
    netns.ext_key = "outside";
  });
  const named = await stageCheck({ id: "external-netns", stage, images: external, among: true });
  expect(named.remedy.command).toContain("--inherit-fd 'fd[9]:outside' 9</run/netns/NAME");
  const given = ["restore", "-d", "-D", external, "-W", stage.dir, "--inherit-fd", "fd[9]:outside"];
  // A namespace of which nothing but this descriptor is left, and CRIU in the one it was started in.
  const back = ["nsenter", `--net=/proc/${process.pid}/ns/net`, criu, ...given];
  const inside = [
    "unshare",
    "--net",
    "sh",
    "-c",
    'exec 9</proc/self/ns/net && exec "$@"',
    "sh",
    ...back,
  ];
  expect((await run(stage, inside)).exit).toBe(0);
  await killTree(stage, pid);
  const name = basename(stage.dir);
  expect((await run(stage, ["ip", "netns", "add", name])).exit).toBe(0);
  try {
    const told = await report(stage, "preflight", external, ["-d"]);
    const done = await typed(stage, told, "external-netns", { fill: { NAME: name } });
    expect(done.exit).toBe(0);
    await killTree(stage, pid);
  } finally {
    await run(stage, ["ip", "netns", "delete", name]);
  }
});
