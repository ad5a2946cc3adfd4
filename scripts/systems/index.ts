/**
 * `npm run test:systems [NAME…]`: whole systems, with a kernel, a CRIU and an architecture of their own, emulated, and the
 * project's own tests in them. Without a name all that scripts/systems/known has.
 *
 * What they are made of are Debian's packages, in .cache/systems and .cache/machines; the network is used for what is not
 * there yet. As many run at once as there are processors here. Every system is booted twice, as after the first boot of all
 * of them the second one restores what the first has left, and what the others have. `--write` keeps what was seen, in
 * docs/systems.json, docs/systems.md and README. The last line is `N passed, N failed, N skipped`.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import { repository } from "../../test/built.ts";
import { boot, type Places } from "./boot.ts";
import { cases } from "./cases.ts";
import { packages, type System } from "./system.ts";
import { type Cell, facts, keep, type Row } from "./table.ts";

const cache = join(repository, ".cache/machines");
const known = readdirSync(join(import.meta.dir, "known")).map((file) => file.slice(0, -3));
const write = process.argv.includes("--write");
const asked = process.argv.slice(2).filter((word) => word !== "--write");
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
  const guest = readdirSync(join(import.meta.dir, "guest")).map(
    (file) => `scripts/systems/guest/${file}`,
  );
  const madeOf = [join(root, ".packages"), "scripts/systems/image", ...guest];
  const since = statSync(disk, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (madeOf.every((file) => statSync(file).mtimeMs < since)) return;
  must("scripts/systems/image", root, join(cache, name), "2G");
}

type Pass = "tests" | "afterwards";
const count = { passed: 0, failed: 0, skipped: 0 };
/** Of every system what its boots have shown. */
const rows = new Map<string, Row>();
const cells: Cell[] = [];

/** Counts and keeps what came of these files; one of which no case is told has failed. */
function note(name: string, system: System, files: readonly string[], share: string): void {
  const text = (file: string) => {
    const path = join(share, file);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  };
  const told = cases(text("log"));
  const silent = files.filter((file) => !told.some((each) => each.file === file));
  for (const file of silent) console.log(`${name}: failed: ${file}: not one case of it has ended`);
  const of = (outcome: keyof typeof count) =>
    told.filter((each) => each.outcome === outcome).length;
  const [passed, failed, skipped] = [of("passed"), of("failed") + silent.length, of("skipped")];
  count.passed += passed;
  count.failed += failed;
  count.skipped += skipped;
  const before = rows.get(name) ?? { passed: 0, failed: 0 };
  rows.set(name, {
    name,
    about: system.about,
    ...facts(text("about")),
    init: system.systemd ? "systemd" : "a script",
    passed: before.passed + passed,
    failed: before.failed + failed,
    tests: [...system.tests, ...system.afterwards],
    when: new Date().toISOString().slice(0, 10),
  });
  cells.push(...(JSON.parse(text("carried.json") || "[]") as Cell[]));
}

async function run(name: string, system: System, pass: Pass): Promise<void> {
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
  await boot(system, places, files, (line) => console.log(`${name}| ${line}`));
  console.log(`${name}: off after ${Math.round((performance.now() - begun) / 1000)} s`);
  note(name, system, files, places.share);
}

// A machine ends with what has booted it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));
mkdirSync(cache, { recursive: true });
const systems: [name: string, system: System][] = [];
for (const name of asked.length > 0 ? asked : known) {
  const { system } = (await import(`./known/${name}.ts`)) as { system: System };
  systems.push([name, system]);
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
}
for (const pass of ["tests", "afterwards"] as const) {
  const left = [...systems];
  const one = async () => {
    for (let next = left.shift(); next !== undefined; next = left.shift()) await run(...next, pass);
  };
  await Promise.all(
    Array.from({ length: Number(process.env["RECRIU_SYSTEMS"] || availableParallelism()) }, one),
  );
}
if (write) keep({ rows: [...rows.values()], cells });
const { passed, failed, skipped } = count;
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
