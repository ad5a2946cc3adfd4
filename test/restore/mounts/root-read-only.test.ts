import { expect, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { forky, isBefore42 } from "../criu.ts";
import { blockers, explained, finding, report } from "../report.ts";
import { criu, killTree, openStage, run } from "../stage.ts";
import { dumpContainer } from "../tree-in-container.ts";

const by = isBefore42 ? forky : criu;

// CRIU 4.2 was the first to give a root its flags; a system has no other than its own.
test.skipIf(!existsSync(by))(
  "root-read-only: CRIU changes into it by its directory tmp",
  async () => {
    await using stage = openStage();
    const { images, options, root } = await dumpContainer(stage, {
      mounts: [
        ["proc", "none", "/proc"],
        ["tmpfs", "none", "/run/recriu-test/app"],
        ["readonly", "none", "/"],
      ],
    });
    const given = [...options, `--criu=${by}`];
    const preflight = await report(stage, "preflight", images, [...given, "--fix=none"]);
    expect(blockers(preflight)).toEqual(["root-read-only"]);
    const named = finding(preflight, "root-read-only");
    explained(named);
    const failed = await run(stage, [by, "restore", "-d", "-D", images, ...options]);
    expect(failed.exit).toBe(1);
    expect(failed.stderr).toContain(named.criu_message!);
    const done = await report(stage, "restore", images, given);
    expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
    expect(done.verdict!.differences).toMatchObject([
      { class: "mended", expected: "mount at /: ro relatime", found: "relatime" },
    ]);
    expect(existsSync(join(root, "tmp"))).toBe(false);
    await killTree(stage, done.run!.pid!);
    // With the directory nothing has to be done.
    mkdirSync(join(root, "tmp"));
    expect((await report(stage, "preflight", images, given)).findings).toEqual([]);
  },
);
