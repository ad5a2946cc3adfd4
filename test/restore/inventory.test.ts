/** What the inventory asks of the restore, and plugins. */
import { expect, test } from "bun:test";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { image } from "../image/fixture.ts";
import { edit } from "./edit.ts";
import { restores, stageCheck } from "./stage-check.ts";
import { finding, report } from "./report.ts";
import { copying, decoded, differences, oldCriu } from "./shadow.ts";
import { compile } from "./stage/compile.ts";
import { criu, dump, killTree, openStage, restoreBare, run, type Stage, start } from "./stage.ts";
import { typed } from "./typed.ts";

const dumpOf = async (stage: Stage, options: string[] = []) => {
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dump(stage, pid, options);
  const copy = (name: string): string => {
    cpSync(images, join(stage.dir, name), { recursive: true });
    return join(stage.dir, name);
  };
  return { pid, images, copy };
};

test("image-version", async () => {
  await using stage = openStage();
  const { images, copy } = await dumpOf(stage);
  for (const change of [{ img_version: 3 }, { fdinfo_per_id: false }, { root_cg_set: 0 }]) {
    const other = copy(Object.keys(change)[0]!);
    edit(other, "inventory.img", ([inventory]) => void Object.assign(inventory, change));
    await stageCheck({ id: "image-version", stage, images: other, exit: 6 });
  }
  await restores(stage, images);
});

test("tcp-close-needed", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOf(stage, ["--tcp-close"]);
  const named = await stageCheck({ id: "tcp-close-needed", stage, images });
  expect(named.remedy.text).toContain("closed connections");
  const told = await report(stage, "preflight", images);
  expect((await typed(stage, told, "tcp-close-needed")).exit).toBe(0);
  await killTree(stage, pid);
  await restores(stage, images, { options: ["--tcp-close"] });
});

test("image-deprecated: timers and limits in images of their own", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOf(stage);
  edit(images, `core-${pid}.img`, ([core]) => void delete core.tc.timers);
  const none = { isec: 0n, iusec: 0n, vsec: 0n, vusec: 0n };
  writeFileSync(
    join(images, `itimers-${pid}.img`),
    image(`itimers-${pid}.img`, [none, none, none]),
  );
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(
    finding(await report(stage, "preflight", images), "image-deprecated").criu_message!,
  );
  // recriu lets CRIU read them.
  const done = await report(stage, "restore", images);
  expect(done).toMatchObject({
    exit: 0,
    plan: { options: ["--deprecated"] },
    verdict: { result: "match" },
  });
});

test("image-deprecated: who says --no-deprecated is asked", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOf(stage);
  edit(images, `core-${pid}.img`, ([core]) => void delete core.tc.rlimits);
  const options = ["--no-deprecated"];
  await stageCheck({ id: "image-deprecated", stage, images, options });
  const told = await report(stage, "preflight", images, options);
  expect((await typed(stage, told, "image-deprecated", { options })).exit).toBe(0);
  await killTree(stage, pid);
  await restores(stage, images, { options: ["--deprecated"] });
});

test("plugin-missing", async () => {
  await using stage = openStage();
  const { images } = await dumpOf(stage);
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
  const { images } = await dumpOf(stage);
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

test("image-newer: an open file of a kind to come", async () => {
  await using stage = openStage();
  const { images, copy } = await dumpOf(stage);
  const other = copy("other");
  edit(other, "files.img", (entries) => void (entries.at(-1).type = 21));
  const named = await stageCheck({ id: "image-newer", stage, images: other });
  expect(named.subject).toBe("file type 21");
  // A pidfd, of which 3.17 knows nothing.
  edit(other, "files.img", (entries) => void (entries.at(-1).type = 20));
  const old = ["--criu", oldCriu(stage)];
  const older = finding(await report(stage, "preflight", other, old), "image-newer");
  expect(older.message).toContain("a pidfd, which CRIU 3.17.1 does not know");
  const argv = ["restore", "-d", "-D", other, "-W", stage.dir, "-o", "log"];
  expect((await run(stage, [oldCriu(stage), ...argv])).exit).toBe(1);
  expect(readFileSync(join(stage.dir, "log"), "utf8")).toContain(older.criu_message!);
  await restores(stage, images);
});

test("plugin-broken: any file that ends in .so", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOf(stage);
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

test("image-missing: the content of an unlinked file", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "ghost", [join(stage.dir, "file")]);
  const images = await dump(stage, pid);
  const broken = join(stage.dir, "broken");
  cpSync(images, broken, { recursive: true });
  rmSync(join(broken, "ghost-file-1.img"));
  const named = await stageCheck({ id: "image-missing", stage, images: broken, exit: 6 });
  expect(named.subject).toBe("ghost-file-1.img");
  await restores(stage, images);
});

test("the CRIU under test names its plugin directory", async () => {
  await using stage = openStage();
  const { images } = await dumpOf(stage);
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
