/** The program's first instructions (scripts/entry.ts), where they do more than refuse: what they set reaches no other program. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { chmodSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { criu, killTree, openStage, recriuBinary, run } from "./stage.ts";

test("the engine's options are in force, whatever the environment is", async () => {
  await using stage = openStage();
  const told = async (script: string) => {
    const words = ["env", "-i", "/bin/bash", "-c", `${script}; exec "$0" --version`, recriuBinary];
    const done = await run(stage, words);
    expect(done).toMatchObject({ exit: 0, stdout: expect.stringMatching(/^recriu \d/) });
    return done.stderr;
  };
  const inForce = /useDFGJIT=false \(default: true\)[^]*forceRAMSize=67108864 \(default: 0\)/;
  const dumped = "export BUN_JSC_dumpOptions=1";
  const many = "for n in {1..10000}; do export V$n=xxxxxxxxxxxxxxxxxxxx; done";
  expect(await told("unset PWD SHLVL _")).toBe("");
  expect(await told(dumped)).toMatch(inForce);
  expect(await told(`${many}; ${dumped}`)).toMatch(inForce);
});

test("neither CRIU nor its scripts see it; what was given they see", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "sched", ["other", "0", "5"]);
  const [seen, between] = [join(stage.dir, "seen"), join(stage.dir, "between")];
  writeFileSync(between, `#!/bin/sh\nenv >>${seen}\nexec ${criu} "$@"\n`);
  chmodSync(between, 0o755);
  const script = join(stage.dir, "script");
  writeFileSync(script, `#!/bin/sh\nenv >>${seen}\n`);
  chmodSync(script, 0o755);
  const words = ["restore", "-d", "-D", images, "--action-script", script];
  const done = await run(stage, [recriuBinary, ...words], {
    env: { RECRIU_CRIU: between, GIVEN: "1" },
  });
  expect(done).toMatchObject({ exit: 0 });
  const environment = readFileSync(seen, "utf8");
  expect(environment).toContain("GIVEN=1\n");
  expect(environment).toContain("CRTOOLS_SCRIPT_ACTION=");
  expect(environment).not.toContain("BUN_");
  await killTree(stage, pid);
});
