import { report } from "../report.ts";
import { stageCheck } from "../stage-check.ts";
import { openStage } from "../stage.ts";
import { typed } from "../typed.ts";
import { dumpWithMounts } from "./mounts.ts";
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";

test("external-mount-unmapped: the option is named with the key and the old path", async () => {
  await using stage = openStage();
  const { root, images, options, data, file } = await dumpWithMounts(stage);
  await stageCheck({ id: "external-mount-unmapped", stage, images, options, among: true });
  const preflight = await report(stage, "preflight", images, options);
  const wanted = preflight.findings.filter(({ id }) => id === "external-mount-unmapped");
  expect(wanted.map(({ subject }) => subject).sort()).toEqual(["/data", "/etc/hosts"]);
  expect(wanted.map(({ remedy }) => remedy.command).sort()).toEqual([
    `--external 'mnt[data]:${data}'`,
    `--external 'mnt[hosts]:${file}'`,
  ]);
  // The other one is given.
  const given = [...options, "--external", `mnt[hosts]:${file}`];
  const told = await report(stage, "preflight", images, given);
  expect((await typed(stage, told, "external-mount-unmapped", { options: given })).exit).toBe(0);
  expect(existsSync(join(root, "data"))).toBe(true);
});
