/** A CRIU that is newer than all that is known: what it is told of, and what is not looked at. The real one says so of itself. */
import { startDumped } from "../restore/stage/dumped.ts";
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { criu, killTree, openStage, recriu, run, type Stage } from "../restore/stage.ts";
import { asCriu } from "./as-criu.ts";

/** The real CRIU under another version, which drops the option that it would know. */
function newer(stage: Stage, version: string, help = ""): string {
  const path = join(stage.dir, `criu-${version}`);
  const script = `#!/bin/bash
[ "$1" = --version ] && echo "Version: ${version}" && exit
[ "$1" = --help ] && echo '${help}' && exit
for word; do shift; [ "$word" = --brand-new=1 ] || set -- "$@" "$word"; done
exec ${criu} "$@"
`;
  writeFileSync(path, script, { mode: 0o755 });
  return path;
}

test("an unknown option: recriu steps aside and says so, but not for images of others", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  const words = ["restore", "-d", "-D", images, "-W", stage.dir, "--brand-new=1"];
  const env = { RECRIU_CRIU: newer(stage, "9.1") };
  const aside = await asCriu(stage, words, { env });
  expect(aside.exit).toBe(0);
  expect(aside.stderr).toContain(
    "recriu steps aside, nothing is checked: unrecognized option '--brand-new'; CRIU 9.1 (known here: up to",
  );
  await killTree(stage, pid);
  const refused = await asCriu(stage, words, { env: { ...env, RECRIU_UNTRUSTED: "1" } });
  expect(refused.exit).toBe(1);
  expect(refused.stderr).toContain("untrusted, and not looked at: unrecognized option");
  // A CRIU that is known refuses it itself.
  const known = await asCriu(stage, words);
  expect(known.exit).toBe(1);
  expect(known.stderr).not.toContain("steps aside");
});

test("an option that only this CRIU knows is passed on and told, and all else is guarded", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  const help = "  --brand-new NUM       a switch to come";
  const env = { RECRIU_CRIU: newer(stage, "9.1", help) };
  const words = ["-d", "-D", images, "-W", stage.dir, "--brand-new=1"];
  const said = "recriu does not know --brand-new, which CRIU 9.1 has: it is passed on";
  const done = await recriu(stage, ["restore", "--json", ...words], { env });
  const { findings, verdict } = JSON.parse(done.stdout);
  expect(findings).toMatchObject([{ id: "option-unknown", severity: "info" }]);
  expect(findings[0].message).toContain(said);
  expect([done.exit, verdict.result]).toEqual([0, "match"]);
  await killTree(stage, pid);

  const asked = await asCriu(stage, ["restore", ...words], { env });
  expect(asked.exit).toBe(0);
  expect(asked.stderr).toContain(said);
  expect(asked.stderr).not.toContain("steps aside");
  await killTree(stage, pid);
  // Not the text that is to be had, but what stands in it.
  const other = await recriu(stage, ["preflight", ...words, "--brand-newer"], { env });
  expect(other.exit).toBe(2);
  expect(other.stderr).toContain("unrecognized option '--brand-newer'");
});

test("what is understood is guarded, and with RECRIU_DEBUG=1 it is said that more may be there", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  const env = { RECRIU_CRIU: newer(stage, "9.1"), RECRIU_DEBUG: "1" };
  const words = ["restore", "-d", "-D", images, "-W", stage.dir];
  const done = await asCriu(stage, words, { env });
  expect(done.exit).toBe(0);
  expect(done.stderr).toContain("recriu: CRIU 9.1 is newer than");
  await killTree(stage, pid);
});

test("doctor says it too, and which faults this CRIU is known to have on this kernel", async () => {
  await using stage = openStage();
  const facts = async (path: string) => {
    const { stdout } = await recriu(stage, ["doctor", "--json", `--criu=${path}`]);
    return JSON.parse(stdout).facts as { name: string; found: string; means: string }[];
  };
  expect(await facts(newer(stage, "9.1"))).toContainEqual(
    expect.objectContaining({ name: "criu version", state: "warning" }),
  );
  const old = (await facts(newer(stage, "4.1"))).filter(({ name }) => name === "criu fault");
  expect(old.map(({ means }) => means).join()).toContain("PR #2695");
  expect((await facts(criu)).map(({ name }) => name)).not.toContain("criu version");
});

test("an option that came later than this CRIU is named before it refuses it", async () => {
  await using stage = openStage();
  const { images } = await startDumped(stage);
  const options = ["-D", images, "--decompress-threads", "2"];
  const said = await recriu(stage, ["preflight", "--json", ...options]);
  const { findings, criu: found } = JSON.parse(said.stdout);
  const bare = await run(stage, [criu, "restore", "-d", ...options, "-W", stage.dir]);
  if (Number.parseFloat(found.version) >= 4.3) return expect(findings).toEqual([]);
  expect(findings).toMatchObject([{ id: "criu-too-old", severity: "blocker" }]);
  expect(bare.exit).toBe(1);
  expect(bare.stderr).toContain(findings[0].criu_message);
});
