import { startDumped } from "../stage/dumped.ts";
import { blockers, explained, finding, report, sameWords } from "../report.ts";
import { sealed } from "../seal.ts";
import { keyPair } from "../signing.ts";
import { killTree, openStage, recriu, restoreBare, run, type Stage } from "../stage.ts";
import { expect, test } from "bun:test";
import { existsSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** The images of a pack, where it was unpacked. */
async function unpacked(stage: Stage, images: string): Promise<string> {
  const archive = join(stage.dir, `a-${++stage.count}.tar`);
  const packed = await recriu(stage, ["pack", images, "--without-pages", "-o", archive]);
  expect([packed.exit, packed.stderr]).toEqual([0, expect.stringContaining("recriu preflight")]);
  expect(statSync(archive).size).toBeLessThan(1 << 20);
  const dir = `${archive}.d`;
  expect(
    (await run(stage, ["sh", "-c", `mkdir ${dir} && tar -xf ${archive} -C ${dir}`])).exit,
  ).toBe(0);
  expect(readdirSync(join(dir, "checkpoint")).sort()).toEqual([
    "images",
    "pack.json",
    "restore.sh",
  ]);
  return join(dir, "checkpoint/images");
}

test("pages-left-out: preflight answers as if they were there, a restore is refused", async () => {
  await using stage = openStage();
  const { pid, images } = await sealed(stage);
  const ours = await keyPair(stage, "ours");
  const taken = await recriu(stage, ["seal", images, "--with-files", "--sign", ours.secret]);
  expect(taken.exit).toBe(0);
  const small = await unpacked(stage, images);
  expect(readdirSync(small).filter((name) => /^pages|recriu\.files/.test(name))).toEqual([]);

  const asked = [`--verify-key=${ours.key}`];
  const looked = await report(stage, "preflight", small, asked);
  expect([looked.exit, looked.findings.map(({ id, severity }) => `${severity} ${id}`)]).toEqual([
    0,
    ["info pages-left-out"],
  ]);
  const told = await recriu(stage, ["preflight", small]);
  expect(told.stderr).not.toContain("recriu restore");
  // The archive itself, too.
  const archive = `${join(small, "../..")}`.replace(/\.d$/, "");
  const ofPack = await recriu(stage, ["preflight", archive, "--json"]);
  expect([
    ofPack.exit,
    JSON.parse(ofPack.stdout).findings.map(({ id }: { id: string }) => id),
  ]).toEqual([0, ["pages-left-out"]]);

  const unpackDir = `--unpack-dir=${join(stage.dir, "whole")}`;
  const whole = await recriu(stage, ["restore", archive, unpackDir]);
  expect([whole.exit, whole.stderr]).toEqual([3, expect.stringContaining("pages-left-out: ")]);

  const refused = await report(stage, "restore", small, asked);
  expect([refused.exit, refused.run, blockers(refused)]).toEqual([3, null, ["pages-left-out"]]);
  const named = finding(refused, "pages-left-out");
  explained(named);
  const bare = await restoreBare(stage, small);
  expect(bare.exit).toBe(1);
  expect(bare.log.split("\n").filter((line) => sameWords(line, named.criu_message!))).not.toEqual(
    [],
  );
  // What only shows what is in it says so, and takes nothing for damaged.
  for (const of of [small, archive]) {
    const shown = await recriu(stage, ["show", of]);
    expect([shown.exit, shown.stderr]).toEqual([
      0,
      "the memory was left out of this pack: sizes are as it was\n",
    ]);
    expect(shown.stdout).not.toContain(" 0 B of memory");
    expect((await recriu(stage, ["diff", of, images])).exit).toBe(0);
  }
  expect((await recriu(stage, ["memory", small])).exit).toBe(0);
  for (const words of ["--search=x", "--dump=0x400000:16"]) {
    const { exit, stderr } = await recriu(stage, ["memory", words, small]);
    expect([exit, stderr]).toEqual([3, expect.stringContaining("memory was left out of")]);
  }
  for (const [of, exit, why] of [
    [small, 6, "seal the checkpoint itself"],
    [archive, 2, "is a pack: what is in it is sealed already"],
  ] as const) {
    const done = await recriu(stage, ["seal", of]);
    expect([done.exit, done.stderr]).toEqual([exit, expect.stringContaining(why)]);
  }
  expect(existsSync(`${archive}.recriu.manifest`)).toBe(false);
  const script = await run(stage, [join(small, "../restore.sh")]);
  expect([script.exit, script.stderr]).toEqual([
    3,
    expect.stringContaining("left out of this pack"),
  ]);
  const again = await recriu(stage, ["pack", small, "-o", join(stage.dir, "b.tar")]);
  expect([again.exit, again.stderr]).toEqual([
    6,
    expect.stringContaining("pack the checkpoint itself"),
  ]);

  // What else is wrong is found as ever: another image that is gone, and one that was left out but for its end.
  writeFileSync(join(small, "pages-1.img"), "");
  expect(blockers(await report(stage, "preflight", small))).toEqual([
    "image-altered",
    "pages-short",
  ]);
  rmSync(join(small, "pages-1.img"));
  rmSync(join(small, "recriu.left-out"));
  expect((await report(stage, "preflight", small)).exit).toBe(6);
  writeFileSync(join(small, "recriu.left-out"), "");
  rmSync(join(small, "fs-1.img"), { force: true });
  rmSync(join(small, "seccomp.img"), { force: true });
  expect((await report(stage, "preflight", small)).exit).toBe(6);

  const done = await report(stage, "restore", images, asked);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  await killTree(stage, pid);
});

test("pages-left-out: of a file that is gone it is said what the whole pack would put back", async () => {
  await using stage = openStage();
  const log = join(stage.dir, "log");
  writeFileSync(log, "said\n");
  const { images } = await startDumped(stage, "tree", [stage.dir, "/etc/hostname", log, "1"]);
  expect((await recriu(stage, ["seal", images, "--with-files"])).exit).toBe(0);
  const small = await unpacked(stage, images);
  rmSync(log);
  const [whole, without] = [
    await report(stage, "preflight", images),
    await report(stage, "preflight", small),
  ];
  const of = ({ findings }: typeof whole) =>
    findings.filter(({ id }) => id !== "pages-left-out").map(({ id, message }) => [id, message]);
  expect([without.exit, of(without)]).toEqual([4, of(whole)]);
  expect(without.plan.repairs).toMatchObject([{ action: "file", path: log }]);
  expect((await recriu(stage, ["preflight", small, "--fix"])).exit).not.toBe(0);
  expect(existsSync(log)).toBe(false);
});
