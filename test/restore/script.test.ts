/** `preflight --script`: all that a person has to do, as one script; run as it is, the tree is restored. */
import { expect, test } from "bun:test";
import { rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { blockers, report } from "./report.ts";
import { alive, openStage, recriu, run } from "./stage.ts";
import { programs } from "./typed.ts";
import { dumpX11 } from "./x11.ts";

test("what the script says is typed, and the restore at its end passes", async () => {
  await using stage = openStage();
  const { images, progress, sockets, pid } = await dumpX11(stage);
  rmSync(progress);
  rmSync(sockets, { recursive: true });
  const options = ["-d", "-D", images, "--fix=none"];
  expect(blockers(await report(stage, "preflight", images, ["--fix=none"])).sort()).toEqual([
    "file-missing",
    "unix-socket-dir",
  ]);
  const blocked = await recriu(stage, ["preflight", ...options]);
  const next = blocked.stderr.trimEnd().split("; next: ").at(-1)!;
  expect(next).toBe(`recriu preflight --fix=none ${options.slice(0, 3).join(" ")} --script`);

  const env = { PATH: `${programs(stage)}:${process.env["PATH"]}` };
  const printed = await run(stage, ["sh", "-c", next], { env });
  expect([printed.exit, printed.stderr]).toEqual([3, ""]);
  const script = join(stage.dir, "script");
  writeFileSync(script, printed.stdout);
  const restored = await run(stage, ["sh", script], { env });
  expect([restored.exit, alive(pid)]).toEqual([0, true]);
});

test("where a person must act, the script says so and does not restore", async () => {
  await using stage = openStage();
  const { images, pid } = await dumpX11(stage);
  const first = await recriu(stage, ["restore", "-d", "-D", images]);
  expect(first.exit).toBe(0);
  const { stdout, exit } = await recriu(stage, ["preflight", "-D", images, "--script"]);
  expect(exit).toBe(3);
  expect(stdout).toContain("already-running");
  expect(stdout).toContain(`recriu restore -D ${images}`);
  expect(alive(pid)).toBe(true);

  const both = await recriu(stage, ["preflight", "-D", images, "--script", "--json"]);
  expect(JSON.parse(both.stdout)).toMatchObject({
    exit: 2,
    problem: expect.stringContaining("--script and --json"),
  });
  const quiet = await recriu(stage, ["preflight", "-D", images, "-q"]);
  expect(quiet.stderr).toMatch(
    /^blocked; nothing was touched; recriu restore .* would restore it, out of others' reach\n$/,
  );
});
