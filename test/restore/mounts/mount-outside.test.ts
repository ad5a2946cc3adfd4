import { report } from "../report.ts";
import { openStage, run } from "../stage.ts";
import { dumpContainer } from "../tree-in-container.ts";
import { changed, inBare, told } from "./mount-host.ts";
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("mount-outside: a path that leads upwards, a link on the way", async () => {
  await using stage = openStage();
  const outside = join(stage.dir, "outside");
  mkdirSync(join(outside, "inner"), { recursive: true });
  writeFileSync(join(outside, "inner/secret"), "of this machine");
  const part = join(stage.dir, "root/part/inner");
  mkdirSync(part, { recursive: true });
  const { images, options, root } = await dumpContainer(stage, {
    mounts: [["bind", part, "/again"]],
  });
  expect(await report(stage, "preflight", images, options)).toMatchObject({ findings: [] });

  // Paths of the images begin where the file system does, which may be that of /tmp alone.
  const { stdout } = await run(stage, ["stat", "-c", "%m", root]);
  const [from, to] = [root, outside].map((path) => path.slice(stdout.trim().length).split("/"));
  const names = [...from!, ...from!.filter(Boolean).map(() => ".."), ...to!].filter(Boolean);
  const upwards = changed(stage, images, "upwards", "/again", {
    root: `/${names.join("/")}/inner`,
  });
  const seen = (at: string) =>
    expect(readFileSync(join(at, "again/secret"), "utf8")).toBe("of this machine");
  const blocked = async (dir: string, why: string, exit = 3) => {
    const done = await report(stage, "restore", dir, options);
    expect(done).toMatchObject({ exit, run: null });
    expect(told(done.findings, "mount-outside")).toMatchObject([
      { severity: "blocker", subject: "/again", message: expect.stringContaining(why) },
    ]);
  };
  // No dump writes such a path: image-forged says so, too.
  await blocked(upwards, "leads upwards", 6);
  await inBare(stage, upwards, options, seen);

  renameSync(join(root, "part"), join(root, "part.aside"));
  symlinkSync(outside, join(root, "part"));
  await blocked(images, "/part is a link");
  await inBare(stage, images, options, seen);
});
