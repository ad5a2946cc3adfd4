/**
 * `npm run bench`: recriu against bare CRIU, by turns and in one go, on real checkpoints made for it.
 *
 *   npm run bench                    all cases, into docs/benchmarks.md and docs/benchmarks.json
 *   npm run bench -- --compare       prints the change to what docs/benchmarks.json has; writes nothing
 *   npm run bench -- --only=TEXT     cases whose name has TEXT; prints, writes nothing
 *   npm run bench -- --runs=N        10 without it
 */
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { cpus, loadavg, release } from "node:os";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import { encode } from "../../src/image/wire.ts";
import { request, VERSION } from "../../test/dropin/rpc.ts";
import { criu, openStage, recriuBinary, type Stage, start } from "../../test/restore/stage.ts";
import { repository } from "../../test/built.ts";
import { compile } from "../../test/restore/stage/compile.ts";
import { type Case, kinds } from "./cases.ts";
import { measureEngine } from "./engine.ts";
import { measureGrown } from "./grown.ts";
import { measure, spread, timed } from "./measure.ts";
import { measureIsolated } from "./isolated.ts";
import { measureRuntime } from "./runtimes.ts";
import { measureSealed } from "./sealed.ts";
import { comparison, LOADED, LOADED_AS_CRIU, markdown, type Results, type Start } from "./table.ts";
import { measureTimeline } from "./timeline.ts";

const { values } = parseArgs({
  options: {
    compare: { type: "boolean", default: false },
    only: { type: "string", default: "" },
    runs: { type: "string", default: "10" },
  },
});
const runs = Number(values.runs);
if (!Number.isInteger(runs) || runs < 1) throw new Error("--runs wants a number from 1 on");

const kept = join(repository, "docs/benchmarks.json");
const text = (command: string[]): string => Bun.spawnSync(command).stdout.toString();

/** The same words to bare CRIU and to recriu. */
async function starts(stage: Stage, loaded: string): Promise<Start[]> {
  const dropin = join(stage.dir, "dropin");
  mkdirSync(dropin);
  symlinkSync(recriuBinary, join(dropin, "criu"));
  const [asked, answer] = [join(stage.dir, "request"), join(stage.dir, "answer")];
  writeFileSync(asked, encode(request, { type: VERSION }));
  const client = [compile("rpc-client"), asked, answer, "0"];
  const { pid } = await start(stage, "many", ["1", "0", "0", "0"]);
  const dump = (binary: string) => [binary, "dump", "-R", "-t", `${pid}`, "-D", dumped, "-v0"];
  const dumped = join(stage.dir, "dumped");
  mkdirSync(dumped);
  const commands: [string, string[], string[]][] = [
    ["recriu --version", ["/bin/true"], [recriuBinary, "--version"]],
    [LOADED, ["/bin/true"], [loaded]],
    [LOADED_AS_CRIU, ["/bin/true"], [join(dirname(loaded), "criu"), "restore"]],
    ["criu --version", [criu, "--version"], [join(dropin, "criu"), "--version"]],
    ["criu swrk (version asked)", [...client, criu], [...client, join(dropin, "criu")]],
    ["criu dump", dump(criu), dump(join(dropin, "criu"))],
  ];
  const rows: Start[] = [];
  for (const [name, bare, recriu] of commands) {
    const [without, with_]: number[][] = [[], []];
    for (let i = 0; i < runs * 3; i++) {
      without!.push((await timed(stage, bare)).ms);
      with_!.push((await timed(stage, recriu)).ms);
    }
    rows.push({ name, bare: spread(without!), recriu: spread(with_!) });
  }
  return rows;
}

const results: Results = {
  version: JSON.parse(readFileSync(join(repository, "package.json"), "utf8")).version,
  criu: /Version: (\S+)/.exec(text([criu, "--version"]))?.[1] ?? "?",
  machine: `${cpus().length} × ${cpus()[0]?.model.trim()}, Linux ${release().split("-")[0]}`,
  date: new Date().toISOString().slice(0, 10),
  runs,
  rows: [],
  isolated: [],
  timeline: [],
  engine: [],
  runtimes: [],
  grown: [],
  sealed: [],
  busy: 0,
  starts: [],
  loadedPeak: 0,
};

async function measureAll(): Promise<void> {
  for (const kind of kinds.filter(({ name }) => name.includes(values.only))) {
    console.error(`bench: ${kind.name}`);
    await using stage = openStage({ ownState: kind.isCold !== true });
    const { images, options = [] } = await kind.make(stage);
    const made = { name: kind.name, images, options };
    results.rows.push(await measure(stage, made, runs));
    if (kind.timeline) results.timeline.push(...(await measureTimeline(stage, made, runs)));
    if (kind.isolated) results.isolated.push(await measureIsolated(stage, made, runs));
  }
  for (const name of (["runc", "crun"] as const).filter((each) => each.includes(values.only))) {
    console.error(`bench: ${name}`);
    results.runtimes.push(await measureRuntime(name, runs));
  }
  if ("engine".includes(values.only)) {
    console.error("bench: engine");
    await using stage = openStage({ ownState: true });
    const made: Case[] = [];
    for (const kind of kinds.filter((each) => each.engine))
      made.push({ name: kind.name, options: [], ...(await kind.make(stage)) });
    results.engine.push(...(await measureEngine(stage, made, runs)));
  }
  if ("growth".includes(values.only)) {
    console.error("bench: growth");
    results.grown.push(...(await measureGrown(Math.ceil(runs / 3))));
  }
  if ("seal".includes(values.only)) {
    console.error("bench: seal");
    results.sealed.push(...(await measureSealed()));
  }
  console.error("bench: start");
  await using stage = openStage({ ownState: true });
  const loaded = join(stage.dir, "loaded");
  const built = Bun.spawnSync(["scripts/build", "scripts/bench/loaded.ts", loaded], {
    cwd: repository,
  });
  if (!built.success) throw new Error(built.stderr.toString());
  symlinkSync(loaded, join(stage.dir, "criu"));
  results.loadedPeak = (await timed(stage, [loaded], true)).mib;
  results.starts.push(...(await starts(stage, loaded)));
}

try {
  await measureAll();
} finally {
  // What was measured before a failure is shown, too, and not kept.
  results.busy = loadavg()[0]!;
  if (values.compare) console.log(comparison(JSON.parse(readFileSync(kept, "utf8")), results));
  else console.log(markdown(results));
}
if (!values.compare && values.only === "") {
  writeFileSync(kept, `${JSON.stringify(results, undefined, 1)}\n`);
  writeFileSync(join(repository, "docs/benchmarks.md"), markdown(results));
}
