/** Checkpoints: real dumps with other values, other bytes, images missing, exchanged, or of another dump. */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020";
import { effectsOf } from "../../src/checks/effects/index.ts";
import { leftoversOf, runChecks } from "../../src/checks/index.ts";
import { requestFrom } from "../../src/criu/index.ts";
import { thisHost } from "../../src/host/index.ts";
import { openArchive } from "../../src/image/archive.ts";
import { imagesIn, sumsOf } from "../../src/image/index.ts";
import { planFor } from "../../src/plan/index.ts";
import { compareContents } from "../../src/show/compare.ts";
import { printEffects } from "../../src/report/effects.ts";
import { printFindings, printSummary } from "../../src/report/findings.ts";
import { reportOf } from "../../src/report/json.ts";
import { captured } from "../../src/report/terminal.ts";
import { contentsText } from "../../src/report/show.ts";
import { printVerdict } from "../../src/report/text.ts";
import { contentsOf } from "../../src/show/contents.ts";
import { shownMappings } from "../../src/show/mappings.ts";
import { environmentOf } from "../../src/show/tasks.ts";
import { liveTree, verify } from "../../src/verify/index.ts";
import { closeTree } from "../../src/verify/live.ts";
import { repository } from "../built.ts";
import { contextOf } from "../checks/context.ts";
import { fixture } from "../image/fixture.ts";
import { type Dice, mutateImage, pick } from "./mutate.ts";
import { plant, stateOf } from "./outside.ts";
import { harmlessOnly, type Target } from "./target.ts";

/** The dumps that test/restore/fuzz-dumps.ts made, and one that is made up, each in a directory below `dir`. */
export async function unpackDumps(dir: string): Promise<Map<string, string>> {
  const from = join(repository, "test/fuzz/dumps");
  const dumps = new Map<string, string>();
  for (const file of readdirSync(from).sort()) {
    const opened = await openArchive(join(from, file));
    if (!opened.ok) throw new Error(`${file}: ${opened.problem}`);
    const images = join(dir, file.replace(".tar.zst", ""));
    cpSync(opened.archive.dir, images, { recursive: true });
    opened.archive.dispose();
    dumps.set(file.replace(".tar.zst", ""), images);
  }
  const made = join(dir, "made-up");
  mkdirSync(made);
  for (const [file, bytes] of Object.entries(fixture())) writeFileSync(join(made, file), bytes);
  return dumps.set("made-up", made);
}

const schema = JSON.parse(readFileSync(join(repository, "docs/report.schema.json"), "utf8"));
const validate = new Ajv2020({ strictTypes: false }).compile(schema);

/** A report as it is printed has the promised shape. */
export function wellFormed(document: object): void {
  const printed = JSON.parse(JSON.stringify(document));
  if (!validate(printed))
    throw new Error(`not the promised JSON: ${JSON.stringify(validate.errors)}`);
}

interface Change {
  file: string;
  /** null: it is not there. */
  bytes: Uint8Array | null;
}

/** A mutant is its dump's name and a line of JSON for each change, so that the corpus can hold it. */
const written = (dump: string, changes: readonly Change[]): Uint8Array =>
  Buffer.from(
    [
      dump,
      ...changes.map(({ file, bytes }) =>
        JSON.stringify([file, bytes === null ? null : Buffer.from(bytes).toString("base64")]),
      ),
    ].join("\n"),
  );

export function readMutant(bytes: Uint8Array): { dump: string; changes: Change[] } {
  const [dump = "", ...lines] = Buffer.from(bytes).toString().split("\n");
  const changes = lines.map((line) => {
    const [file, content] = JSON.parse(line) as [string, string | null];
    return { file, bytes: content === null ? null : Buffer.from(content, "base64") };
  });
  return { dump, changes };
}

/** Have the images as the mutant says while `use` runs. */
export async function withMutant<T>(
  dumps: ReadonlyMap<string, string>,
  bytes: Uint8Array,
  use: (dir: string) => T | Promise<T>,
): Promise<T> {
  const { dump, changes } = readMutant(bytes);
  const dir = dumps.get(dump)!;
  const before = new Map<string, Uint8Array | undefined>();
  try {
    for (const { file, bytes: content } of changes) {
      const path = join(dir, file);
      if (!before.has(file)) {
        const there = readdirSync(dir).includes(file);
        before.set(file, there ? readFileSync(path) : undefined);
      }
      if (content === null) rmSync(path, { force: true });
      else writeFileSync(path, content);
    }
    return await use(dir);
  } finally {
    for (const [file, content] of before)
      if (content === undefined) rmSync(join(dir, file), { force: true });
      else writeFileSync(join(dir, file), content);
  }
}

/** How many mutants one look at the machine serves: what it found at each path is kept. */
const LOOKS = 500;

/** The target, whose files stand below `dir`; `outside` is the root in which the trees would live. */
export function imagesTarget(
  dumps: ReadonlyMap<string, string>,
  outside: string,
): Target & { untouched(): void } {
  const whole = new Map<string, Map<string, Uint8Array>>();
  for (const [name, dir] of dumps) {
    const files = readdirSync(dir).filter((file) => !file.startsWith("pages-"));
    whole.set(name, new Map(files.map((file) => [file, readFileSync(join(dir, file))])));
    const { checkpoint } = contextOf(dir, { host: thisHost() });
    const names = [...checkpoint.openFiles.values()].map(({ reg }) => reg?.name ?? "");
    plant(outside, new Set(names.filter((path) => path.startsWith("/"))));
  }
  let before = stateOf(outside);
  const kinds = new Map<string, [string, string][]>();
  const kindOf = (file: string) => file.replace(/-.*/, "");
  for (const [dump, files] of whole)
    for (const file of files.keys())
      kinds.set(kindOf(file), [...(kinds.get(kindOf(file)) ?? []), [dump, file]]);
  const child = Bun.spawn(["sleep", "infinity"], { stdio: ["ignore", "ignore", "ignore"] });
  child.unref();
  let looks = 0;
  let host = thisHost();

  const changeOf = (dice: Dice, files: ReadonlyMap<string, Uint8Array>): Change => {
    const file = pick(dice, [...files.keys()]);
    const kind = dice(24);
    if (kind === 0) return { file, bytes: null };
    if (kind === 1) {
      const [dump, other] = pick(dice, kinds.get(kindOf(file))!);
      return { file, bytes: whole.get(dump)!.get(other)! };
    }
    return { file, bytes: mutateImage(dice, file, files.get(file)!) };
  };

  return {
    make(dice) {
      const [dump, files] = pick(dice, [...whole]);
      const changes = [changeOf(dice, files)];
      while (dice(3) === 0) changes.push(changeOf(dice, files));
      return { name: dump, bytes: written(dump, changes) };
    },
    read: (_, bytes, dice) =>
      withMutant(dumps, bytes, (dir) => {
        looks += 1;
        if (looks % LOOKS === 0) host = thisHost();
        const untrusted = dice(2) === 0;
        const options = dice(2) === 0 ? ["--root", outside] : [];
        const looked = contextOf(dir, { host, options, own: { untrusted } });
        const context = { ...looked, effects: untrusted ? effectsOf(looked) : undefined };
        context.checkpoint.readEverything();
        const findings = runChecks(context, { only: [], ignore: [] });
        const crash = findings.find(({ id }) => id === "check-crashed");
        if (crash !== undefined) throw new Error(crash.message);
        const { checkpoint, request, criu, effects } = context;
        const asked = requestFrom(["-D", dir, ...options], {});
        if (!asked.ok) throw new Error(asked.problem);
        const plan = planFor(findings, leftoversOf(context), "safe");
        const { settings } = asked;
        const facts = { request, settings, images: dir, checkpoint, host, findings, effects, plan };
        const preflight = Object.assign(facts, {
          criu: criu as never,
          would: undefined,
          rejected: [],
          tookMs: 0,
        });
        wellFormed(reportOf(preflight, undefined, 0));
        const contents = contentsOf(checkpoint, dir);
        JSON.stringify([contents, compareContents(contents, contents)]);
        const { tasks } = checkpoint;
        const mappings = new Map(tasks.map((task) => [task.pid, shownMappings(checkpoint, task)]));
        const environments = new Map(
          tasks.map((task) => [task.pid, environmentOf(checkpoint, task)]),
        );
        const sections = {
          all: tasks.length,
          files: true,
          sockets: true,
          mounts: true,
          mappings,
          environments,
        };
        for (const format of ["tree", "table"] as const)
          harmlessOnly(contentsText(contents, format, sections));
        const live = dice(8) === 0 ? liveTree(checkpoint, child.pid, false) : undefined;
        const verdict = live && verify(checkpoint, request, live, {});
        if (live !== undefined) closeTree(live);
        harmlessOnly(
          captured(() => {
            printFindings(findings);
            printFindings(findings, plan, false);
            printSummary(preflight);
            if (effects !== undefined) printEffects(effects);
            if (verdict !== undefined) printVerdict(verdict);
          }),
        );
        if (dice(16) === 0) sumsOf(dir, imagesIn(dir));
      }),
    untouched() {
      const now = stateOf(outside);
      if (now === before) return;
      before = now;
      throw new Error("a file outside the images was touched");
    },
    close: () => child.kill(),
  };
}
