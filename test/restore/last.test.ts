/** Why a restore was refused or failed is kept where it outlives CRIU's log, for root, and shown again. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import {
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { asCriu } from "../dropin/as-criu.ts";
import { checkpoint, end, makeContainer, restoreWords } from "./oci.ts";
import { criu, openStage, recriuBinary, run, type Stage, start } from "./stage.ts";

async function stagedLog(stage: Stage) {
  const dir = join(stage.dir, "reasons");
  const env = { RECRIU_LOG_DIR: dir, RECRIU_CRIU: criu, NO_COLOR: "1" };
  const last = async (...words: string[]) => run(stage, [recriuBinary, "last", ...words], { env });
  return { dir, file: join(dir, "restores.log"), env, last };
}

test("recriu, criu, and a CRIU that fails: the last reason is shown, in words and as JSON", async () => {
  await using stage = openStage();
  const { dir, file, env, last } = await stagedLog(stage);
  expect((await last()).stderr).toContain("of no restore that was refused or failed");
  expect(existsSync(dir)).toBe(false);
  const { pid, images } = await startDumped(stage);
  // CRIU fails after recriu agreed.
  const veto = join(stage.dir, "veto");
  writeFileSync(veto, "#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != post-restore ]\n", { mode: 0o755 });
  const failing = ["restore", "-d", "-D", images, "-o", "r.log", "-v4", "--action-script", veto];
  const failed = await run(stage, [recriuBinary, ...failing], { env });
  expect(failed.exit).not.toBe(0);
  const byRecriu = (await last()).stderr;
  expect(byRecriu).toMatch(/^\S+Z recriu: Script .*veto exited with -1/);
  expect(byRecriu).toContain(`  images  ${images}`);
  expect((await asCriu(stage, failing, { env })).exit).toBe(1);
  expect((await last()).stderr).toMatch(/^\S+Z criu: Script .*veto exited with -1/);

  await start(stage, "at-pid", [`${pid}`]);
  const words = ["restore", "-d", "-D", images, "-o", "r.log"];
  expect((await run(stage, [recriuBinary, ...words], { env })).exit).toBe(3);
  expect((await last()).stderr).toMatch(/recriu: the restore is blocked: .*\[pid-in-use\]/);
  expect((await asCriu(stage, words, { env })).exit).toBe(1);
  expect(readFileSync(join(images, "r.log"), "utf8").split("\n")[0]).toMatch(
    /^\(00\.000000\) Error \(recriu\): the restore is blocked: .*; recriu last shows it$/,
  );
  const { reasons } = JSON.parse((await last("--json", "--all")).stdout);
  expect(reasons.map(({ by }: { by: string }) => by)).toEqual(["recriu", "criu", "recriu", "criu"]);
  expect(reasons.at(-1)).toMatchObject({ images, log: join(images, "r.log") });
  expect([statSync(dir).mode & 0o777, statSync(file).mode & 0o777]).toEqual([0o700, 0o600]);
  // A dry run is none.
  await run(stage, [recriuBinary, ...words, "--dry-run"], { env });
  expect(JSON.parse((await last("--json", "--all")).stdout).reasons).toHaveLength(4);

  // A file that is full becomes the older one; both are shown.
  const line = readFileSync(file, "utf8").split("\n")[0]!;
  writeFileSync(file, `${line}\n`.repeat(Math.ceil((1 << 20) / line.length) + 1));
  await run(stage, [recriuBinary, ...words], { env });
  expect([existsSync(file), existsSync(`${file}.1`)]).toEqual([false, true]);
  await run(stage, [recriuBinary, ...words], { env });
  const all = JSON.parse((await last("--json", "--all")).stdout).reasons as { by: string }[];
  expect(all.length).toBeGreaterThan(1000);
  expect((await last()).stderr).toContain("[pid-in-use]");
});

test("what others could have put there is neither written to nor believed, and keeps nobody from refusing", async () => {
  await using stage = openStage();
  const { dir, file, env, last } = await stagedLog(stage);
  const { pid, images } = await startDumped(stage);
  await start(stage, "at-pid", [`${pid}`]);
  const other = join(stage.dir, "other");
  writeFileSync(other, "");
  const refused = async () => {
    const done = await run(stage, [recriuBinary, "restore", "-d", "-D", images, "-o", "r.log"], {
      env,
    });
    expect([done.exit, done.stderr]).toEqual([3, expect.stringContaining("[pid-in-use]")]);
    expect(readFileSync(other, "utf8")).toBe("");
    expect(readFileSync(join(images, "r.log"), "utf8")).not.toContain("recriu last");
  };
  mkdirSync(dir);
  await run(stage, ["chmod", "777", dir]);
  await refused();
  expect((await last()).stderr).toContain("others than its owner may write to it");
  await run(stage, ["chmod", "700", dir]);
  symlinkSync(other, file);
  await refused();
  rmSync(file);
  await run(stage, ["mkfifo", file]);
  await refused();
  rmSync(dir, { recursive: true });
  symlinkSync(stage.dir, dir);
  await refused();
  expect(existsSync(join(stage.dir, "restores.log"))).toBe(false);
});

test("runc: a refusal as criu begins with a line in CRIU's form in the log, and outlives it", async () => {
  await using stage = openStage();
  const { env, last } = await stagedLog(stage);
  const container = makeContainer(stage, "runc", false, env);
  await checkpoint(container);
  rmSync(container.sockets, { recursive: true });
  writeFileSync(container.sockets, "a file where a directory was");
  for (const way of ["withCriu", "guarded"] as const) {
    const id = `${container.name}-${way}`;
    expect((await container[way](...restoreWords(container, id))).exit).toBe(1);
    if (way === "withCriu") {
      const error = readFileSync(container.log, "utf8")
        .split("\n")
        .find((line) => line.includes("Error"));
      expect(error).toMatch(
        /^\(00\.000000\) Error \(recriu\): .*\[unix-socket-dir\].*; recriu last shows it$/,
      );
      // As the container has it; the runtime's own mount of its root is gone by now.
      expect(error).toContain("the socket /tmp/.X11-unix/X7 cannot be bound");
      expect(error).toContain(`in the container, whose root is ${container.rootfs})`);
      expect(error).not.toContain("criu-root");
      truncateSync(container.log);
    } else
      expect(readFileSync(join(stage.dir, "stderr"), "utf8").split("\n")[0]).toMatch(
        /; recriu last shows it$/,
      );
    const kept = (await last()).stderr;
    expect(kept).toMatch(way === "withCriu" ? /criu, for a runtime: / : /recriu-runc: /);
    expect(kept).toContain("blocker[unix-socket-dir]");
    await end(container, id);
  }
});
