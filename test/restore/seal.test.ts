/** A sealed checkpoint, and one that is carried to a machine that has nothing. */
import { expect, test } from "bun:test";
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { finding, report } from "./report.ts";
import {
  alive,
  criu,
  dump,
  killTree,
  openStage,
  recriu,
  restoreBare,
  run,
  type Stage,
  start,
} from "./stage.ts";
import { repository } from "../built.ts";
import { compile } from "./stage/compile.ts";

const manifestOf = (images: string) => join(images, "recriu.manifest");

/** One byte in the middle of a file is another one. */
function spoil(file: string): void {
  const bytes = readFileSync(file);
  bytes[bytes.length >> 1]! ^= 1;
  writeFileSync(file, bytes);
}

async function sealed(stage: Stage) {
  const { pid } = await start(stage, "memory", ["plain"]);
  const images = await dump(stage, pid);
  const done = await recriu(stage, ["seal", images]);
  expect([done.exit, done.stderr]).toEqual([
    0,
    expect.stringMatching(/\d+ images, .* files outside them\n$/),
  ]);
  return { pid, images };
}

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

test("image-altered: a byte of memory that CRIU restores without a word; images that went, and that came", async () => {
  await using stage = openStage();
  const { pid, images } = await sealed(stage);
  const pages = join(images, "pages-1.img");
  spoil(pages);
  expect((await restoreBare(stage, images)).exit).toBe(0);
  await killTree(stage, pid);
  const named = await report(stage, "preflight", images);
  expect(named.exit).toBe(6);
  expect(named.findings).toMatchObject([
    { id: "image-altered", severity: "blocker", image: "pages-1.img", subject: "pages-1.img" },
  ]);
  const restore = await report(stage, "restore", images);
  expect([restore.exit, restore.run]).toEqual([6, null]);
  expect(alive(pid)).toBe(false);
  spoil(pages);
  expect((await report(stage, "preflight", images)).findings).toEqual([]);

  writeFileSync(join(images, "tcp-stream-7.img"), "new");
  renameSync(join(images, "timens-0.img"), join(images, "was"));
  const other = await report(stage, "preflight", images);
  expect(
    other.findings.filter(({ id }) => id === "image-altered").map(({ image }) => image),
  ).toEqual(["tcp-stream-7.img", "timens-0.img"]);
});

test("image-altered: a manifest is believed in nothing", async () => {
  await using stage = openStage();
  const { images } = await sealed(stage);
  const good = readFileSync(manifestOf(images), "utf8");
  const says = async (text: string) => {
    rmSync(manifestOf(images), { recursive: true, force: true });
    writeFileSync(manifestOf(images), text);
    return finding(await report(stage, "preflight", images), "image-altered").message;
  };
  expect(await says(good.slice(0, -20))).toContain("it is no JSON");
  expect(await says("[]")).toContain("it is no manifest that this recriu knows");
  for (const name of ["../pstree.img", "/etc/shadow", "parent/..", "a\0b"])
    expect(await says(good.replace('"pstree.img"', JSON.stringify(name)))).toContain(
      "is no image's name",
    );
  expect(await says(good.replace(/"size": \d+/, '"size": -1'))).toContain("is no sum");
  expect(await says(good.replace(/"sha256": "\w+"/, '"sha256": "0"'))).toContain("is no sum");
  rmSync(manifestOf(images));
  mkdirSync(manifestOf(images));
  expect(finding(await report(stage, "preflight", images), "image-altered").message).toContain(
    "no regular file",
  );
  rmSync(manifestOf(images), { recursive: true });
  expect((await run(stage, ["mkfifo", manifestOf(images)])).exit).toBe(0);
  expect(finding(await report(stage, "preflight", images), "image-altered").message).toContain(
    "no regular file",
  );
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

test("file-differs: a program of another build, which CRIU lets pass; a mode is a warning", async () => {
  await using stage = openStage();
  const [data, program] = [join(stage.dir, "data"), join(stage.dir, "program")];
  writeFileSync(data, "x".repeat(5000));
  copyFileSync(compile("things"), program);
  chmodSync(program, 0o755);
  const ready = join(stage.dir, "ready");
  const { pid } = await stage.supervisor.spawn([program, ready, "read", data]);
  while (!existsSync(ready)) await Bun.sleep(5);
  const images = await dump(stage, pid);
  expect((await recriu(stage, ["seal", images])).exit).toBe(0);
  // Another build of the same size: its build-id note says so, which CRIU would see, and nothing else differs.
  const elf = readFileSync(program);
  const note = elf.indexOf(
    Buffer.from("GNU\0", "latin1"),
    elf.indexOf(Buffer.from([4, 0, 0, 0, 20, 0, 0, 0, 3, 0, 0, 0])),
  );
  elf[note + 4]! ^= 1;
  rmSync(program);
  writeFileSync(program, elf, { mode: 0o755 });
  const named = await report(stage, "preflight", images);
  expect(finding(named, "file-differs")).toMatchObject({ severity: "blocker", subject: program });
  expect(finding(named, "file-differs").message).toContain("its build-id is ");
  // With the comparison that CRIU can be told to make, it says nothing at all.
  expect((await restoreBare(stage, images, ["--file-validation", "filesize"])).exit).toBe(0);
  await killTree(stage, pid);

  chmodSync(data, 0o640);
  const mode = await report(stage, "preflight", images, ["--skip-file-rwx-check"]);
  expect(mode.findings.filter(({ subject }) => subject === data)).toMatchObject([
    { id: "file-differs", severity: "warning", message: `${data}: its mode is 0640 and was 0644` },
  ]);
});

test("an archive as Podman exports it is sealed as one", async () => {
  await using stage = openStage();
  const { images } = await sealed(stage);
  rmSync(manifestOf(images));
  renameSync(images, join(stage.dir, "checkpoint"));
  const archive = join(stage.dir, "checkpoint.tar.gz");
  expect((await run(stage, ["tar", "-czf", archive, "checkpoint"])).exit).toBe(0);
  expect((await recriu(stage, ["seal", archive])).exit).toBe(0);
  expect(existsSync(`${archive}.recriu.manifest`)).toBe(true);
  const altered = async () => {
    const { stdout } = await recriu(stage, ["preflight", archive, "--json"]);
    return JSON.parse(stdout).findings.filter(({ id }: { id: string }) => id === "image-altered");
  };
  expect(await altered()).toEqual([]);
  // One that is packed anew is another, whatever is in it.
  expect((await run(stage, ["tar", "-czf", archive, "--owner=7", "checkpoint"])).exit).toBe(0);
  expect(await altered()).toMatchObject([{ subject: "checkpoint.tar.gz", severity: "blocker" }]);
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
  copyFileSync(compile("things", true), program);
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
    expect.stringContaining("checkpoint/restore.sh"),
  ]);
  expect(statSync(archive).mode & 0o777).toBe(0o600);
  expect((await run(stage, ["tar", "-xf", archive, "-C", bare])).exit).toBe(0);
  rmSync(images, { recursive: true });

  const restored = await run(stage, ["chroot", bare, "/checkpoint/restore.sh", "-d", "--json"], {
    env: { PATH: "/usr/sbin:/usr/bin:/sbin:/bin" },
  });
  expect(restored.exit).toBe(0);
  const { verdict, criu: used } = JSON.parse(restored.stdout);
  expect(verdict).toMatchObject({ result: "match" });
  expect(used.path).toBe("/checkpoint/criu/criu");
  expect(alive(pid)).toBe(true);
  await killTree(stage, pid);

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
