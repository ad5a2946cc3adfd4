/** What is written down of a restore: so that it leads somewhere from everywhere, and no longer than it is of use. */
import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { link, watched } from "../dropin/as-criu.ts";
import {
  alive,
  criu,
  killTree,
  openStage,
  recriuBinary,
  restoreBare,
  run,
  type Stage,
  stateOf,
  waitFor,
} from "./stage.ts";
import { dumpX11 } from "./x11.ts";

/** The journals that are there now. */
const journals = (stage: Stage): string[] =>
  readdirSync(join(stateOf(stage).run, "recriu")).filter((name) => name.endsWith(".journal"));

for (const [name, program] of [
  ["recriu", () => recriuBinary],
  ["criu", link],
] as const)
  test(`${name}: paths in a journal are absolute, and it is gone as soon as the tree runs`, async () => {
    await using stage = openStage({ ownState: true });
    const { pid, images, sockets } = await dumpX11(stage, []);
    rmSync(sockets, { recursive: true });
    expect((await restoreBare(stage, images)).exit).toBe(1);
    const script = join(stage.dir, "script");
    const keep = `cp /run/recriu/*.journal ${stage.dir}/kept`;
    writeFileSync(script, `#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != post-restore ] || ${keep}\n`, {
      mode: 0o755,
    });
    const words = [
      "restore",
      "-D",
      basename(images),
      "--action-script",
      script,
      "-v4",
      "-o",
      "r.log",
    ];
    const attached = run(stage, [program(stage), ...words], { env: { RECRIU_CRIU: criu } });
    const log = join(images, "r.log");
    await waitFor(
      "the tree to run",
      () => existsSync(log) && readFileSync(log, "utf8").includes("Tasks resumed"),
    );
    await waitFor("the watcher to end", () => !watched(stage));
    await waitFor("the journal to be gone", () => journals(stage).length === 0, 2000);
    expect(alive(pid)).toBe(true);
    const lines: any[] = readFileSync(join(stage.dir, "kept"), "utf8")
      .trim()
      .split("\n")
      .map((each) => JSON.parse(each));
    expect(lines.length).toBeGreaterThan(2);
    const places = lines.flatMap(({ images: of, root, action, path }) => [
      of ?? root,
      ...(action === "tree" ? [path] : []),
    ]);
    expect(places.filter((place) => !place.startsWith("/"))).toEqual([]);
    await killTree(stage, pid);
    expect((await attached).exit).toBe(0);
  });
