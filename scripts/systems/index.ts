/**
 * `npm run test:systems [NAME…]`: whole systems, with a kernel, a CRIU and an architecture of their own, emulated, and the
 * project's own tests in them. Without a name all that scripts/systems/known has.
 *
 * What they are made of are Debian's packages, in .cache/systems and .cache/machines; the network is used for what is not
 * there yet. Every system is booted twice, as after the first boot of all of them the second one restores what the first
 * has left, and what the others have. `--write` keeps what was seen, in docs/systems.json, docs/systems.md and README. The last line is `N passed, N failed, N skipped`.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { repository } from "../../test/built.ts";
import { boot } from "./boot.ts";
import { cases } from "./junit.ts";
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
  const kernel = `linux-image-${architecture}`;
  const all = [
    kernel,
    ...more,
    ...packages,
    ...(system.systemd ? ["systemd", "systemd-sysv"] : []),
  ];
  must("scripts/setup", "system", `machine-${name}`, suite, architecture, all.join(" "));
  const disk = join(cache, name, "disk");
  const madeOf = [join(root, ".packages"), "scripts/systems/image", "scripts/systems/guest/init"];
  const since = statSync(disk, { throwIfNoEntry: false })?.mtimeMs ?? 0;
  if (madeOf.every((file) => statSync(file).mtimeMs < since)) return;
  must("scripts/systems/image", root, join(cache, name), "2G");
}

const count = { passed: 0, failed: 0, skipped: 0 };

/** What came of these files, a line a case, and the log of what failed; how many cases did not pass, and did. */
function told(name: string, share: string, files: readonly string[]): typeof count {
  const own = { passed: 0, failed: 0, skipped: 0 };
  const text = (file: string) =>
    existsSync(join(share, file)) ? readFileSync(join(share, file), "utf8") : "";
  for (const [index, file] of files.entries()) {
    const found = cases(text(`${index + 1}.xml`));
    const all =
      found.length > 0 ? found : [{ name: "did not end", outcome: "failed", seconds: 0 } as const];
    for (const { name: title, outcome, seconds } of all) {
      count[outcome]++;
      own[outcome]++;
      console.log(`${name}: ${outcome}: ${file}: ${title} (${Math.round(seconds)} s)`);
    }
    if (all.some(({ outcome }) => outcome === "failed")) console.log(text(`${index + 1}.log`));
  }
  return own;
}

/** Of every system what its boots have shown. */
const rows = new Map<string, Row>();
const cells: Cell[] = [];

function note(name: string, system: System, share: string, came: typeof count): void {
  const text = (file: string) => {
    const path = join(share, file);
    return existsSync(path) ? readFileSync(path, "utf8") : "";
  };
  const before = rows.get(name) ?? { passed: 0, failed: 0 };
  rows.set(name, {
    name,
    about: system.about,
    ...facts(text("about")),
    init: system.systemd ? "systemd" : "a script",
    passed: before.passed + came.passed,
    failed: before.failed + came.failed,
    tests: [...system.tests, ...system.afterwards],
    when: new Date().toISOString().slice(0, 10),
  });
  cells.push(...(JSON.parse(text("carried.json") || "[]") as Cell[]));
}

// A machine ends with what has booted it.
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.once(signal, () => process.exit(1));
mkdirSync(cache, { recursive: true });
const systems: [name: string, system: System][] = [];
for (const name of asked.length > 0 ? asked : known) {
  const { system } = (await import(`./known/${name}.ts`)) as { system: System };
  systems.push([name, system]);
}
for (const [name, system] of systems) made(name, system);
const project = (architecture: string) => join(cache, `project-${architecture}`);
for (const architecture of new Set(systems.map(([, system]) => system.architecture)))
  must("scripts/systems/project", architecture, project(architecture));
for (const pass of ["tests", "afterwards"] as const) {
  for (const [name, system] of systems) {
    const files = system[pass];
    if (files.length === 0) continue;
    const begun = performance.now();
    const machine = join(cache, name);
    const places = { machine, project: project(system.architecture), share: join(machine, pass) };
    await boot(system, places, files, (line) => console.log(`${name}| ${line}`));
    console.log(
      `${name}: booted, tried and off after ${Math.round((performance.now() - begun) / 1000)} s`,
    );
    note(name, system, places.share, told(name, places.share, files));
  }
}
if (write) keep({ rows: [...rows.values()], cells });
const { passed, failed, skipped } = count;
console.log(`${passed} passed, ${failed} failed, ${skipped} skipped`);
process.exit(failed === 0 && passed > 0 ? 0 : 1);
