import { blockers, finding, report } from "../report.ts";
import {
  dump,
  killTree,
  openStage,
  recriuBinary,
  restoreBare,
  run,
  type Stage,
  start,
} from "../stage.ts";
import { typed, typedAndStays } from "../typed.ts";
import { bareUnder, reportUnder } from "../under.ts";
import { named, onTerminal } from "./ttys.ts";
import { expect, test } from "bun:test";
import { cpSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Standard input is that terminal, in a session that it does not control. */
const besideTerminal = (command: string) => onTerminal(`setsid --wait ${command}`);

async function dumpJob(stage: Stage) {
  const terminal = await start(stage, "terminal", ["job"]);
  const job = named(terminal.pid, "job");
  const images = await dump(stage, job, ["--shell-job"]);
  await killTree(stage, terminal.pid);
  return { job, images };
}

test("a job on a terminal of outside needs --shell-job, and a terminal on standard input", async () => {
  await using stage = openStage();
  const { job, images } = await dumpJob(stage);
  const preflight = await report(stage, "preflight", images);
  expect(blockers(preflight)).toEqual(["tty-shell-job"]);
  expect(preflight).toMatchObject({ exit: 3, plan: { options: [] } });
  const bare = await restoreBare(stage, images);
  expect(bare.exit).toBe(1);
  expect(bare.log).toContain(finding(preflight, "tty-shell-job").criu_message!);

  const onOne = await typed(stage, preflight, "tty-shell-job", { under: onTerminal });
  expect(onOne.exit).toBe(0);
  await killTree(stage, job);

  // Standard input is /dev/null here.
  const without = await report(stage, "preflight", images, ["-j"]);
  expect(blockers(without)).toEqual(["tty-stdin"]);
  const bareWithout = await restoreBare(stage, images, ["-j"]);
  expect(bareWithout.exit).toBe(1);
  expect(bareWithout.log).toContain(finding(without, "tty-stdin").criu_message!);

  // -d is not among what is typed: script's terminal would hang up when it ends, and take the tree with it.
  for (const words of [["-j", "-d"], ["-jd"]]) {
    const detached = await report(stage, "preflight", images, words);
    await typedAndStays(stage, detached, "tty-stdin", job);
    await killTree(stage, job);
  }

  const beside = await reportUnder(stage, besideTerminal, "preflight", images, ["-j"]);
  expect(blockers(beside)).toEqual(["tty-stdin"]);
  const bareBeside = await bareUnder(stage, besideTerminal, images, ["-d", "-j"]);
  expect(bareBeside.exit).not.toBe(0);
  expect(bareBeside.log).toContain(finding(beside, "tty-stdin").criu_message!);

  const options = ["-d", "-j"];
  const restored = await reportUnder(stage, onTerminal, "restore", images, options);
  expect(restored).toMatchObject({ exit: 0, findings: [] });
  await killTree(stage, job);
  expect((await bareUnder(stage, onTerminal, images, options)).exit).toBe(0);
});

test("in an exported archive it is the container's terminal, whose other end the runtime takes", async () => {
  await using stage = openStage();
  const { images } = await dumpJob(stage);
  const [exported, archive] = [join(stage.dir, "exported"), join(stage.dir, "exported.tar")];
  mkdirSync(exported);
  cpSync(images, join(exported, "checkpoint"), { recursive: true });
  writeFileSync(join(exported, "spec.dump"), '{"root": {"path": "rootfs"}}');
  writeFileSync(join(exported, "config.dump"), "{}");
  await run(stage, ["tar", "-C", exported, "-cf", archive, "."]);
  const looked = (of: string[]) =>
    run(stage, [recriuBinary, "preflight", "--only=tty-shell-job", ...of]);
  expect((await looked(["-D", images])).exit).toBe(3);
  expect((await looked([archive])).exit).toBe(0);
});
