import { finding, report } from "../report.ts";
import { manifestOf, sealed, spoil } from "../seal.ts";
import { alive, killTree, openStage, recriu, restoreBare, run } from "../stage.ts";
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("image-altered: a byte of memory that CRIU restores without a word; images that went, and that came", async () => {
  await using stage = openStage();
  const { pid, images } = await sealed(stage);
  const pages = join(images, "pages-1.img");
  spoil(pages);
  expect((await restoreBare(stage, images)).exit).toBe(0);
  await killTree(stage, pid);
  const named = await report(stage, "preflight", images);
  expect(named.exit).toBe(6);
  expect(named.findings).toMatchObject([
    { id: "image-altered", severity: "blocker", image: "pages-1.img", subject: "pages-1.img" },
  ]);
  const restore = await report(stage, "restore", images);
  expect([restore.exit, restore.run]).toEqual([6, null]);
  expect(alive(pid)).toBe(false);
  spoil(pages);
  expect((await report(stage, "preflight", images)).findings).toEqual([]);

  writeFileSync(join(images, "tcp-stream-7.img"), "new");
  renameSync(join(images, "timens-0.img"), join(images, "was"));
  const other = await report(stage, "preflight", images);
  expect(
    other.findings.filter(({ id }) => id === "image-altered").map(({ image }) => image),
  ).toEqual(["tcp-stream-7.img", "timens-0.img"]);
});

test("image-altered: a manifest is believed in nothing", async () => {
  await using stage = openStage();
  const { images } = await sealed(stage);
  const good = readFileSync(manifestOf(images), "utf8");
  const says = async (text: string) => {
    rmSync(manifestOf(images), { recursive: true, force: true });
    writeFileSync(manifestOf(images), text);
    return finding(await report(stage, "preflight", images), "image-altered").message;
  };
  expect(await says(good.slice(0, -20))).toContain("it is no JSON");
  expect(await says("[]")).toContain("it is no manifest that this recriu knows");
  for (const name of ["../pstree.img", "/etc/shadow", "parent/..", "a\0b"])
    expect(await says(good.replace('"pstree.img"', JSON.stringify(name)))).toContain(
      "is no image's name",
    );
  expect(await says(good.replace(/"size": \d+/, '"size": -1'))).toContain("is no sum");
  expect(await says(good.replace(/"sha256": "\w+"/, '"sha256": "0"'))).toContain("is no sum");
  rmSync(manifestOf(images));
  mkdirSync(manifestOf(images));
  expect(finding(await report(stage, "preflight", images), "image-altered").message).toContain(
    "no regular file",
  );
  rmSync(manifestOf(images), { recursive: true });
  expect((await run(stage, ["mkfifo", manifestOf(images)])).exit).toBe(0);
  expect(finding(await report(stage, "preflight", images), "image-altered").message).toContain(
    "no regular file",
  );
});

test("an archive as Podman exports it is sealed as one", async () => {
  await using stage = openStage();
  const { images } = await sealed(stage);
  rmSync(manifestOf(images));
  renameSync(images, join(stage.dir, "checkpoint"));
  const archive = join(stage.dir, "checkpoint.tar.gz");
  expect((await run(stage, ["tar", "-czf", archive, "checkpoint"])).exit).toBe(0);
  expect((await recriu(stage, ["seal", archive])).exit).toBe(0);
  expect(existsSync(`${archive}.recriu.manifest`)).toBe(true);
  const altered = async () => {
    const { stdout } = await recriu(stage, ["preflight", archive, "--json"]);
    return JSON.parse(stdout).findings.filter(({ id }: { id: string }) => id === "image-altered");
  };
  expect(await altered()).toEqual([]);
  // One that is packed anew is another, whatever is in it.
  expect((await run(stage, ["tar", "-czf", archive, "--owner=7", "checkpoint"])).exit).toBe(0);
  expect(await altered()).toMatchObject([{ subject: "checkpoint.tar.gz", severity: "blocker" }]);
});
