import { edit } from "../edit.ts";
import { blockers, finding, report } from "../report.ts";
import { killTree, openStage, restoreBare } from "../stage.ts";
import { dumpContainer } from "../tree-in-container.ts";
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("untrusted-mount: the images name a directory of this machine", async () => {
  await using stage = openStage();
  const [shared, secret] = [join(stage.dir, "shared"), join(stage.dir, "secret")];
  for (const dir of [shared, secret]) mkdirSync(dir);
  writeFileSync(join(secret, "key"), "secret");
  const { images, options } = await dumpContainer(stage, {
    mounts: [["bind", shared, "/shared"]],
    options: ["--external", "mnt[]"],
  });
  const [mountpoints] = [...new Bun.Glob("mountpoints-*.img").scanSync(images)];
  edit(images, mountpoints!, (mounts) => {
    for (const mount of mounts) if (mount.ext_key !== undefined) mount.source = secret;
  });
  const all = [...options, "--external", "mnt[]"];
  const bare = await restoreBare(stage, images, [...all, "--pidfile", join(stage.dir, "pid")]);
  expect([bare.exit, ...bare.errors.slice(1)]).toEqual([0]);
  const pid = Number(readFileSync(join(stage.dir, "pid"), "utf8"));
  expect(readFileSync(`/proc/${pid}/root/shared/key`, "utf8")).toBe("secret");
  await killTree(stage, pid);
  const blocked = await report(stage, "restore", images, ["--untrusted", ...all]);
  expect([blocked.exit, ...blockers(blocked)]).toEqual([3, "untrusted-mount"]);
  expect(finding(blocked, "untrusted-mount").subject).toBe(secret);
});
