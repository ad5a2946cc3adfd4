import { blocks, bytes, copy, dumped, takenByCriu, veto } from "../dedup.ts";
import { finding, report } from "../report.ts";
import { stageCheck } from "../stage-check.ts";
import { alive, killTree, openStage, recriu, restoreBare } from "../stage.ts";
import { typed } from "../typed.ts";
import { reportUnder } from "../under.ts";
import { expect, test } from "bun:test";
import {
  chownSync,
  linkSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

test("recriu restore: a refused tree has lost nothing, one that runs as much as by bare CRIU", async () => {
  await using stage = openStage();
  const { pid, images } = await dumped(stage);
  const bare = await takenByCriu(stage, images, pid);
  const lost = copy(stage, images, "lost");
  const refused = ["--auto-dedup", "--action-script", veto(stage)];
  expect((await restoreBare(stage, lost, refused)).exit).toBe(1);
  expect(bytes(lost)).not.toEqual(bytes(images));

  const whole = copy(stage, images, "whole");
  expect((await report(stage, "restore", whole, refused)).exit).toBe(1);
  expect(bytes(whole)).toEqual(bytes(images));
  for (const options of [[], ["--verify=off"]]) {
    const images2 = copy(stage, images, `whole-${options}`);
    const words = ["--auto-dedup", ...options];
    const done = await report(stage, "restore", images2, words);
    expect(done).toMatchObject({
      exit: 0,
      notes: [],
      findings: [{ id: "auto-dedup", severity: "info" }],
    });
    expect(blocks(images2)).toEqual(bare);
    await killTree(stage, pid);
  }
  // From a configuration file, attached.
  const config = join(stage.dir, "config");
  writeFileSync(config, "auto-dedup\n");
  const attached = recriu(stage, ["restore", "-D", whole, "--config", config]);
  while (!alive(pid) || blocks(whole).join() !== bare.join()) await Bun.sleep(5);
  await killTree(stage, pid);
  expect((await attached).exit).toBe(0);
});

test("auto-dedup: images that cannot be written to", async () => {
  await using stage = openStage();
  const { pid, images } = await dumped(stage);
  const bind = `mount --bind ${images} ${images} && mount -o remount,bind,ro ${images}`;
  const under = (command: string) => ["unshare", "-m", "sh", "-c", `${bind} && ${command}`];
  const named = await stageCheck({
    id: "auto-dedup",
    stage,
    images,
    under,
    options: ["--auto-dedup"],
  });
  expect(named.remedy.command).toBe("--no-auto-dedup");
  const options = ["--auto-dedup"];
  const told = await reportUnder(stage, under, "preflight", images, options);
  expect((await typed(stage, told, "auto-dedup", { options, under })).exit).toBe(0);
  await killTree(stage, pid);
});

test("auto-dedup: a stranger's directory leads to nobody else's file", async () => {
  await using stage = openStage();
  const { pid, images } = await dumped(stage);
  const victim = join(stage.dir, "victim");
  const content = Buffer.alloc(1 << 20, "precious");
  chownSync(images, 65534, 65534);
  for (const name of readdirSync(images)) chownSync(join(images, name), 65534, 65534);
  const pages = join(images, "pages-1.img");
  const own = readFileSync(pages);
  for (const [make, words] of [
    [symlinkSync, "it is a link"],
    [linkSync, "or has other names"],
  ] as const) {
    writeFileSync(victim, Buffer.concat([own, content]));
    rmSync(pages);
    make(victim, pages);
    const refused = await report(stage, "restore", images, ["--auto-dedup"]);
    expect(refused).toMatchObject({ exit: 3, run: null });
    expect(finding(refused, "auto-dedup").message).toContain(words);
    expect(statSync(victim).blocks * 512).toBeGreaterThan(own.length);
  }
  // Put there while CRIU restores: it is another file than the one that was looked at.
  rmSync(pages);
  writeFileSync(pages, own);
  chownSync(pages, 65534, 65534);
  const script = join(stage.dir, "script");
  const swap = `[ $CRTOOLS_SCRIPT_ACTION != post-restore ] || ln -sf ${victim} ${pages}`;
  writeFileSync(script, `#!/bin/sh\n${swap}\n`, { mode: 0o755 });
  const before = statSync(victim).blocks;
  const done = await report(stage, "restore", images, ["--auto-dedup", "--action-script", script]);
  expect(realpathSync(pages)).toBe(realpathSync(victim));
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(done.notes.join()).toContain("it is a link");
  expect(statSync(victim).blocks).toBe(before);
  await killTree(stage, pid);
});
