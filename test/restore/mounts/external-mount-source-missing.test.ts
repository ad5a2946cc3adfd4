import { restored, stageCheck } from "../stage-check.ts";
import { openStage } from "../stage.ts";
import { typed } from "../typed.ts";
import { dumpWithMounts, madeTheOldWay, typedTheOldWay } from "./mounts.ts";
import { expect, test } from "bun:test";
import { symlinkSync } from "node:fs";

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

test("external-mount-source-missing: a link to a directory, or to a file", async () => {
  await using stage = openStage();
  const { images, options, data, file, map } = await dumpWithMounts(stage);
  const linked = (to: string) => {
    const link = `${to}-link`;
    symlinkSync(to, link);
    return link;
  };
  const mapped = (...sources: Parameters<typeof map>) => [...options, ...map(...sources)];
  for (const given of [mapped(linked(data), file), mapped(data, linked(file))]) {
    const named = await madeTheOldWay(stage, images, "external-mount-source-missing", given);
    expect(named.message).toContain("is a link");
  }
  // Of what leads nowhere the old way knows nothing, either.
  symlinkSync(`${data}-gone`, `${data}-nowhere`);
  for (const way of [[], ["--mntns-compat-mode"]]) {
    const gone = await stageCheck({
      id: "external-mount-source-missing",
      stage,
      images,
      options: [...mapped(`${data}-nowhere`, file), ...way],
      among: true,
    });
    expect(gone.remedy.kind).toBe("human");
  }
  await typedTheOldWay(stage, images, mapped(`${data}-link`, file), (told, how) =>
    typed(stage, told, "external-mount-source-missing", how),
  );
});
