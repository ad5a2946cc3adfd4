/** Watches of inotify that CRIU loses: of files that had been deleted. */
import { expect, test } from "bun:test";
import { readdirSync, readFileSync, statfsSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { report } from "./report.ts";
import { dump, killTree, openStage, restoreBare, start } from "./stage.ts";

// On a tmpfs CRIU finds no path for what is watched by its handle: the dump itself fails.
const TMPFS_MAGIC = 0x01021994;
const onTmpfs = statfsSync(tmpdir()).type === TMPFS_MAGIC;

test.skipIf(onTmpfs)(
  "a watched file that was deleted: CRIU loses the watch, exits 0, and the verdict says so",
  async () => {
    await using stage = openStage();
    const file = join(stage.dir, "file");
    const objects = ["write", file, "watch", file, "unlink", file];
    const { pid } = await start(stage, "objects", objects);
    const watches = () =>
      readdirSync(`/proc/${pid}/fdinfo`).filter((fd) =>
        readFileSync(`/proc/${pid}/fdinfo/${fd}`, "utf8").includes("inotify wd:"),
      );
    expect(watches()).toEqual(["4"]);
    const images = await dump(stage, pid);
    expect((await restoreBare(stage, images)).exit).toBe(0);
    expect(watches()).toEqual([]);
    await killTree(stage, pid);

    const done = await report(stage, "restore", images);
    expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
    const told = "mask of watch 1 of descriptor 4: 0x402";
    expect(done.verdict!.differences).toMatchObject([{ class: "tolerated", expected: told }]);
    await killTree(stage, pid);
  },
);
