/** Another directory, the same bytes. */
import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { aboutRecriu, repository } from "../../scripts/release/about.ts";
import { type Released, released } from "./released.ts";
import { runHere } from "./systems.ts";

/** Not below the repository, and of another length than its name. */
const copy = mkdtempSync(join(tmpdir(), "recriu-reproducible-elsewhere-"));
let release: Released;

beforeAll(async () => {
  release = await released();
  const files = runHere(["git", "-C", repository, "ls-files", "-coz", "--exclude-standard"]).stdout;
  for (const name of files.split("\0").filter((each) => each !== "" && !each.startsWith("test/"))) {
    mkdirSync(join(copy, dirname(name)), { recursive: true });
    cpSync(join(repository, name), join(copy, name));
  }
  // Not a link: Bun names the parts of the program by the real paths of what is in it.
  cpSync(join(repository, "node_modules"), join(copy, "node_modules"), {
    recursive: true,
    verbatimSymlinks: true,
  });
  symlinkSync(join(repository, ".cache"), join(copy, ".cache"));
}, 240_000);
afterAll(() => rmSync(copy, { recursive: true }));

const verify = async (dir: string) =>
  runHere([join(copy, "scripts/verify-release"), dir], {
    SOURCE_DATE_EPOCH: String((await aboutRecriu()).epoch),
  });

test("the same source in another directory makes the same release, byte for byte", async () => {
  const verified = await verify(release.dir);
  expect([verified.exit, verified.stderr]).toEqual([
    0,
    expect.stringContaining("verified: every file of"),
  ]);
  expect(verified.exit).toBe(0);
}, 240_000);

test("verify-release refuses what its own sums do not name so", async () => {
  const dir = join(copy, "altered");
  mkdirSync(dir);
  const name = `recriu-${release.version}.cdx.json`;
  writeFileSync(join(dir, name), "{}");
  writeFileSync(join(dir, "SHA256SUMS"), `${"0".repeat(64)}  ${name}\n`);
  const verified = await verify(dir);
  expect(verified.stderr).toContain("is not what its SHA256SUMS says");
  expect(verified.exit).toBe(1);
});
