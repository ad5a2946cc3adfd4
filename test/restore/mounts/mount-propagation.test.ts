import { explained, finding, report } from "../report.ts";
import { isBefore411 } from "../criu.ts";
import { criu, killTree, openStage } from "../stage.ts";
import { typed } from "../typed.ts";
import { dumpShared, madeTheOldWay, typedTheOldWay } from "./mounts.ts";
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { release } from "node:os";
import { join } from "node:path";

// CRIU 4.1.1 was the first to look for /proc there.
test.skipIf(isBefore411)(
  "mount-propagation: a shared mount in a namespace without /proc",
  async () => {
    await using stage = openStage();
    const { images, from, one } = await dumpShared(stage, false);
    const named = await madeTheOldWay(stage, images, "mount-propagation", from(one, one));
    await typedTheOldWay(stage, images, from(one, one), (told, how) =>
      typed(stage, told, "mount-propagation", how),
    );
    expect(named.message).toContain("no /proc");
    const options = [...from(one, one), "--pidfile", join(stage.dir, "pid")];
    const told = await report(stage, "preflight", images, options);
    expect((await typed(stage, told, "mount-propagation", { options })).exit).toBe(0);
    await killTree(stage, Number(readFileSync(join(stage.dir, "pid"), "utf8")));
  },
);

test("mount-propagation: a CRIU before 4.1.1 on a kernel since 6.16, by what it says of itself", async () => {
  await using stage = openStage();
  const { images, from, one } = await dumpShared(stage, true);
  // No such CRIU starts on such a kernel here: this one is newer than it says.
  const says = join(stage.dir, "criu-4.1");
  const script = `#!/bin/sh\n[ "$1" = --version ] && echo "Version: 4.1" && exit\nexec ${criu} "$@"\n`;
  writeFileSync(says, script, { mode: 0o755 });
  const options = [...from(one, one), `--criu=${says}`];
  const [major = 0, minor = 0] = release().split(".").map(Number);
  const since = major > 6 || (major === 6 && minor >= 16);
  const preflight = await report(stage, "preflight", images, options);
  const named = finding(preflight, "mount-propagation");
  expect(named.severity).toBe(since ? "blocker" : "warning");
  expect(named.criu_message).toContain("Invalid argument");
  explained(named);
  // Images of 4.2 and later are none for such a CRIU, but for this one.
  const restore = [...options, "--ignore=criu-too-old"];
  const done = await report(stage, "restore", images, restore);
  expect(done).toMatchObject({ exit: 0, plan: { options: since ? ["--mntns-compat-mode"] : [] } });
  await killTree(stage, done.run!.pid!);
  const itself = (await report(stage, "preflight", images, from(one, one))).findings;
  expect(itself.map(({ severity }) => severity)).toEqual(isBefore411 ? ["warning"] : []);
});
