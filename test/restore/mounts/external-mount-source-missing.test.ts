import { restored, stageCheck } from "../stage-check.ts";
import { openStage } from "../stage.ts";
import { dumpWithMounts } from "./mounts.ts";
import { expect, test } from "bun:test";

test("external-mount-source-missing: not there, or a file for a directory", async () => {
  await using stage = openStage();
  const { images, options, data, file, map } = await dumpWithMounts(stage);
  const gone = await stageCheck({
    id: "external-mount-source-missing",
    stage,
    images,
    options: [...options, ...map(`${data}-gone`)],
    among: true,
  });
  expect(gone.subject).toBe(`${data}-gone`);
  const other = await stageCheck({
    id: "external-mount-source-missing",
    stage,
    images,
    options: [...options, ...map(file)],
    among: true,
  });
  expect(other.message).toContain("is a file");
  const old = [...options, ...map(`${data}-gone`), "--mntns-compat-mode"];
  await stageCheck({
    id: "external-mount-source-missing",
    stage,
    images,
    options: old,
    among: true,
  });
  await restored(stage, images, { options: [...options, ...map(data)] });
});
