/** The runtime behind recriu-runc: one that another user can change is passed over with a word. */
import { afterAll, expect, test } from "bun:test";
import { chownSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
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
