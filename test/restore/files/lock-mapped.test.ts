import { startDumped } from "../stage/dumped.ts";
import { report } from "../report.ts";
import { killTree, openStage, restoreBare } from "../stage.ts";
import { compile } from "../stage/compile.ts";
import { expect, test } from "bun:test";
import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("lock-mapped: CRIU loses the lock of a file that its task maps, and exits 0", async () => {
  await using stage = openStage();
  const file = join(stage.dir, "file");
  writeFileSync(file, "words");
  const options = ["--file-locks"];
  const { pid, images } = await startDumped(stage, "objects", ["map", file, "posix", file], {
    dump: options,
  });
  const inode = statSync(file).ino;
  const isLocked = () => readFileSync("/proc/locks", "utf8").includes(`:${inode} `);
  expect((await restoreBare(stage, images, options)).exit).toBe(0);
  expect(isLocked()).toBe(false);
  await killTree(stage, pid);

  const before = await report(stage, "preflight", images, options);
  expect(before.findings).toMatchObject([
    { id: "lock-mapped", severity: "warning", task: pid, subject: file, criu_message: null },
  ]);
  const restored = await report(stage, "restore", images, options);
  expect(restored).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(restored.verdict!.differences).toMatchObject([
    { facet: "file locks", class: "tolerated" },
  ]);
  await killTree(stage, pid);

  // Somebody takes it before the tree runs: then that is not what was saved.
  const script = join(stage.dir, "script");
  const [holder, ready] = [compile("objects"), join(stage.dir, "held")];
  const take = `setsid ${holder} ${ready} posix ${file} </dev/null >/dev/null 2>&1 &
    while [ ! -e ${ready} ]; do sleep 0.01; done`;
  const text = `#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != pre-resume ] || { ${take}\n}\n`;
  writeFileSync(script, text, { mode: 0o755 });
  const taken = await report(stage, "restore", images, [...options, "--action-script", script]);
  expect(taken).toMatchObject({ exit: 5, verdict: { result: "mismatch" } });
});
