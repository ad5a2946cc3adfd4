/** A sealed checkpoint, and one that is carried to a machine that has nothing. */
import { repository } from "../built.ts";
import { report } from "./report.ts";
import { manifestOf, sealed, spoil } from "./seal.ts";
import { alive, criu, dump, killTree, openStage, recriu, run } from "./stage.ts";
import { compile } from "./stage/compile.ts";
import { expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

test("a sealed checkpoint restores; its manifest names every image, and what it needs besides", async () => {
  await using stage = openStage();
  const { pid, images } = await sealed(stage);
  const manifest = JSON.parse(readFileSync(manifestOf(images), "utf8"));
  const { images: sums, files, criu: version } = manifest;
  for (const [name, { size, sha256 }] of Object.entries<{ size: number; sha256: string }>(sums)) {
    expect(size).toBe(statSync(join(images, name)).size);
    expect((await run(stage, ["sha256sum", join(images, name)])).stdout).toStartWith(sha256);
  }
  expect(Object.keys(sums)).toContain("pages-1.img");
  expect(version).toMatch(/^\d+\.\d/);
  const libc = files.find(({ path }: { path: string }) => path.includes("libc.so"));
  expect(libc).toMatchObject({
    size: statSync(libc.path).size,
    build_id: expect.stringMatching(/^[0-9a-f]{20,}$/),
  });

  const done = await report(stage, "restore", images);
  expect(done).toMatchObject({ exit: 0, findings: [], verdict: { result: "match" } });
  await killTree(stage, pid);
  // Sealed anew it says the same.
  const before = readFileSync(manifestOf(images), "utf8");
  expect((await recriu(stage, ["seal", images])).exit).toBe(0);
  expect(readFileSync(manifestOf(images), "utf8")).toBe(before);
});

test("a link where the manifest goes is replaced, not followed; what is damaged is not sealed", async () => {
  await using stage = openStage();
  const { images } = await sealed(stage);
  const victim = join(stage.dir, "victim");
  writeFileSync(victim, "mine");
  rmSync(manifestOf(images));
  symlinkSync(victim, manifestOf(images));
  expect((await recriu(stage, ["seal", images])).exit).toBe(0);
  expect(readFileSync(victim, "utf8")).toBe("mine");
  rmSync(manifestOf(images));
  const pstree = readFileSync(join(images, "pstree.img"));
  writeFileSync(join(images, "pstree.img"), pstree.subarray(0, 10));
  const refused = await recriu(stage, ["seal", images]);
  expect([refused.exit, refused.stderr]).toEqual([6, expect.stringContaining("pstree.img")]);
  expect(existsSync(manifestOf(images))).toBe(false);
});

test("sealed on another machine: what differs is told, each by its own id, and refuses nothing", async () => {
  await using stage = openStage();
  const { pid, images } = await sealed(stage);
  const manifest = JSON.parse(readFileSync(manifestOf(images), "utf8"));
  const { page_size, processors, memory, limits, gpus } = manifest.host;
  expect([page_size, limits, gpus]).toEqual([4096, expect.anything(), expect.any(Array)]);
  expect([processors > 0, memory > 2 ** 20]).toEqual([true, true]);
  const write = (said: object) =>
    writeFileSync(manifestOf(images), JSON.stringify({ ...manifest, ...said }));
  write({ kernel: "999.1", criu: "999.1", host: { ...manifest.host, processors: 10_000 } });
  const told = await report(stage, "restore", images);
  expect(told.findings.map(({ id, severity }) => `${severity} ${id}`).toSorted()).toEqual([
    "warning criu-older",
    "warning kernel-older",
    "warning processors-fewer",
  ]);
  expect(told).toMatchObject({ exit: 0, verdict: { result: "match" } });
  await killTree(stage, pid);
  // Seals of before say nothing of it.
  write({ host: undefined });
  expect((await report(stage, "preflight", images)).findings).toEqual([]);
  write({ host: { ...manifest.host, gpus: "none" } });
  expect((await report(stage, "preflight", images)).exit).toBe(6);
});

test("packed with CRIU: restored where there is nothing but a C library and a shell", async () => {
  await using stage = openStage();
  const bare = join(stage.dir, "bare");
  const oldest = join(repository, ".cache/systems/oldest");
  mkdirSync(bare);
  expect((await run(stage, ["cp", "-a", `${oldest}/.`, bare])).exit).toBe(0);
  for (const [type, dir] of [
    ["proc", "proc"],
    ["tmpfs", "dev"],
  ] as const)
    expect((await run(stage, ["mount", "-t", type, "none", join(bare, dir)])).exit).toBe(0);
  expect(
    (await run(stage, ["mknod", "-m", "666", join(bare, "dev/null"), "c", "1", "3"])).exit,
  ).toBe(0);
  // The program is on both machines.
  const program = join(stage.dir, "program");
  copyFileSync(compile("objects", true), program);
  mkdirSync(join(bare, stage.dir), { recursive: true });
  copyFileSync(program, join(bare, program));
  const ready = join(stage.dir, "ready");
  const { pid } = await stage.supervisor.spawn([program, ready]);
  while (!existsSync(ready)) await Bun.sleep(5);
  const images = await dump(stage, pid);
  const refused = await recriu(stage, ["pack", images, "-o", join(stage.dir, "a.tar")]);
  expect([refused.exit, refused.stderr]).toEqual([6, expect.stringContaining("is not sealed")]);
  expect((await recriu(stage, ["seal", images])).exit).toBe(0);
  const archive = join(stage.dir, "a.tar");
  const packed = await recriu(stage, ["pack", images, "-o", archive, "--with-criu"]);
  expect([packed.exit, packed.stderr]).toEqual([
    0,
    expect.stringContaining("there: recriu restore"),
  ]);
  expect(statSync(archive).mode & 0o777).toBe(0o600);
  expect((await run(stage, ["tar", "-xf", archive, "-C", bare])).exit).toBe(0);
  const licence = readFileSync(join(bare, "checkpoint/criu/LICENSE-AND-SOURCE"), "utf8");
  expect(licence).toMatch(/^CRIU \d+\.\d.*, criu\.bin here, was copied from \//);
  expect(licence).toContain("GPL-2.0-only");
  rmSync(images, { recursive: true });

  // The pack itself can be looked at; test/restore/pack.test.ts restores it.
  expect((await recriu(stage, ["show", archive])).stdout).toStartWith(`${archive}: program\n`);
  const ahead = await recriu(stage, ["preflight", archive, "-v"]);
  expect([ahead.exit, ahead.stderr]).toEqual([0, expect.stringContaining("ready to restore")]);

  const restored = await run(stage, ["chroot", bare, "/checkpoint/restore.sh", "-d", "--json"], {
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
  });
  expect(restored.exit).toBe(0);
  const { verdict, criu: used } = JSON.parse(restored.stdout);
  expect(verdict).toMatchObject({ result: "match" });
  expect(used.path).toBe("/checkpoint/criu/criu");
  expect(alive(pid)).toBe(true);
  await killTree(stage, pid);
  // Without the script, too: there is no other.
  const alone = await run(
    stage,
    ["chroot", bare, "/checkpoint/recriu", "preflight", "-D", "/checkpoint/images", "--json"],
    { env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" } },
  );
  expect([alone.exit, JSON.parse(alone.stdout).criu]).toEqual([0, used]);

  spoil(join(bare, "checkpoint/images/pages-1.img"));
  const altered = await run(stage, ["chroot", bare, "/checkpoint/restore.sh", "-d"], {
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
  });
  expect([altered.exit, altered.stderr]).toEqual([
    6,
    expect.stringContaining("blocker[image-altered]"),
  ]);
  expect(criu).not.toBe(used.path);
});
