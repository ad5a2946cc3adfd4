import { expect, test } from "bun:test";
import { join } from "node:path";
import { readFileSync, cpSync } from "node:fs";
import { report } from "./report.ts";
import { dump, openStage, restoreBare, killTree, recriu, start } from "./stage.ts";

test("try", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "open", [stage.dir]);
  const before = [...Array(22).keys()].map((n) =>
    readFileSync(`/proc/${pid}/fdinfo/${n + 10}`, "utf8"),
  );
  const images = await dump(stage, pid);
  const bare = await restoreBare(stage, images);
  console.log(bare.exit, bare.errors);
  const after = [...Array(22).keys()].map((n) =>
    readFileSync(`/proc/${pid}/fdinfo/${n + 10}`, "utf8"),
  );
  for (const [i, text] of before.entries())
    if (text.replace(/ino:.*|mnt_id.*/g, "") !== after[i]!.replace(/ino:.*|mnt_id.*/g, ""))
      console.log(i + 10, text, after[i]);
  await killTree(stage, pid);
  const done = await report(stage, "restore", images);
  console.log(JSON.stringify({ ...done, stderr: undefined }, null, 1), done.stderr);
});
