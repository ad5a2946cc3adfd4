import { startDumped } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { blockers, finding, report } from "../report.ts";
import { dump, openStage, restoreBare, start } from "../stage.ts";
import { expect, test } from "bun:test";
import { readlinkSync } from "node:fs";
import { join } from "node:path";

test("unix-peer-missing: the dump left the other end of a stream out", async () => {
  await using stage = openStage();
  const name = join(stage.dir, "server");
  await start(stage, "objects", ["listen", name]);
  const { pid } = await start(stage, "objects", ["client", name]);
  const ino = /\d+/.exec(readlinkSync(`/proc/${pid}/fd/3`))![0];
  const images = await dump(stage, pid, [`--ext-unix-sk=${ino}`]);
  const preflight = await report(stage, "preflight", images, ["--ext-unix-sk"]);
  expect(blockers(preflight)).toEqual(["unix-peer-missing"]);
  const bare = await restoreBare(stage, images, ["--ext-unix-sk"]);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "unix-peer-missing").criu_message!);
});

test("unix-peer-missing: one end of a pair is not in the images", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage, "objects", ["accepted", join(stage.dir, "a")]);
  edit(images, "files.img", (files) => {
    const one = files.find(({ usk }) => usk?.peer);
    one.usk.peer = 4_000_000_000;
  });
  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight)).toEqual(["unix-peer-missing"]);
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "unix-peer-missing").criu_message!);
});
