import { blockers, explained, finding, sameWords } from "../report.ts";
import { dump, killTree, openStage, start } from "../stage.ts";
import { typed } from "../typed.ts";
import { bareUnder, reportUnder } from "../under.ts";
import { named, onTerminal } from "./ttys.ts";
import { expect, test } from "bun:test";

test("tty-controlling: the leader of a session that keeps /dev/tty open", async () => {
  await using stage = openStage();
  const terminal = await start(stage, "terminal", ["keeper"]);
  const shell = named(terminal.pid, "shell");
  const images = await dump(stage, shell, ["--shell-job"]);
  await killTree(stage, terminal.pid);
  const preflight = await reportUnder(stage, onTerminal, "preflight", images, ["-j"]);
  expect(blockers(preflight)).toEqual(["tty-controlling"]);
  const foretold = finding(preflight, "tty-controlling");
  expect(foretold).toMatchObject({ task: shell, subject: "/dev/tty" });
  const bare = await bareUnder(stage, onTerminal, images, ["-d", "-j"]);
  expect(bare.exit).not.toBe(0);
  expect(
    bare.log.split("\n").filter((line) => sameWords(line, foretold.criu_message!)),
  ).not.toEqual([]);
  explained(foretold);
  const handed = /--inherit-fd '(fd\[0\]:\S+)'$/.exec(foretold.remedy.command!)![1]!;
  // Both would have standard input.
  const both = ["-d", "-j", "--inherit-fd", handed];
  const twice = await reportUnder(stage, onTerminal, "preflight", images, both);
  expect(blockers(twice)).toEqual(["tty-stdin"]);
  const bareTwice = await bareUnder(stage, onTerminal, images, both);
  expect(bareTwice.log).toContain(finding(twice, "tty-stdin").criu_message!);
  explained(finding(twice, "tty-stdin"));
  const words = ["-d", "-j", "--no-shell-job", "--inherit-fd", handed];
  expect(foretold.remedy.command).toEndWith(`-j --no-shell-job --inherit-fd '${handed}'`);
  const restored = await reportUnder(stage, onTerminal, "restore", images, words);
  expect(restored).toMatchObject({ exit: 0, findings: [], verdict: { result: "match" } });
  await killTree(stage, shell);
  // Without --shell-job the one option does for both.
  const plain = await reportUnder(stage, onTerminal, "preflight", images);
  expect(blockers(plain)).toEqual(["tty-controlling"]);
  expect(plain.findings[0]!.remedy.command).toBe(`--inherit-fd '${handed}'`);
  expect((await typed(stage, plain, "tty-controlling", { under: onTerminal })).exit).toBe(0);
});
