import { blockers, finding, report, sameWords } from "../report.ts";
import { dumpJob } from "../sessions.ts";
import { descendants, dump, killTree, openStage, restoreBare, run } from "../stage.ts";
import { compile } from "../stage/compile.ts";
import { typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { join } from "node:path";

test("a job with a child needs --shell-job, which recriu adds", async () => {
  await using stage = openStage();
  const { shell, job, images } = await dumpJob(stage, "family");
  const preflight = await report(stage, "preflight", images);
  const found = finding(preflight, "shell-job-session");
  expect(found).toMatchObject({
    severity: "blocker",
    task: job,
    subject: `session ${shell}`,
    remedy: { kind: "option" },
  });
  expect(preflight).toMatchObject({ exit: 0, plan: { options: ["--shell-job"] } });
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(sameWords(bare.log, found.criu_message!)).toBe(true);
  const restored = await report(stage, "restore", images);
  expect(restored).toMatchObject({ exit: 0, verdict: { result: "match" } });
  await killTree(stage, job);
  expect((await typed(stage, preflight, "shell-job-session")).exit).toBe(0);
  await killTree(stage, job);
  // What the user says is never overridden.
  const refused = await report(stage, "preflight", images, ["--no-shell-job"]);
  expect(refused).toMatchObject({ exit: 3, plan: { options: [] } });
  expect(blockers(await report(stage, "preflight", images, ["-j"]))).toEqual([]);
  expect((await restoreBare(stage, images, ["-j"])).exit).toBe(0);
});

test("a job alone is restored into another session: a warning", async () => {
  await using stage = openStage();
  const { job, shell, images } = await dumpJob(stage, "alone");
  const preflight = await report(stage, "preflight", images);
  expect(preflight.exit).toBe(0);
  expect(finding(preflight, "shell-job-session").severity).toBe("warning");
  expect((await restoreBare(stage, images)).exit).toBe(0);
  const { stdout } = await run(stage, ["ps", "-o", "sid=", "-p", `${job}`]);
  expect(Number(stdout)).not.toBe(shell);
});

test("a job whose shell is dead and led its group: bare CRIU waits for ever, recriu adds --shell-job", async () => {
  await using stage = openStage();
  const shell = stage.supervisor.spawn([compile("job"), join(stage.dir, "ready"), "nohup"]);
  await (
    await shell
  ).exited;
  const [job] = descendants(stage.supervisor.pid);
  const images = await dump(stage, job!.pid, ["--shell-job"]);
  const found = finding(await report(stage, "preflight", images), "shell-job-session");
  expect(found).toMatchObject({
    severity: "blocker",
    criu_message: null,
    remedy: { command: "--shell-job" },
  });
  expect((await restoreBare(stage, images, [], { timeout: 3000 })).exit).toBe(null);
  const refused = await report(stage, "restore", images, ["--no-shell-job"]);
  expect(blockers(refused)).toEqual(["shell-job-session"]);
  expect(refused.exit).toBe(3);
  expect((await restoreBare(stage, images, [found.remedy.command!])).exit).toBe(0);
  await killTree(stage, job!.pid);
  const restored = await report(stage, "restore", images);
  expect(restored).toMatchObject({ exit: 0, plan: { options: ["--shell-job"] } });
  expect(restored.verdict!.result).toBe("match");
});
