/** Where CRIU opens a mount's source: relative ones, and what the kernel makes anew of an autofs. */
import { expect, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { dumpContainer } from "../tree-in-container.ts";
import { dumpWithMounts } from "./mounts.ts";
import { killTree, openStage, restoreBare, run } from "../stage.ts";
import { restored } from "../stage-check.ts";

test("a root and a mount's source without a slash: CRIU opens them in /, or the old way in the work directory", async () => {
  await using stage = openStage();
  const { images, root, data, map } = await dumpWithMounts(stage);
  const pidfile = join(stage.dir, "pid");
  const relative = [
    ["--root", root.slice(1), ...map(data.slice(1))],
    ["--root", "root", ...map("data"), "--mntns-compat-mode", "-W", stage.dir],
  ];
  for (const all of relative) {
    const bare = await restoreBare(stage, images, [...all, "--pidfile", pidfile]);
    expect(bare.exit).toBe(0);
    await killTree(stage, Number(readFileSync(pidfile, "utf8")));
    rmSync(pidfile);
    await killTree(stage, await restored(stage, images, { options: all }));
  }
});

test("an autofs whose server kept the pipe's writing end: the kernel makes it a packet pipe anew, which no dump saves", async () => {
  await using stage = openStage();
  const { root, images, options } = await dumpContainer(stage, {
    mounts: [
      ["proc", "none", "/proc"],
      ["autofs", "none", "/net"],
    ],
  });
  await run(stage, ["mknod", join(root, "dev/autofs"), "c", "10", "235"]);
  await restored(stage, images, { options });
});
