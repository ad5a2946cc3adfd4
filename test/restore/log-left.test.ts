/** A refusal leaves CRIU's log with the block in it, and obeys no other writer of the directory. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import {
  existsSync,
  lchownSync,
  linkSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { link } from "../dropin/as-criu.ts";
import { criu, openStage, recriuBinary, run, start } from "./stage.ts";

for (const [name, program] of [
  ["recriu", () => recriuBinary],
  ["criu", link],
] as const)
  test(`${name}: what is refused stands in the log`, async () => {
    await using stage = openStage();
    const { pid, images } = await startDumped(stage);
    await start(stage, "at-pid", [`${pid}`]);
    const refused = (more: string[] = []) =>
      run(stage, [program(stage), "restore", "-d", "-D", images, "-o", "r.log", ...more], {
        env: { RECRIU_CRIU: criu, NO_COLOR: "1" },
      });
    const [log, other] = [join(images, "r.log"), join(stage.dir, "other")];
    writeFileSync(log, "of an earlier run\n");
    const { exit, stderr } = await refused();
    expect(exit).not.toBe(0);
    expect(stderr).toContain("blocker[pid-in-use]");
    // Some runtimes show no other lines of a log than CRIU's errors.
    const [first, ...rest] = readFileSync(log, "utf8").split("\n");
    expect(first).toMatch(
      /^\(00\.000000\) Error \(recriu\): the restore is blocked: .*\[pid-in-use\]/,
    );
    expect(rest.join("\n")).toBe(stderr);

    rmSync(log);
    await refused();
    expect(statSync(log).mode & 0o777).toBe(0o600);
    if (name === "recriu") {
      rmSync(log);
      await refused(["--dry-run"]);
      expect(existsSync(log)).toBe(false);
    } else rmSync(log);

    writeFileSync(other, "somebody else's\n");
    const usersLink = () => {
      symlinkSync(other, log);
      lchownSync(log, 1000, 1000);
    };
    for (const lead of [usersLink, () => linkSync(other, log)]) {
      lead();
      await refused();
      rmSync(log);
    }
    await run(stage, ["mkfifo", log]);
    expect((await refused()).exit).toBe(exit);
    expect(readFileSync(other, "utf8")).toBe("somebody else's\n");
    // A link that only the caller himself can have made is his word, as it is to CRIU.
    rmSync(log);
    symlinkSync(other, log);
    const { stderr: again } = await refused();
    expect(readFileSync(other, "utf8")).toEndWith(again);
  });
