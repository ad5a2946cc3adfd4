/** How a tree's mounts come back, as the verdict tells it. */
import { copyOf } from "../stage/dumped.ts";
import { expect, test } from "bun:test";
import { readdirSync, rmSync } from "node:fs";
import { isBefore42 } from "../criu.ts";
import { edit } from "../edit.ts";
import { report } from "../report.ts";
import { killTree, openStage, recriu, run } from "../stage.ts";
import { dumpContainer } from "../tree-in-container.ts";

test("a root that was only to be read: CRIU gives it back to be written to, or is shown it so, and recriu makes it as it was", async () => {
  await using stage = openStage();
  const { images, options } = await dumpContainer(stage, {
    mounts: [
      ["proc", "none", "/proc"],
      ["tmpfs", "none", "/data"],
      ["tmpfs", "none", "/tmp"],
      ["readonly", "none", "/"],
    ],
  });
  const done = await report(stage, "restore", images, options);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(done.verdict!.differences).toMatchObject([
    { class: "mended", expected: "mount at /: ro relatime", found: "relatime" },
  ]);
  const pid = done.run!.pid!;
  const differences = async (change: (mounts: any[]) => void) => {
    const copy = copyOf(stage, images, "changed");
    edit(
      copy,
      readdirSync(images).find((file) => file.startsWith("mountpoints"))!,
      change,
    );
    const { stdout } = await recriu(stage, ["verify", "-D", copy, "--pid", `${pid}`, "--json"]);
    rmSync(copy, { recursive: true });
    const found = JSON.parse(stdout).verdict.differences as { expected: string }[];
    return found.map(({ expected }) => expected).filter((each) => each.includes("/data"));
  };
  const data = (mounts: any[]) => mounts.find(({ mountpoint }) => mountpoint.endsWith("/data"));
  expect(await differences(() => {})).toEqual([]);
  expect(await differences((all) => (data(all).flags ^= 8))).toEqual([
    "mount at /data: noexec relatime",
  ]);
  expect(await differences((all) => (data(all).shared_id = 7))).toEqual([
    "mount at /data: relatime shared",
  ]);
  expect(await differences((all) => (data(all).mountpoint = "./elsewhere/data"))).toEqual([
    "mount at /elsewhere/data: relatime",
    "mount at /data: none",
  ]);
  await killTree(stage, pid);
});

// From 4.2 on CRIU sets the flags of a root, whatever it was given with.
test.skipIf(!isBefore42)(
  "a root that is given with restrictions of its own keeps them, and has those that were saved",
  async () => {
    await using stage = openStage();
    const { images, options, root } = await dumpContainer(stage, {
      mounts: [
        ["proc", "none", "/proc"],
        ["tmpfs", "none", "/tmp"],
        ["readonly", "none", "/"],
      ],
    });
    const mount = (...words: string[]) => run(stage, ["mount", ...words, root]);
    await mount("--bind", root);
    expect((await mount("-o", "remount,bind,nosuid")).stderr).toBe("");
    try {
      const done = await report(stage, "restore", images, options);
      expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
      expect(done.verdict!.differences).toMatchObject([
        { class: "mended", expected: "mount at /: ro nosuid relatime", found: "nosuid relatime" },
        {
          class: "tolerated",
          expected: "mount at /: ro relatime",
          found: "ro nosuid relatime",
        },
      ]);
      await killTree(stage, done.run!.pid!);
    } finally {
      await run(stage, ["umount", root]);
    }
  },
);
