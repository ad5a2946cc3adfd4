/** Which other users could change what is at a path: by the file, by a directory, by a link. Another user is uid 1000. */
import { afterEach, beforeEach, expect, spyOn, test } from "bun:test";
import { chmodSync, chownSync, lchownSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { closeSync, openSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { changeable, firstSafe } from "../../src/sys/trust.ts";

const ALICE = 1000;
let dir: string;
let file: string;

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "recriu-trust-"));
  mkdirSync(join(dir, "bin"));
  file = join(dir, "bin/program");
  writeFileSync(file, "");
  chmodSync(file, 0o755);
});
afterEach(() => rmSync(dir, { recursive: true }));

test("root's in root's directories, however it is reached", () => {
  symlinkSync("program", join(dir, "bin/link"));
  symlinkSync(`${dir}/bin`, join(dir, "there"));
  symlinkSync("../bin/../there/./link", join(dir, "bin/round"));
  for (const path of [
    file,
    join(dir, "there/link"),
    join(dir, "bin/round"),
    `${dir}//bin/./program`,
  ])
    expect([path, changeable(path)]).toEqual([path, undefined]);
  expect(changeable("/proc/self/exe")).toBe(changeable(process.execPath));
  expect(changeable(join(dir, "bin/nothing"))).toBeUndefined();
  expect(changeable(join(file, "below"))).toBeUndefined();
});

test("a file or directory of another user, or that others may write to", () => {
  chownSync(file, ALICE, 0);
  expect(changeable(file)).toBe(`${file} belongs to uid ${ALICE}`);
  chownSync(file, 0, 0);
  for (const mode of [0o775, 0o757, 0o4757]) {
    chmodSync(file, mode);
    expect(changeable(file)).toStartWith(
      `${file} can be written to by others than its owner (mode `,
    );
  }
  chmodSync(file, 0o755);
  for (const at of [dir, join(dir, "bin")]) {
    chownSync(at, ALICE, 0);
    expect(changeable(file)).toBe(`${at} belongs to uid ${ALICE}`);
    chownSync(at, 0, 0);
    for (const mode of [0o775, 0o757, 0o777]) {
      chmodSync(at, mode);
      expect(changeable(file)).toStartWith(`${at} can be written to by others`);
    }
    chmodSync(at, 0o1777);
    expect(changeable(file)).toBeUndefined();
    chmodSync(at, 0o755);
  }
});

test("a link that another user made, or to where he can write, on the way or at the end", () => {
  chmodSync(dir, 0o1777);
  symlinkSync("bin", join(dir, "theirs"));
  lchownSync(join(dir, "theirs"), ALICE, ALICE);
  expect(changeable(join(dir, "theirs/program"))).toBe(`${dir}/theirs belongs to uid ${ALICE}`);
  mkdirSync(join(dir, "open"));
  chmodSync(join(dir, "open"), 0o777);
  symlinkSync("../open/middle", join(dir, "bin/first"));
  symlinkSync(file, join(dir, "open/middle"));
  expect(changeable(join(dir, "bin/first"))).toStartWith(`${dir}/open can be written to`);
  symlinkSync("loop", join(dir, "loop"));
  expect(changeable(join(dir, "loop"))).toContain("too many links");
});

test("behind a link of /proc, which has no path", () => {
  const fd = openSync(join(dir, "bin"), "r");
  const through = `/proc/self/fd/${fd}`;
  const behind = `/proc/${process.pid}/fd/${fd}`;
  symlinkSync("../bin/program", join(dir, "bin/round"));
  for (const path of ["program", "round", "../bin/program", "nothing"])
    expect([path, changeable(`${through}/${path}`)]).toEqual([path, undefined]);
  chownSync(file, ALICE, 0);
  for (const path of ["program", "../bin/program"])
    expect(changeable(`${through}/${path}`)).toBe(`${behind}/${path} belongs to uid ${ALICE}`);
  expect(changeable(`${through}/round`)).toContain(`program belongs to uid ${ALICE}`);
  chmodSync(join(dir, "bin"), 0o777);
  expect(changeable(`${through}/program`)).toStartWith(`${behind} can be written to by others`);
  closeSync(fd);
});

test("the caller's own is his own affair", () => {
  chownSync(file, ALICE, ALICE);
  chownSync(join(dir, "bin"), ALICE, ALICE);
  const asked = spyOn(process, "geteuid").mockReturnValue(ALICE);
  try {
    expect(changeable(file)).toBeUndefined();
    chownSync(join(dir, "bin"), ALICE + 1, 0);
    expect(changeable(file)).toBe(`${dir}/bin belongs to uid ${ALICE + 1}`);
  } finally {
    asked.mockRestore();
  }
});

test("in a user namespace nobody is told apart: what belongs to nobody counts as the machine's root's", () => {
  chownSync(file, ALICE, 0);
  const asked = `import { changeable } from "${import.meta.dir}/../../src/sys/trust.ts"; console.log(changeable("${file}"))`;
  const inside = Bun.spawnSync([
    "unshare",
    "--user",
    "--map-root-user",
    process.execPath,
    "-e",
    asked,
  ]);
  expect(inside.stdout.toString().trim()).toBe("undefined");
});

test("the first that is safe, and a word for each before it", () => {
  const other = join(dir, "other");
  writeFileSync(other, "");
  chmodSync(other, 0o777);
  const taken = firstSafe(
    [join(dir, "none"), other, file, other],
    (path) => path !== join(dir, "none"),
  );
  expect(taken).toEqual({
    path: file,
    passed: [
      `${other} is passed over: ${other} can be written to by others than its owner (mode 0777)`,
    ],
  });
});
