/** A stranger's first half hour: the fast tests, then the demo, on a bare machine, of what is committed here. */
import { expect, test } from "bun:test";
import { join } from "node:path";
import { repository } from "../built.ts";

test(
  "on a bare Debian 12 with node and npm the fast tests pass, with nothing fetched, and then the demo",
  () => {
    const { exitCode, stdout, stderr } = Bun.spawnSync([
      join(repository, "scripts/fresh"),
      "--fast",
    ]);
    if (exitCode !== 0) throw new Error(`${stdout}\n${stderr}`.slice(-20_000));
    // In a pid namespace of its own three cannot be: test/repair/leftovers.test.ts.
    expect(stdout.toString()).toMatch(/^[1-9]\d+ passed, 0 failed, 3 skipped$/m);
    expect(stdout.toString()).toContain("The tree that was saved is the tree that runs.");
  },
  20 * 60_000,
);
