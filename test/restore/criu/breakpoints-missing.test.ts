/** A CRIU before 4.2 that was not told to do without hardware breakpoints, where those do not work. */
import { startDumped } from "../stage/dumped.ts";
import { breakpointsWork } from "../../../src/sys/breakpoints.ts";
import { finding, report } from "../report.ts";
import { criu, killTree, openStage, recriuBinary, run, type Stage } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

/** The CRIU under test without the library that scripts/setup gave it, so that it is as it was released. */
function asReleased(stage: Stage): string {
  const path = join(stage.dir, "released/criu");
  mkdirSync(dirname(path));
  const bytes = readFileSync(criu);
  const library = "no-breakpoints.so\0";
  for (let at = bytes.indexOf(library); at >= 0; at = bytes.indexOf(library))
    bytes.write("libc.so.6\0".padEnd(library.length, "\0"), at);
  writeFileSync(path, bytes, { mode: 0o755 });
  return path;
}

test("breakpoints-missing: bare CRIU hangs, recriu sets CRIU_FAULT in every stand", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  const released = asReleased(stage);
  const env = { RECRIU_CRIU: released };
  const bare = (variables: Record<string, string>) =>
    run(stage, [released, "restore", "-d", "-D", images], { env: variables, timeout: 4000 });
  if (breakpointsWork() !== false) {
    expect((await report(stage, "preflight", images, [], { env })).findings).toEqual([]);
    expect((await bare({})).exit).toBe(0);
    return;
  }
  const preflight = await report(stage, "preflight", images, ["-d"], { env });
  const named = finding(preflight, "breakpoints-missing");
  expect(named).toMatchObject({
    severity: "blocker",
    criu_message: null,
    remedy: { kind: "variable" },
  });
  expect(named.remedy.command).toStartWith("CRIU_FAULT=130 criu restore ");
  expect(preflight).toMatchObject({ exit: 0, plan: { environment: ["CRIU_FAULT=130"] } });
  expect((await bare({})).exit).toBe(null);
  const first = { PATH: `${dirname(released)}:${process.env["PATH"]}` };
  expect((await typed(stage, preflight, "breakpoints-missing", { env: first })).exit).toBe(0);
  await killTree(stage, pid);
  const detached = await report(stage, "preflight", images, ["-d"], { env });
  expect((await typed(stage, detached, "breakpoints-missing")).exit).toBe(0);
  await killTree(stage, pid);

  const told = await report(stage, "preflight", images, [], { env: { ...env, CRIU_FAULT: "130" } });
  expect(told.findings).toEqual([]);
  const none = await report(stage, "restore", images, ["--fix=none"], { env });
  expect(none.exit).toBe(3);
  const dry = await run(stage, [recriuBinary, "restore", "--dry-run", "-D", images], { env });
  expect(dry.stderr).toContain("  set     CRIU_FAULT=130\n");

  expect((await report(stage, "restore", images, [], { env })).exit).toBe(0);
  await killTree(stage, pid);
  const asCriu = ["bash", "-c", 'exec -a criu "$0" "$@"', recriuBinary, "restore", "-dD", images];
  expect((await run(stage, asCriu, { env })).exit).toBe(0);
  await killTree(stage, pid);
});
