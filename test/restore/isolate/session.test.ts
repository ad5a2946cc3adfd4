/** A job whose numbers are those of the session that it is restored from: inside, that has none of them. */
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { edit } from "../edit.ts";
import { blockers, finding } from "../report.ts";
import { dumpJob } from "../sessions.ts";
import { criu, openStage, recriuBinary, type Stage } from "../stage.ts";

/** Runs recriu in a session whose number is a process group of the images. */
async function inItsSession(stage: Stage, images: string, words: string[]) {
  const go = join(stage.dir, `go-${++stage.count}`);
  const wait = `while [ ! -e '${go}' ]; do sleep 0.01; done; exec "$@"`;
  const argv = ["sh", "-c", wait, "sh", "env", `RECRIU_CRIU=${criu}`, recriuBinary, ...words];
  const child = await stage.supervisor.spawn(argv, { cwd: stage.dir, stdout: `${go}.out` });
  edit(images, "pstree.img", (entries) => {
    entries[1].pgid = child.pid;
  });
  writeFileSync(go, "");
  return { exit: await child.exited, told: () => JSON.parse(readFileSync(`${go}.out`, "utf8")) };
}

test("recriu's session is a number of the images", async () => {
  await using stage = openStage();
  const { images } = await dumpJob(stage, "family");
  const words = ["-d", "-j", "-D", images, "--json"];
  const blocked = await inItsSession(stage, images, ["restore", ...words]);
  expect([blocked.exit, blockers(blocked.told()).includes("session-intersects")]).toEqual([
    3,
    true,
  ]);
  expect(blocked.told().plan.would_restore.isolate).toEqual(["pid"]);
  const done = await inItsSession(stage, images, ["restore", ...words, "--isolate"]);
  expect([done.exit, done.told().plan.isolate]).toEqual([0, ["pid", "mount"]]);
  expect(finding(done.told(), "session-intersects").remedy.kind).toBe("isolate");
  expect(done.told().verdict.result).toBe("match");
});
