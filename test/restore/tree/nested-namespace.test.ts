import { changed } from "../namespaces.ts";
import { restored, stageCheck } from "../stage-check.ts";
import { descendants, dump, openStage, start } from "../stage.ts";
import { expect, test } from "bun:test";

test("nested-namespace: a child with a namespace that its parent has not", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "kernel", ["owner"]);
  const [child] = descendants(pid);
  const images = await dump(stage, pid);
  const nested = changed(stage, images, "nested", new RegExp(`^ids-${child!.pid}`), ([ids]) => {
    ids.uts_ns_id = 99;
  });
  expect(
    await stageCheck({ id: "nested-namespace", stage, images: nested, among: true }),
  ).toMatchObject({
    task: child!.pid,
    subject: "uts",
  });
  await restored(stage, images);
});
