import { startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { finding, report } from "../report.ts";
import { copying, decoded, differences } from "../shadow.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { criu, openStage, restoreBare } from "../stage.ts";
import { compile } from "../stage/compile.ts";
import { expect, test } from "bun:test";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("plugin-missing", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage);
  edit(
    images,
    "inventory.img",
    ([inventory]) => void (inventory.plugins_entry = { plugins: ["recriu_test"] }),
  );
  const plugins = join(stage.dir, "plugins");
  mkdirSync(plugins);
  const options = ["--libdir", plugins];
  const named = await stageCheck({ id: "plugin-missing", stage, images, options });
  expect(named.subject).toBe("recriu_test");
  cpSync(compile("plugin"), join(plugins, "of-another-name.so"));
  await restores(stage, images, { options });
});

test("plugin-missing: amdgpu_plugin is named and saved nothing", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage);
  edit(
    images,
    "inventory.img",
    ([inventory]) => void (inventory.plugins_entry = { plugins: ["amdgpu_plugin"] }),
  );
  const plugins = join(stage.dir, "plugins");
  mkdirSync(plugins);
  const options = ["--libdir", plugins, "-W", stage.dir];
  const bare = await restoreBare(stage, images, ["--libdir", plugins]);
  expect(bare.exit).toBe(1);
  const none = await report(stage, "preflight", images, [...options, "--fix=none"]);
  expect(none.exit).toBe(3);
  expect(bare.log).toContain(finding(none, "plugin-missing").criu_message!);
  const { script, copy } = copying(stage);
  const done = await report(stage, "restore", images, [...options, "--action-script", script]);
  expect(done).toMatchObject({
    exit: 0,
    plan: { edits: [{ file: "inventory.img", from: "amdgpu_plugin", to: null }] },
    verdict: { result: "match" },
  });
  const decode = async (dir: string) => (await decoded(stage, join(dir, "inventory.img")))[0];
  expect(differences(await decode(images), await decode(copy))).toEqual([
    ["plugins_entry.plugins", ["amdgpu_plugin"], undefined],
  ]);
  // What it saved is another matter.
  writeFileSync(join(images, "amdgpu-kfd-1.img"), "");
  expect(
    finding(await report(stage, "preflight", images, options), "plugin-missing"),
  ).toMatchObject({
    severity: "blocker",
    remedy: { kind: "human" },
  });
});

test("the CRIU under test names its plugin directory", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage);
  edit(
    images,
    "inventory.img",
    ([inventory]) => void (inventory.plugins_entry = { plugins: ["recriu_test"] }),
  );
  const named = finding(
    await report(stage, "preflight", images, [`--criu=${criu}`]),
    "plugin-missing",
  );
  expect(named.message).toContain("/lib/criu");
});
