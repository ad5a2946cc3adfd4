/** CRIU itself: not there, too old for this kernel, without the rights it needs. */
import { old } from "./criu.ts";
import { report } from "./report.ts";
import { criu, openStage, recriu, run } from "./stage.ts";
import { dumpX11 } from "./x11.ts";
import { expect, test } from "bun:test";
import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("a CRIU that is gone when it is wanted: what was repaired for it is taken back", async () => {
  await using stage = openStage();
  const { images, sockets } = await dumpX11(stage, []);
  rmSync(sockets, { recursive: true });
  // It answers once, and is no program any more.
  const once = join(stage.dir, "once");
  writeFileSync(once, `#!/bin/sh\necho Version: 4.1.1\necho '#!/nowhere' >${once}\n`, {
    mode: 0o755,
  });
  // With scripts of the user's CRIU is not held.
  const words = [`--criu=${once}`, "--action-script=/bin/true"];
  const failed = await report(stage, "restore", images, words);
  expect(failed).toMatchObject({ exit: 1, run: null, failure: { left: [] } });
  expect(failed.failure!.line).toContain("posix_spawn");
  expect(failed.stderr).not.toContain("await");
  expect(existsSync(sockets)).toBe(false);
  expect((await run(stage, ["grep", "-rl", images, "/run/recriu"])).stdout).toBe("");
});

test("doctor names the CRIU, and that an old one cannot start", async () => {
  await using stage = openStage();
  const facts = async (path: string) =>
    JSON.parse((await recriu(stage, ["doctor", "--json", `--criu=${path}`])).stdout).facts as {
      name: string;
      state: string;
      found: string;
    }[];
  expect(await facts(criu)).toContainEqual(
    expect.objectContaining({ name: "criu check", state: "ok" }),
  );
  expect(await facts("/nowhere/criu")).toContainEqual(
    expect.objectContaining({ name: "criu", state: "missing" }),
  );
  expect(await facts(old)).toContainEqual(
    expect.objectContaining({ name: "criu", found: `${old}, version 3.17.1` }),
  );
  // It says who it is, and takes longer than anybody waits.
  const slow = join(stage.dir, "slow");
  writeFileSync(slow, `#!/bin/sh\n[ $1 = --version ] || sleep 60\nexec ${criu} "$@"\n`, {
    mode: 0o755,
  });
  expect(await facts(slow)).toContainEqual(
    expect.objectContaining({
      name: "criu check",
      state: "warning",
      found: "no answer in ten seconds",
    }),
  );
}, 240_000);
