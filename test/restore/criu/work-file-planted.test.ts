import { startDumped } from "../stage/dumped.ts";
import { ALICE, files } from "../planted.ts";
import { blockers, finding, report } from "../report.ts";
import { criu, killTree, openStage, run } from "../stage.ts";
import { expect, test } from "bun:test";
import { chownSync, lchownSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

for (const [what, [name, setUp, words]] of Object.entries(files))
  test(`work-file-planted: CRIU's ${what}`, async () => {
    await using stage = openStage();
    const { pid, images } = await startDumped(stage);
    const work = join(stage.dir, "work");
    const victim = join(stage.dir, "victim");
    writeFileSync(victim, "root's");
    mkdirSync(work);
    chownSync(work, ALICE, ALICE);
    setUp(join(work, name), victim);
    lchownSync(join(work, name), ALICE, ALICE);
    const options = ["-W", work, "-o", "restore.log"];
    const told = await report(stage, "restore", images, options);
    expect(told).toMatchObject({ exit: 3, run: null });
    expect(blockers(told)).toEqual(["work-file-planted"]);
    expect(finding(told, "work-file-planted").message).toContain(words);
    expect(readFileSync(victim, "utf8")).toBe("root's");
    // Bare CRIU overwrites the file, or waits for a reader for ever.
    const bare = [criu, "restore", "-d", "-D", images, ...options];
    const { exit } = await run(stage, bare, { timeout: 2000 });
    expect(exit).toBe(words.startsWith("no") ? null : 0);
    expect(readFileSync(victim, "utf8") === "root's").toBe(exit === null);
    if (exit !== null) await killTree(stage, pid);
    rmSync(join(work, name));
    expect(await report(stage, "restore", images, options)).toMatchObject({ exit: 0 });
    await killTree(stage, pid);
  });
