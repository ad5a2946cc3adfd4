import { copyOf } from "../stage/dumped.ts";
import { edit } from "../edit.ts";
import { finding, sameWords } from "../report.ts";
import { dumpJob } from "../sessions.ts";
import { criu, descendants, openStage, processOf, run, waitFor } from "../stage.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { join } from "node:path";

function commandLine(pid: number): string {
  return Bun.spawnSync(["cat", `/proc/${pid}/cmdline`]).stdout.toString();
}

test("CRIU's session is a number of the images", async () => {
  await using stage = openStage();
  const { job, images } = await dumpJob(stage, "family");
  /** Runs a command in a session that is known before: `prepare` gets its number. */
  const inSession = async (argv: string[], prepare: (session: number) => void) => {
    const go = join(stage.dir, `go-${++stage.count}`);
    const wait = `while [ ! -e '${go}' ]; do sleep 0.01; done; exec "$@"`;
    const done = run(stage, ["sh", "-c", wait, "sh", ...argv]);
    const find = () =>
      descendants(stage.supervisor.pid).find(
        ({ pid, ppid }) => ppid === stage.supervisor.pid && commandLine(pid).includes(go),
      );
    await waitFor("the session", () => find() !== undefined);
    prepare(find()!.pid);
    writeFileSync(go, "");
    return done;
  };
  const spoiled = copyOf(stage, images, "spoiled");
  const spoil = (session: number) =>
    edit(spoiled, "pstree.img", (entries) => {
      entries[1].pgid = session;
    });
  const log = join(stage.dir, "intersect.log");
  const bareArgv = [criu, "restore", "-d", "-j", "-D", spoiled, "-o", log, "-v4"];
  const bare = await inSession(bareArgv, spoil);
  expect(bare.exit).toBe(1);
  const { stdout: text } = await run(stage, ["cat", log]);
  const binary = join(import.meta.dir, "../../../dist/recriu");
  const words = [
    "env",
    `RECRIU_CRIU=${criu}`,
    binary,
    "preflight",
    "-d",
    "-j",
    "-D",
    spoiled,
    "--json",
  ];
  const preflight = await inSession(words, spoil);
  expect(preflight.exit).toBe(3);
  const found = finding(JSON.parse(preflight.stdout), "session-intersects");
  expect(sameWords(text, found.criu_message!)).toBe(true);
  expect(found.remedy.command).toContain("setsid --wait recriu restore -d -j");
  // Another session has another number.
  const told = JSON.parse(preflight.stdout);
  expect((await typed(stage, told, "session-intersects")).exit).toBe(0);
  await waitFor("the job", () => processOf(job) !== undefined);
});
