/**
 * Measures of one case: bare CRIU, recriu, and recriu as criu by turns, in one go. A run that failed stops the bench.
 * /run is a tmpfs, as on any machine with an init, and CRIU's cache of the kernel's features is there from the first run on.
 */
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { openCheckpoint } from "../../src/image/index.ts";
import {
  criu,
  descendants,
  recriuBinary,
  run,
  type Stage,
  waitFor,
} from "../../test/restore/stage.ts";
import { kill } from "../../test/restore/stage/processes.ts";
import { repository } from "../../test/built.ts";
import { compile } from "../../test/restore/stage/compile.ts";
import { link, watched } from "../../test/dropin/as-criu.ts";
import type { Case } from "./cases.ts";

/** Milliseconds, sorted; memory in MiB. */
export interface Spread {
  median: number;
  /** The middle half lies between. */
  low: number;
  high: number;
}

export interface Row {
  name: string;
  tasks: number;
  images: number;
  bare: Spread;
  /** With an action script that does nothing; and of each turn what that took more. */
  scripted: { all: Spread; more: Spread };
  recriu: Spread;
  /** Of each turn: recriu's time to bare CRIU's, and what it took more. */
  ratio: Spread;
  more: Spread;
  /** recriu called as criu, likewise. */
  asCriu: { all: Spread; ratio: Spread; more: Spread };
  /** Processor time of the command and all that it waited for; of the tree's there is none. */
  cpu: { bare: Spread; recriu: Spread };
  /** All of it on one processor. */
  oneCore: { bare: Spread; recriu: Spread; ratio: Spread };
  /** MiB of recriu at most, with full verification: the highest of three runs; and what of it is no file's. */
  peak: number;
  own: number;
  /** As recriu --json tells them. */
  phases: { preflight: number; verify: number; memory: number };
  preflight: Spread;
  /** One that runs a single check of its 200: it reads the images, and looks who is on the machine. */
  oneCheck: Spread;
  /** CRIU's own decoder over the same images, in one process. */
  crit: Spread;
  verify: Spread;
  /** The system calls of a verification, in C and without a look at what they return: ms. */
  kernel: Spread;
  /** Those that read the images, likewise. */
  reading: Spread;
}

export function spread(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const at = (part: number) => sorted[Math.round((sorted.length - 1) * part)]!;
  return { median: at(0.5), low: at(0.25), high: at(0.75) };
}

/** A restore by a program, and options of its own. */
interface Command {
  binary: string;
  more?: string[];
}

export interface Took {
  ms: number;
  mib: number;
  /** What of that is no file's, where the peak was asked for. */
  own: number;
  cpu: number;
}

/** Run a command to its end; it must exit 0. */
export async function timed(stage: Stage, words: string[], peak = false): Promise<Took> {
  const done = await run(stage, [compile("timed"), ...(peak ? ["--peak"] : []), ...words], {
    env: { RECRIU_CRIU: criu, NO_COLOR: "1" },
    timeout: 120_000,
  });
  const [exit, microseconds, kib, cpu, own] = done.stdout.split(" ").map(Number);
  if (done.exit !== 0 || exit !== 0) throw new Error(`exit ${exit}: ${words.join(" ")}`);
  return { ms: microseconds! / 1000, mib: kib! / 1024, own: own! / 1024, cpu: cpu! / 1000 };
}

/** Debian's crit, below .cache, brings its own Python. */
function critWords(images: string): string[] {
  const home = join(repository, ".cache/criu/crit");
  const only = (pattern: string) => [...new Bun.Glob(pattern).scanSync(home)].toSorted()[0]!;
  const loader = join(home, only("lib/*-linux-gnu*/ld-linux*.so.*"));
  const python = [loader, "--library-path", dirname(loader), join(home, only("bin/python3.*"))];
  const env = [
    `PYTHONHOME=${home}`,
    `PYTHONPATH=${home}/lib/python3/dist-packages`,
    "PYTHONDONTWRITEBYTECODE=1",
    "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION=python",
  ];
  return ["/usr/bin/env", ...env, ...python, join(import.meta.dir, "decode.py"), images];
}

/** Everything on the stage is a restored tree: it goes. */
export async function clear(stage: Stage): Promise<void> {
  const all = () => descendants(stage.supervisor.pid).filter(({ state }) => state !== "Z");
  await waitFor("the tree to be gone", () => {
    for (const { pid } of all()) kill(pid);
    return all().length === 0;
  });
}

export async function measure(stage: Stage, given: Case, runs: number): Promise<Row> {
  const { name, images, options } = given;
  const opened = openCheckpoint(images);
  if (!opened.ok) throw new Error(opened.fault.problem);
  const { checkpoint } = opened;
  const work = ["-W", stage.dir, "-o", "restore.log", "-v0"];
  const words = (binary: string) => [binary, "restore", "-d", "-D", images, ...work, ...options];
  const script = ["--action-script", compile("nothing", true)];
  /** A tree that was not looked at yet, as at the gate: the kernel makes the files of /proc then. */
  const look = async (): Promise<number> => {
    const { pid: parent } = stage.supervisor;
    const root = descendants(parent).find(({ ppid, state }) => ppid === parent && state !== "Z");
    const { stdout } = await run(stage, [compile("read-proc"), String(root?.pid)]);
    const [processes, microseconds] = stdout.split(" ").map(Number);
    if (processes !== checkpoint.tasks.length) throw new Error(`read-proc: ${processes} processes`);
    return microseconds! / 1000;
  };
  const milliseconds: number[] = [];
  const restore = async (of: Command, before: string[] = [], peak = false): Promise<Took> => {
    const took = await timed(stage, [...before, ...words(of.binary), ...(of.more ?? [])], peak);
    await waitFor("the watcher to end", () => !watched(stage));
    if (of.binary === criu && before.length === 0) milliseconds.push(await look());
    await clear(stage);
    return took;
  };
  const asCriu = link(stage);
  /** One restore by each, the first of which takes turns, too. */
  const turns = async (commands: Command[], count: number, before?: string[]) => {
    const took = commands.map(() => [] as Took[]);
    for (let i = -1; i < count; i++)
      for (let n = 0; n < commands.length; n++) {
        const which = (i + 1 + n) % commands.length;
        const one = await restore(commands[which]!, before);
        if (i >= 0) took[which]!.push(one);
      }
    return took;
  };

  const [byCriu, byRecriu] = [{ binary: criu }, { binary: recriuBinary }];
  const [bare, scripted, alone, dropin] = await turns(
    [byCriu, { binary: criu, more: script }, byRecriu, { binary: asCriu }],
    runs,
  );
  const [bareOne, aloneOne] = await turns([byCriu, byRecriu], runs, [
    "/usr/bin/taskset",
    "-c",
    "0",
  ]);
  const against = (some: Took[], base: Took[], by: (a: number, b: number) => number) =>
    spread(some.map(({ ms }, n) => by(ms, base[n]!.ms)));
  const ratio = (a: number, b: number) => a / b;
  const more = (a: number, b: number) => a - b;
  const spent = (took: Took[], of: "ms" | "cpu" = "ms") => spread(took.map((each) => each[of]));
  const peaks: Took[] = [];
  for (let i = 0; i < 3; i++) peaks.push(await restore(byRecriu, [], true));

  const told = await run(stage, [...words(recriuBinary), "--json"], { env: { RECRIU_CRIU: criu } });
  if (told.exit !== 0) throw new Error(`recriu restore --json: exit ${told.exit}: ${told.stderr}`);
  const { timing_ms, run: made } = JSON.parse(told.stdout);
  const pid = String(made.pid);
  const withMemory = async (): Promise<number> => {
    const done = await run(stage, [...words(recriuBinary), "--json", "--verify=memory"], {
      env: { RECRIU_CRIU: criu },
    });
    if (done.exit !== 0) throw new Error(`--verify=memory: exit ${done.exit}: ${done.stderr}`);
    await clear(stage);
    return JSON.parse(done.stdout).timing_ms.verify;
  };
  const times = async (command: string[]) => {
    const all: number[] = [];
    for (let i = 0; i < runs; i++) all.push((await timed(stage, command)).ms);
    return spread(all);
  };
  const verify = await times([recriuBinary, "verify", "-D", images, "--pid", pid]);
  await clear(stage);
  const memories = [await withMemory(), await withMemory(), await withMemory()];
  const preflight = await times([recriuBinary, "preflight", "-D", images, ...options]);
  const only = [recriuBinary, "preflight", "-D", images, "--only=criu-missing", ...options];
  const oneCheck = await times(only);
  const crit = await times(critWords(images));
  const reading: number[] = [];
  for (let i = 0; i < runs; i++)
    reading.push(Number((await run(stage, [compile("read-images"), images])).stdout) / 1000);
  rmSync(join(stage.dir, "restore.log"), { force: true });
  return {
    name,
    tasks: checkpoint.tasks.length,
    images: checkpoint.files.size,
    bare: spent(bare!),
    scripted: { all: spent(scripted!), more: against(scripted!, bare!, more) },
    recriu: spent(alone!),
    ratio: against(alone!, bare!, ratio),
    more: against(alone!, bare!, more),
    asCriu: {
      all: spent(dropin!),
      ratio: against(dropin!, bare!, ratio),
      more: against(dropin!, bare!, more),
    },
    cpu: { bare: spent(bare!, "cpu"), recriu: spent(alone!, "cpu") },
    oneCore: {
      bare: spent(bareOne!),
      recriu: spent(aloneOne!),
      ratio: against(aloneOne!, bareOne!, ratio),
    },
    peak: Math.max(...peaks.map(({ mib }) => mib)),
    own: Math.max(...peaks.map(({ own }) => own)),
    phases: {
      preflight: timing_ms.preflight,
      verify: timing_ms.verify,
      memory: spread(memories).median,
    },
    preflight,
    oneCheck,
    crit,
    verify,
    kernel: spread(milliseconds),
    reading: spread(reading),
  };
}
