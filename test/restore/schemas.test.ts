/** What each command prints with --json, against its schema in docs/schemas. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import Ajv2020 from "ajv/dist/2020";
import { commands } from "../../src/cli/index.ts";
import { repository } from "../built.ts";
import { openStage, recriu } from "./stage.ts";

const schemas = join(repository, "docs/schemas");
const names = readdirSync(schemas).map((file) => file.replace(".schema.json", ""));
const tried = new Set<string>();

/** That it has the shape. What stands in an empty list is held against the types alone (scripts/schemas). */
function fits(name: string, document: unknown): void {
  const schema = JSON.parse(readFileSync(join(schemas, `${name}.schema.json`), "utf8"));
  const validate = new Ajv2020({ allErrors: true, allowUnionTypes: true }).compile(schema);
  validate(document);
  expect([name, validate.errors ?? []]).toEqual([name, []]);
  tried.add(name);
}

test("every document has the shape that is promised, and the version of recriu and of the schema", async () => {
  await using stage = openStage();
  const sockets = join(stage.dir, "sockets");
  const { images } = await startDumped(stage, "x11-server", [sockets, join(stage.dir, "progress")]);
  const logs = join(stage.dir, "logs");
  const env = { RECRIU_LOG_DIR: logs };
  const printed = async (name: string, words: string[], exit = 0) => {
    const ran = await recriu(stage, [...words, "--json"], { env });
    expect([words.join(" "), ran.exit]).toEqual([words.join(" "), exit]);
    const document = JSON.parse(ran.stdout);
    fits(name, document);
    return document;
  };
  const shown = await printed("show", ["show", images, "--all", "--env"]);
  expect(shown.tasks[0].mappings.length).toBeGreaterThan(5);
  expect(shown.tasks[0].environment.length).toBeGreaterThan(0);
  expect(shown.sockets.length).toBeGreaterThan(1);
  await printed("show", ["show", images]);
  symlinkSync("/dev/null", join(stage.dir, "bad.tar"));
  expect((await printed("checkpoints", ["show", stage.dir])).checkpoints.length).toBeGreaterThan(0);
  expect((await printed("diff", ["diff", images, images])).changed).toEqual([]);

  expect((await printed("memory", ["memory", images])).mappings.length).toBeGreaterThan(5);
  const found = await printed("memory", ["memory", images, "--search=x11-server"]);
  expect(found.places.length).toBeGreaterThan(0);
  const at = found.places[0].address;
  expect((await printed("memory", ["memory", images, `--dump=${at}:16`])).pieces).toHaveLength(1);

  expect((await printed("checks", ["preflight", "--list"])).checks.length).toBeGreaterThan(100);
  await printed("explain", ["explain", "--list"]);
  expect((await printed("explain", ["explain", "unix-socket-dir"])).check.title).toBeString();
  expect(await printed("explain", ["explain", "3"])).toMatchObject({ exit_code: 3 });
  await printed("explain", ["explain", "no such words"], 1);
  const log = join(stage.dir, "restore.log");
  writeFileSync(
    log,
    "(00.001) Version: 4.1 (gitid 0)\n(00.013) 1: Error (criu/sk-unix.c:1983): unix: Can't bind id 0x4d ino 1 addr /tmp/.X11-unix/X7: No such file or directory\n(00.014) Error (criu/cr-restore.c:1): Restoring FAILED.\n",
  );
  expect((await printed("explain", ["explain", log])).cause.pid).toBe(1);

  const facts = await recriu(stage, ["doctor", "--json"], { env });
  const { facts: told } = JSON.parse(facts.stdout);
  fits("doctor", JSON.parse(facts.stdout));
  expect(told.map(({ state }: { state: string }) => state)).toContain("ok");
  // What is well means nothing, and what is not says what.
  for (const { state, means } of told)
    expect([state, typeof means]).toEqual([state, state === "ok" ? "object" : "string"]);

  const sealed = await printed("seal", ["seal", images]);
  fits("seal", { ...JSON.parse(readFileSync(join(images, "recriu.manifest"), "utf8")) });
  expect(Object.keys(sealed.images).length).toBeGreaterThan(5);

  expect(
    (await recriu(stage, ["restore", "-D", images, "-d", "--root", stage.dir], { env })).exit,
  ).toBe(3);
  expect((await printed("last", ["last"])).reasons).toHaveLength(1);
  expect((await recriu(stage, ["restore", "-D", images, "-d"], { env })).exit).toBe(0);
  expect((await printed("verify", ["verify", "-D", images])).verdict.compared).toBeGreaterThan(50);
  await printed("undo", ["undo"]);
  for (const words of [
    ["show", "--frobnicate"],
    ["show", "/nowhere"],
    ["frobnicate"],
    ["memory", images, "--pid=1"],
  ])
    await printed("problem", words, 2);
  expect([...tried].sort()).toEqual(names.sort());
});

test("a mistake is a document of every command", async () => {
  await using stage = openStage();
  for (const words of [
    ["frobnicate"],
    ...Object.keys(commands).map((name) => [name, "--frobnicate"]),
  ]) {
    const { exit, stdout } = await recriu(stage, [...words, "--json"]);
    const document = JSON.parse(stdout || "null");
    expect([words.join(" "), exit, document?.exit, document?.schema]).toEqual([
      words.join(" "),
      2,
      2,
      1,
    ]);
  }
});
