import { finding, report } from "../report.ts";
import { alive, dump, openStage, start } from "../stage.ts";
import { compile } from "../stage/compile.ts";
import { bareUnder, reportUnder } from "../under.ts";
import { filtered } from "./labels.ts";
import { expect, test } from "bun:test";

/** CRIU under a filter of its own, as in most containers. */
const underFilter = [compile("seccomp"), "run"];

test("seccomp-suspend: CRIU under a filter cannot suspend those of the tasks", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "seccomp", ["strict"]);
  await filtered(pid);
  const images = await dump(stage, pid);
  const preflight = await reportUnder(stage, underFilter, "preflight", images);
  const found = finding(preflight, "seccomp-suspend");
  expect([preflight.exit, found.severity]).toEqual([0, "warning"]);
  const bare = await bareUnder(stage, underFilter, images, ["-d"], { timeout: 3000 });
  expect(bare.exit).toBeNull(); // it waits for a task that is dead, until it is killed
  expect(bare.log).toContain(found.criu_message!);
  expect(alive(pid)).toBe(false);
  expect(await report(stage, "restore", images)).toMatchObject({ exit: 0, findings: [] });
  expect(alive(pid)).toBe(true);
});
