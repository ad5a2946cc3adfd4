import { blockers, finding, report } from "../report.ts";
import { manifestOf, sealed } from "../seal.ts";
import { keyPair } from "../signing.ts";
import {
  alive,
  criu,
  killTree,
  openStage,
  recriu,
  recriuBinary,
  restoreBare,
  run,
} from "../stage.ts";
import { expect, test } from "bun:test";
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("seal-unsigned: what bare CRIU restores is not restored where a signature is demanded", async () => {
  await using stage = openStage();
  const { pid, images } = await sealed(stage);
  const { secret, key } = await keyPair(stage, "ours");
  expect((await restoreBare(stage, images)).exit).toBe(0);
  await killTree(stage, pid);
  const refused = async (...words: string[]) => {
    const told = await report(stage, "restore", images, words);
    expect([told.exit, told.run, blockers(told)]).toEqual([3, null, ["seal-unsigned"]]);
    expect(alive(pid)).toBe(false);
    return finding(told, "seal-unsigned").message;
  };
  expect(await refused(`--verify-key=${key}`)).toContain("recriu.manifest.minisig");
  expect(await refused("--require-signature")).toContain("no key is named");
  renameSync(manifestOf(images), join(stage.dir, "manifest"));
  expect(await refused(`--verify-key=${key}`)).toContain("is not sealed");
  renameSync(join(stage.dir, "manifest"), manifestOf(images));
  expect((await recriu(stage, ["seal", images, "--sign", secret])).exit).toBe(0);
  // Signed, but not by a key that is named; and memory that comes from elsewhere is in no seal.
  expect(await refused("--require-signature")).toContain("no key is named");
  expect(await refused(`--verify-key=${key}`, "--lazy-pages")).toContain("--lazy-pages");
  expect(await refused(`--verify-key=${key}`, "--stream")).toContain("--stream");
  const words = [`--verify-key=${key}`, "--require-signature"];
  expect(await report(stage, "restore", images, words)).toMatchObject({ exit: 0 });
  await killTree(stage, pid);
});

test("demanded by recriu.conf or the environment, it is demanded by the name of criu, too", async () => {
  await using stage = openStage();
  const { pid, images } = await sealed(stage);
  const { secret, file } = await keyPair(stage, "ours");
  const bin = join(stage.dir, "bin");
  mkdirSync(bin);
  symlinkSync(recriuBinary, join(bin, "criu"));
  const etc = join(stage.dir, "etc");
  expect((await run(stage, ["cp", "-a", "/etc", etc])).exit).toBe(0);
  mkdirSync(join(etc, "recriu"));
  const config = join(etc, "recriu/recriu.conf");
  // Their own /etc, in a mount namespace.
  const under = `mount --bind ${etc} /etc && exec "$@"`;
  const asCriu = (words: string[], env: Record<string, string> = {}) =>
    run(stage, ["unshare", "--mount", "sh", "-ec", under, "sh", join(bin, "criu"), ...words], {
      env: { RECRIU_CRIU: criu, ...env },
    });
  const restore = ["restore", "-d", "-D", images, "-W", stage.dir];
  const demands = [
    ["verify-key", `verify-key ${file}\n`],
    ["require-signature", "require-signature\n"],
  ] as const;
  for (const [, text] of demands) {
    writeFileSync(config, text);
    const refused = await asCriu(restore);
    expect([refused.exit, refused.stderr]).toEqual([1, expect.stringContaining("seal-unsigned")]);
    // What cannot be looked at is not left to CRIU either.
    const unseen = await asCriu([...restore, "--lazy-pages"]);
    expect([unseen.exit, unseen.stderr]).toEqual([
      1,
      expect.stringContaining("a signature is required, and not looked at"),
    ]);
    expect(alive(pid)).toBe(false);
  }
  rmSync(config);
  const byEnvironment = await asCriu(restore, { RECRIU_VERIFY_KEY: file });
  expect([byEnvironment.exit, alive(pid)]).toEqual([1, false]);
  writeFileSync(config, "verify-key key.pub\n");
  const relative = await asCriu(restore);
  expect([relative.exit, relative.stderr]).toEqual([1, expect.stringContaining("absolute path")]);
  writeFileSync(config, demands[0][1]);
  expect((await recriu(stage, ["seal", images, "--sign", secret])).exit).toBe(0);
  expect((await asCriu(restore)).exit).toBe(0);
  expect(alive(pid)).toBe(true);
  await killTree(stage, pid);
});
