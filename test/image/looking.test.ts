/** To look at a checkpoint changes nothing: what is no regular file is not opened, and no link or circle is walked. */
import { afterEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configProblem, configText } from "../../src/criu/index.ts";
import { lastLineOf } from "../../src/criu/log.ts";
import { linesOf } from "../../src/host/lines.ts";
import { bytesOf } from "../../src/host/paths.ts";
import { openRoot } from "../../src/host/root.ts";
import { isArchive } from "../../src/image/archive.ts";
import { imagesIn, openCheckpoint, sealOf, sumsOf } from "../../src/image/index.ts";
import { openToRead } from "../../src/verify/memory-pages.ts";
import { fixture } from "./fixture.ts";

const made: string[] = [];
afterEach(() => {
  for (const dir of made.splice(0)) rmSync(dir, { recursive: true });
});

function directory(files: Record<string, Uint8Array | string> = {}): string {
  const dir = mkdtempSync(join(tmpdir(), "recriu-looking-"));
  made.push(dir);
  for (const [name, bytes] of Object.entries(files)) writeFileSync(join(dir, name), bytes);
  return dir;
}

/** Every function that reads a file at a path that others chose. */
const readers: Record<string, (dir: string, name: string) => unknown> = {
  "an image": (dir) => {
    const opened = openCheckpoint(dir);
    return opened.ok && opened.checkpoint.readEverything();
  },
  "a manifest": (dir) => sealOf(dir),
  "a sum": (dir, name) => {
    expect(() => sumsOf(dir, [name])).toThrow("no regular file");
  },
  "a configuration": (dir, name) => {
    expect(configText(join(dir, name))).toBe("");
    expect(configProblem(join(dir, name))).toContain("no regular file");
  },
  "a log": (dir, name) => {
    expect([...linesOf(join(dir, name)), lastLineOf(join(dir, name))]).toEqual([undefined]);
  },
  "a file of this machine": (dir, name) => {
    expect(bytesOf(join(dir, name), 0, 10)).toBeUndefined();
    const opened = openRoot(dir);
    if (!opened.ok) throw new Error(opened.problem);
    expect(opened.root.buildId(`/${name}`)).toBeUndefined();
  },
  "an archive": (dir, name) => expect(isArchive(join(dir, name))).toBe(false),
  "a pages image": (dir, name) => expect(openToRead(join(dir, name))).toBe(-1),
};

for (const [what, look] of Object.entries(readers)) {
  test(`who waits at a FIFO in the place of ${what} is not woken`, async () => {
    const dir = directory(fixture());
    const name = what === "a manifest" ? "recriu.manifest" : "core-10.img";
    rmSync(join(dir, name), { force: true });
    expect(Bun.spawnSync(["mkfifo", join(dir, name)]).exitCode).toBe(0);
    const writer = Bun.spawn(["sh", "-c", 'exec 3>"$0"; echo woken', join(dir, name)], {
      stdout: "pipe",
    });
    await Bun.sleep(60); // until it waits in open(2)
    look(dir, name);
    await Bun.sleep(40);
    expect(writer.exitCode).toBeNull();
    writer.kill();
    expect(await new Response(writer.stdout).text()).toBe("");
    await writer.exited;
  });
}

test("a parent that is gone, a file, or its own is told, never thrown", () => {
  const around: [string, (dir: string) => void][] = [
    ["ENOENT", (dir) => symlinkSync("nowhere", join(dir, "parent"))],
    ["ENOTDIR", (dir) => writeFileSync(join(dir, "parent"), "")],
    ["leads back to itself", (dir) => symlinkSync(".", join(dir, "parent"))],
    [
      "leads back to itself",
      (dir) => {
        mkdirSync(join(dir, "older"));
        symlinkSync("older", join(dir, "parent"));
        symlinkSync("..", join(dir, "older", "parent"));
      },
    ],
  ];
  for (const [problem, make] of around) {
    const dir = directory(fixture());
    const images = sumsOf(dir, imagesIn(dir));
    const manifest = { schema: 1, recriu: "", criu: null, kernel: "", machine: "", cpu: [] };
    writeFileSync(join(dir, "recriu.manifest"), JSON.stringify({ ...manifest, images, files: [] }));
    expect(sealOf(dir)).toMatchObject({ ok: true, altered: [] });
    make(dir);
    expect(sealOf(dir)).toMatchObject({ ok: false, problem: expect.stringContaining(problem) });
    const opened = openCheckpoint(dir);
    if (!opened.ok) throw new Error(opened.fault.problem);
    expect(opened.checkpoint.readEverything()).toEqual([]);
    opened.checkpoint.lostPages(false);
  }
});

test("a manifest with a value that no seal writes, or with more of them than its size has, is none", () => {
  const dir = directory(fixture());
  const manifest = { schema: 1, recriu: "", criu: null, kernel: "", machine: "", cpu: [] };
  const file = {
    path: "/usr/lib/x",
    size: 1,
    mode: 0o644,
    build_id: null,
    mtime: "2026-01-01T00:00:00Z",
  };
  const above = { path: "/", mode: 0o1777, uid: 0, gid: 0 };
  const sealedWith = (files: object[], directories: object[] = []) => {
    const whole = { ...manifest, images: sumsOf(dir, imagesIn(dir)), files, directories };
    writeFileSync(join(dir, "recriu.manifest"), JSON.stringify(whole));
    return sealOf(dir);
  };
  expect(sealedWith([file], [above])).toMatchObject({ ok: true, altered: [] });
  for (const odd of [{ mtime: "once" }, { mtime: 1 }, { mode: 0o10644 }, { mode: 2 ** 40 }])
    expect([odd, sealedWith([{ ...file, ...odd }])?.ok]).toEqual([odd, false]);
  for (const odd of [{ mode: 0o10755 }, { uid: -1 }, { gid: 2 ** 32 }])
    expect([odd, sealedWith([file], [{ ...above, ...odd }])?.ok]).toEqual([odd, false]);
  const many = (each: object) => sealedWith(Array.from({ length: 200_000 }, () => each));
  expect(many(file)).toMatchObject({ ok: true });
  expect(many({})).toMatchObject({ ok: false, problem: expect.stringContaining("more values") });
});

test("an image of another size than was sealed is not hashed", () => {
  const dir = directory(fixture());
  const images = sumsOf(dir, imagesIn(dir));
  const manifest = { schema: 1, recriu: "", criu: null, kernel: "", machine: "", cpu: [] };
  writeFileSync(join(dir, "recriu.manifest"), JSON.stringify({ ...manifest, images, files: [] }));
  truncateSync(join(dir, "pstree.img"), 2 ** 40);
  let hashed = 0;
  const seal = sealOf(dir, { hashing: (done) => (hashed = done) });
  expect(seal).toMatchObject({ ok: true, altered: [{ image: "pstree.img" }] });
  expect(hashed).toBeLessThan(1 << 20);
});

test("an image that is a link is not sealed, and not believed", () => {
  const dir = directory({ ...fixture(), elsewhere: "secret" });
  symlinkSync("elsewhere", join(dir, "evil.img"));
  expect(() => sumsOf(dir, imagesIn(dir))).toThrow("evil.img: it is no regular file");
});
