/**
 * `npm run test:systems [-- NAME… --minutes=N --basic --only=TEXT… --write]`: whole systems, with a kernel, a CRIU and an architecture of their
 * own, emulated, and the project's own tests in them. Without a name all that scripts/systems/known has.
 *
 * What they are made of are Debian's packages, in .cache/systems and .cache/machines; the network is used for what is not
 * there yet. As many run at once as there are processors here. Every system is booted twice, as after the first boot of all
 * of them the second one restores what the first has left, and what the others have. `--minutes`: so long for the tests of a
 * boot; what has not come to its end then is no failure, and in no table. `--basic`: only what every system runs;
 * `--only`: only the files whose path has a TEXT. `--write` keeps what was seen, in docs/systems.json, docs/systems.md and README.
 * The last line is `N passed, N failed, N skipped`.
 */
import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { repository } from "../../test/built.ts";
import { boot, type Places } from "./boot.ts";
import { basic } from "./core.ts";
import { boots, type Outcome, outcome } from "./outcome.ts";
import { packages, type System } from "./system.ts";
import { keep } from "./table.ts";

const cache = join(repository, ".cache/machines");
const known = readdirSync(join(import.meta.dir, "known")).map((file) => file.slice(0, -3));
const { values, positionals: asked } = parseArgs({
  options: {
    basic: { type: "boolean" },
    only: { type: "string", multiple: true, default: [""] },
    write: { type: "boolean" },
    minutes: { type: "string", default: "1440" },
  },
  allowPositionals: true,
});
const seconds = Number(values.minutes) * 60;
const isShort = seconds < 86_400;
const strangers = asked.filter((name) => !known.includes(name));
if (strangers.length > 0) {
  console.error(`no such system: ${strangers.join(" ")}; there are ${known.join(" ")}`);
  process.exit(2);
}

function must(...argv: string[]): void {
  const { exitCode } = Bun.spawnSync(argv, {
    cwd: repository,
    stdout: "inherit",
    stderr: "inherit",
  });
  if (exitCode === 0) return;
  console.error(`${argv[0]} exits ${exitCode}`);
  process.exit(1);
}

/** Its kernel and disk, made anew where its packages are others than those on the disk. */
function made(name: string, { suite, architecture, packages: more = [], ...system }: System): void {
  const root = join(repository, ".cache/systems", `machine-${name}`);
  const { kernel = `linux-image-${architecture}` } = system;
  const all = [
    kernel,
    ...more,
    ...packages,
    ...(system.systemd ? ["systemd", "systemd-sysv"] : []),
  ];
  must("scripts/setup", "system", `machine-${name}`, suite, architecture, all.join(" "));
  const disk = join(cache, name, "disk");
  const guest = readdirSync(join(import.meta.dir, "guest"))
    .filter((file) => file !== "tests")
    .map((file) => `scripts/systems/guest/${file}`);
  const madeOf = [join(root, ".packages"), "scripts/systems/image", ...guest];
  const since = statSync(disk, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (madeOf.every((file) => statSync(file).mtimeMs < since)) return;
  must("scripts/systems/image", root, join(cache, name), "2G");
}

async function run(name: string, system: System, pass: (typeof boots)[number]): Promise<void> {
  const files = system[pass];
  if (files.length === 0) return;
  const begun = performance.now();
  const machine = join(cache, name);
  const places: Places = {
    machine,
    project: join(machine, "project"),
    share: join(machine, pass),
    carried: join(cache, "carried", system.architecture),
  };
  const worked = await boot(system, places, files, seconds, (line) =>
    console.log(`${name}| ${line}`),
  );
  const took = Math.round((performance.now() - begun) / 1000);
  console.log(`${name}: off after ${took} s, ${Math.round(worked)} s of a processor`);
}

// A machine ends with what has booted it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));
mkdirSync(cache, { recursive: true });
const systems: [name: string, system: System][] = [];
for (const name of asked.length > 0 ? asked : known) {
  const { system } = (await import(`./known/${name}.ts`)) as { system: System };
  const isAsked = (file: string) => values.only.some((text) => file.includes(text));
  const tests = system.tests.filter(
    (file) => isAsked(file) && (!values.basic || basic.includes(file)),
  );
  systems.push([name, { ...system, tests, afterwards: system.afterwards.filter(isAsked) }]);
}
const project = (architecture: string) => join(cache, `project-${architecture}`);
for (const architecture of new Set(systems.map(([, system]) => system.architecture))) {
  must("scripts/systems/project", architecture, project(architecture));
  // What a system has left before goes to the others again; what it leaves now takes the place of that.
  mkdirSync(join(cache, "carried", architecture), { recursive: true });
}
for (const [name, system] of systems) {
  made(name, system);
  must("cp", "--sparse=always", project(system.architecture), join(cache, name, "project"));
  for (const pass of boots) rmSync(join(cache, name, pass), { recursive: true, force: true });
}
const many = Number(process.env["RECRIU_SYSTEMS"] || availableParallelism());
// The longest first: the last one has the processors for itself.
const longest = systems.toSorted(([, a], [, b]) => b.tests.length - a.tests.length);
for (const pass of boots) {
  const left = [...longest];
  const one = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await run(...next, pass);
  };
  await Promise.all(Array.from({ length: many }, one));
}
const came = systems.map(([name, system]) => outcome(name, system, join(cache, name)));
for (const { row, unended } of came)
  for (const file of unended)
    console.log(
      `${row.name}: ${isShort ? "left out" : "failed"}: ${file}: it did not come to its end`,
    );
if (values.write)
  keep({ rows: came.map(({ row }) => row), cells: came.flatMap(({ cells }) => cells) });
const sum = (of: (each: Outcome) => number) => came.reduce((all, each) => all + of(each), 0);
const passed = sum(({ count }) => count.passed);
const failed = sum(({ count, unended }) => count.failed + (isShort ? 0 : unended.length));
console.log(`${passed} passed, ${failed} failed, ${sum(({ count }) => count.skipped)} skipped`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
