/** TCP connections that a tree has when it is dumped: over loopback, and to a task in another network namespace, which goes on meanwhile. */
import { compile } from "../restore/stage/compile.ts";
import { blockers, report } from "../restore/report.ts";
import {
  criu,
  dump,
  killTree,
  openStage,
  run,
  type Stage,
  start,
  waitFor,
} from "../restore/stage.ts";
import { stageCheck } from "../restore/stage-check.ts";
import { reportUnder } from "../restore/under.ts";
import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

const options = ["--tcp-established"];
const echoes = (file: string) => readFileSync(file, "utf8").split("\n").length - 1;

async function goesOn(progress: string): Promise<void> {
  const before = echoes(progress);
  await waitFor("the connection to go on", () => echoes(progress) > before + 2);
}

test("over loopback: named beforehand, and with the option it goes on", async () => {
  await using stage = openStage();
  const progress = join(stage.dir, "progress");
  const { pid } = await start(stage, "tcp", ["7777", "pair", progress]);
  const images = await dump(stage, pid, options);
  await stageCheck({ id: "tcp-established", stage, images, exit: 0, mend: "typed", pid });
  const done = await report(stage, "restore", images, options);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  await goesOn(progress);
  await killTree(stage, pid);
});

const [here, there] = ["recriu-here", "recriu-there"];
afterAll(() => {
  for (const name of [here, there]) Bun.spawnSync(["ip", "netns", "del", name]);
});

/** Two network namespaces with a cable between them, at 192.0.2.1 and 192.0.2.2 (RFC 5737). */
async function cable(stage: Stage): Promise<void> {
  const ip = async (...words: string[]) =>
    expect(await run(stage, ["ip", ...words])).toMatchObject({ exit: 0 });
  for (const name of [here, there]) await ip("netns", "add", name);
  await ip("link", "add", "end", "netns", here, "type", "veth", "peer", "end", "netns", there);
  for (const [name, address] of [
    [here, "192.0.2.1/24"],
    [there, "192.0.2.2/24"],
  ] as const) {
    await ip("-n", name, "address", "add", address, "dev", "end");
    for (const link of ["lo", "end"]) await ip("-n", name, "link", "set", link, "up");
  }
}

test("between two network namespaces: the other end has waited", async () => {
  await using stage = openStage();
  await cable(stage);
  const within = (name: string) => ["nsenter", `--net=/run/netns/${name}`];
  const progress = join(stage.dir, "progress");
  const end = async (name: string, ...words: string[]) => {
    const ready = join(stage.dir, `ready-${name}`);
    const argv = [...within(name), compile("tcp"), ready, "7777", ...words];
    const child = await stage.supervisor.spawn(argv, { cwd: "/" });
    await waitFor(`it in ${name}`, () => existsSync(ready));
    rmSync(ready);
    return child.pid;
  };
  const answers = await end(there, "answer", "192.0.2.2");
  const asks = await end(here, "ask", "192.0.2.2", progress);
  const images = join(stage.dir, "images");
  mkdirSync(images);
  const under = within(here);
  const words = ["dump", "-t", `${asks}`, "-D", images, ...options];
  expect(await run(stage, [...under, criu, ...words])).toMatchObject({ exit: 0 });
  await stageCheck({ id: "tcp-established", stage, images, under, exit: 0 });
  const done = await reportUnder(stage, under, "restore", images, ["-d", ...options]);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(blockers(done)).toEqual([]);
  await goesOn(progress);
  await killTree(stage, asks);
  await killTree(stage, answers);
});
