/** The runtime behind recriu-runc: one that another user can change is passed over with a word. */
import { afterAll, expect, test } from "bun:test";
import { chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findRuntime } from "../../src/runtime/real.ts";
import { recriuBinary } from "../restore/stage.ts";

const dir = mkdtempSync(join(tmpdir(), "recriu-real-"));
afterAll(() => rmSync(dir, { recursive: true }));

test("a runc of another user in PATH is not run", () => {
  for (const name of ["evil", "good"]) {
    mkdirSync(join(dir, name));
    writeFileSync(join(dir, name, "runc"), `#!/bin/sh\necho ${name} "$@"\n`, { mode: 0o755 });
  }
  const evil = join(dir, "evil/runc");
  chownSync(evil, 1000, 1000);
  symlinkSync(recriuBinary, join(dir, "recriu-runc"));
  const called = (PATH: string) => {
    const done = Bun.spawnSync([join(dir, "recriu-runc"), "list"], { env: { PATH } });
    return [done.exitCode, done.stdout.toString(), done.stderr.toString()];
  };
  const word = `recriu: ${evil} is passed over: ${evil} belongs to uid 1000\n`;
  expect(called(`${dir}/evil:${dir}/good:/usr/bin`)).toEqual([0, "good list\n", word]);
  expect(called(`${dir}/good:${dir}/evil`)).toEqual([0, "good list\n", ""]);
});

test("recriu is not the runtime, by whatever name or link; nor is what cannot be executed", () => {
  const own = process.execPath;
  const places = ["itself", "texts", "directories", "real"].map((name) => join(dir, name));
  for (const place of places) mkdirSync(place);
  const [itself, texts, directories, real] = places as [string, string, string, string];
  symlinkSync(own, join(itself, "runc-x"));
  writeFileSync(join(texts, "runc-x"), "", { mode: 0o644 });
  mkdirSync(join(directories, "runc-x"));
  const found = (path: string) => findRuntime("runc-x", path).path;
  for (const place of [itself, texts, directories]) {
    expect(found(place)).toBeUndefined();
    expect(findRuntime(join(place, "runc-x"), "").path).toBeUndefined();
  }
  writeFileSync(join(real, "runc-x"), "", { mode: 0o755 });
  expect(found(places.join(":"))).toBe(join(real, "runc-x"));
  expect(findRuntime(join(real, "runc-x"), "").path).toBe(join(real, "runc-x"));
});

test("without a runtime nothing is done, and that is said", () => {
  const words = [join(dir, "recriu-runc"), "list"];
  const done = Bun.spawnSync(words, { env: { PATH: join(dir, "nowhere") } });
  expect([done.exitCode, done.stderr.toString()]).toEqual([
    127,
    "recriu: no runc in PATH and the usual places\n",
  ]);
});
