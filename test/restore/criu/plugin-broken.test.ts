import { startDumped } from "../stage/dumped.ts";
import { report } from "../report.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { killTree, openStage } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("plugin-broken: any file that ends in .so", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  const plugins = join(stage.dir, "plugins");
  const options = ["--libdir", plugins];
  // The directory itself.
  await stageCheck({ id: "plugin-broken", stage, images, options });
  const none = await report(stage, "preflight", images, options);
  expect((await typed(stage, none, "plugin-broken")).exit).toBe(0);
  const broken = join(plugins, "broken.so");
  const kinds: (() => void)[] = [
    () => symlinkSync("/nowhere", broken),
    () => writeFileSync(broken, ""),
    () => writeFileSync(broken, "#!/bin/sh\n".repeat(100)),
    () => mkdirSync(broken),
  ];
  for (const make of kinds) {
    make();
    const named = await stageCheck({ id: "plugin-broken", stage, images, options });
    expect(named.subject).toBe(broken);
    rmSync(broken, { recursive: true });
  }
  writeFileSync(broken, "");
  const told = await report(stage, "preflight", images, ["-d", ...options]);
  expect((await typed(stage, told, "plugin-broken")).exit).toBe(0);
  // It may be the directory of the command, or the file that was moved: what restored nothing yet does now.
  if (existsSync(`/proc/${pid}`)) await killTree(stage, pid);
  rmSync("/run/no-criu-plugins", { recursive: true, force: true });
  rmSync(broken, { force: true });
  await restores(stage, images, { options });
});
