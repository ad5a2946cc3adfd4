/** Paths of a checkpoint, looked up inside a root that none of them leaves. */
import { afterAll, expect, test } from "bun:test";
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openRoot, type Root } from "../../src/host/root.ts";

const base = realpathSync(mkdtempSync(join(tmpdir(), "recriu-root-")));
afterAll(() => rmSync(base, { recursive: true }));
mkdirSync(join(base, "inside/empty"), { recursive: true });
mkdirSync(join(base, "inside/full"));
writeFileSync(join(base, "inside/full/file"), "text");
writeFileSync(join(base, "outside"), "");
symlinkSync("/outside", join(base, "inside/out"));
symlinkSync("full/new", join(base, "inside/dangling"));
symlinkSync("full/file", join(base, "inside/link"));
Bun.spawnSync(["mkfifo", join(base, "inside/fifo")]);

function rootAt(path: string): Root {
  const opened = openRoot(path);
  if (!opened.ok) throw new Error(opened.problem);
  return opened.root;
}
const root = rootAt(join(base, "inside"));

test("what is there, what is missing, and what is only not to be seen", () => {
  expect(root.look("/full/file")).toMatchObject({ ok: true });
  for (const path of ["/no", "/full/file/no", "/out"])
    expect(root.look(path)).toMatchObject({ ok: false, missing: true });
  const loop = join(base, "inside/loop");
  symlinkSync("loop", loop);
  expect(root.look("/loop")).toMatchObject({ ok: false, missing: false });
});

test("a link itself, and where it leads", () => {
  const link = root.look("/link", false);
  expect(link.ok && link.stat.isSymbolicLink()).toBe(true);
  const file = root.look("/link");
  expect(file.ok && file.stat.isFile()).toBe(true);
});

test("a FIFO in the place of a library is not waited for", () => {
  // Were it waited for, the test would not come to its end.
  const code = `
    const { openRoot } = await import(${JSON.stringify(join(import.meta.dir, "../../src/host/root.ts"))});
    console.log(openRoot(${JSON.stringify(join(base, "inside"))}).root.buildId("/fifo") === undefined);`;
  const asked = Bun.spawnSync([process.execPath, "-e", code], { timeout: 10_000 });
  expect(asked.stdout.toString()).toBe("true\n");
});

test("empty is a directory in which nothing is, and none that cannot be read", () => {
  expect([
    root.isEmpty("/empty"),
    root.isEmpty("/full"),
    root.isEmpty("/no"),
    root.isEmpty("/link"),
  ]).toEqual([true, false, false, false]);
});

test("where a path leads, with what of it is not there yet", () => {
  expect(root.real("/link")).toBe(join(base, "inside/full/file"));
  expect(root.real("/link", false)).toBe(join(base, "inside/link"));
  expect(root.real("/dangling")).toBe(join(base, "inside/full/new"));
  expect(root.real("/out")).toBe(join(base, "inside/outside"));
  expect(root.real("/no/../x")).toBeUndefined();
});

test("the kernel's own file systems", () => {
  const here = rootAt("/");
  expect([here.kernelFs("/proc/self"), here.kernelFs("/sys"), here.kernelFs(base)]).toEqual([
    "proc",
    "sysfs",
    undefined,
  ]);
});

test("names in a directory; none of what cannot be read", () => {
  expect(root.list("/full")).toEqual(["file"]);
  expect(root.list("/no")).toEqual([]);
  chmodSync(join(base, "inside/full"), 0o755);
});
