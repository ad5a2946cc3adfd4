import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { forky, isBefore42 } from "../criu.ts";
import { blockers, explained, finding, report } from "../report.ts";
import { criu, openStage, run } from "../stage.ts";
import { dumpContainer } from "../tree-in-container.ts";
import { typed } from "../typed.ts";

const by = isBefore42 ? forky : criu;

// CRIU 4.2 was the first to give a root its flags; a system has no other than its own.
test.skipIf(!existsSync(by))(
  "root-read-only: CRIU changes into it by its directory tmp",
  async () => {
    await using stage = openStage();
    const { images, options } = await dumpContainer(stage, {
      mounts: [
        ["proc", "none", "/proc"],
        ["readonly", "none", "/"],
      ],
    });
    const given = [...options, `--criu=${by}`];
    const preflight = await report(stage, "preflight", images, given);
    expect(blockers(preflight)).toEqual(["root-read-only"]);
    const named = finding(preflight, "root-read-only");
    explained(named);
    const bare = () => run(stage, [by, "restore", "-d", "-D", images, ...options]);
    const failed = await bare();
    expect(failed.exit).toBe(1);
    expect(failed.stderr).toContain(named.criu_message!);
    expect((await typed(stage, preflight, "root-read-only")).exit).toBe(0);
    expect((await report(stage, "preflight", images, given)).findings).toEqual([]);
    // Its socket, which lies in that root, is another matter.
    const further = await bare();
    expect(further.stderr).not.toContain(named.criu_message!);
  },
);
