import { newest } from "../criu.ts";
import { edit } from "../edit.ts";
import { dumpOf } from "../inventory.ts";
import { packPages } from "../pack-pages.ts";
import { blockers, finding, report, sameWords } from "../report.ts";
import { restores, stageCheck } from "../stage-check.ts";
import { openStage, recriu, run } from "../stage.ts";
import { expect, test } from "bun:test";
import { readFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";

test("image-compressed: pages that are packed are not short, and name the CRIU that can read them", async () => {
  await using stage = openStage();
  const { images, copy } = await dumpOf(stage);
  const packed = copy("packed");
  packPages(packed);
  const pages = join(packed, "pages-1.img");
  expect(statSync(pages).size).toBeLessThan(statSync(join(images, "pages-1.img")).size);

  // The CRIU under test is of before 4.3.
  const older = await stageCheck({ id: "image-version", stage, images: packed, exit: 6 });
  expect(older.message).toContain("CRIU 4.3 or later that compressed the memory");

  const by = ["--criu", newest];
  const told = await report(stage, "preflight", packed, by);
  expect(blockers(told)).toEqual(["image-compressed"]);
  await saidBy(packed, finding(told, "image-compressed").criu_message!);

  const damaged = copy("damaged");
  edit(damaged, "inventory.img", ([inventory]) => void (inventory.compress = 1));
  const named = finding(await report(stage, "preflight", damaged, by), "image-compressed");
  expect(named.criu_message).toBe("Image version 2 cannot contain compressed memory pages");
  await saidBy(damaged, named.criu_message!);

  // What they promise is still held against what there is.
  truncateSync(pages, statSync(pages).size - 1);
  expect(blockers(await report(stage, "preflight", packed, by))).toContain("pages-short");
  const shown = await recriu(stage, ["show", "-D", packed]);
  expect(shown.exit).toBe(0);
  await restores(stage, images);

  async function saidBy(dir: string, words: string) {
    const argv = [newest, "restore", "-d", "-D", dir, "-W", stage.dir, "-o", "log"];
    expect((await run(stage, argv)).exit).toBe(1);
    const lines = readFileSync(join(stage.dir, "log"), "utf8").split("\n");
    expect(lines.some((line) => sameWords(line, words))).toBe(true);
  }
});
