import { sha256 } from "../hashes.ts";
import { blockers, finding, report } from "../report.ts";
import { manifestOf, sealed, spoil } from "../seal.ts";
import { keyPair, minisign } from "../signing.ts";
import { alive, killTree, openStage, recriu, restoreBare, run } from "../stage.ts";
import { expect, test } from "bun:test";
import { chmodSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

test("a seal of recriu's is minisign's, and the other way; what is signed restores", async () => {
  await using stage = openStage();
  const { pid, images } = await sealed(stage);
  const ours = await keyPair(stage, "ours");
  const signed = await recriu(stage, ["seal", images, "--sign", ours.secret]);
  expect([signed.exit, signed.stderr]).toEqual([
    0,
    expect.stringMatching(/signed by the key [0-9A-F]{1,16}\n$/),
  ]);
  const manifest = manifestOf(images);
  expect((await minisign(stage, ["-V", "-p", ours.file, "-m", manifest])).exit).toBe(0);
  expect(readFileSync(ours.file, "utf8")).toContain(
    /key ([0-9A-F]{1,16})\n$/.exec(signed.stderr)![1]!,
  );
  // By minisign itself, too; the key as its file or as words.
  expect((await minisign(stage, ["-Sm", manifest, "-s", ours.secret])).exit).toBe(0);
  for (const key of [ours.file, ours.key]) {
    const looked = await report(stage, "preflight", images, [`--verify-key=${key}`]);
    expect([looked.exit, looked.findings]).toEqual([0, []]);
  }
  const said = await recriu(stage, ["preflight", images, `--verify-key=${ours.key}`]);
  expect(said.stderr).toMatch(/; signed by [0-9A-F]{1,16}\n/);
  const others = await keyPair(stage, "others");
  const either = [`--verify-key=${others.key}`, `--verify-key=${ours.key}`];
  const done = await report(stage, "restore", images, either);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  await killTree(stage, pid);
});

test("seal-signature-wrong: an image and its sums that were changed after they were signed; another's key", async () => {
  await using stage = openStage();
  const { pid, images } = await sealed(stage);
  const [ours, others] = [await keyPair(stage, "ours"), await keyPair(stage, "others")];
  const seal = (...words: string[]) => recriu(stage, ["seal", images, ...words]);
  expect((await seal("--sign", ours.secret)).exit).toBe(0);
  const asked = [`--verify-key=${ours.file}`];
  const manifest = manifestOf(images);
  const [whole, signature] = [manifest, `${manifest}.minisig`].map((file) => readFileSync(file));

  // Whoever changes an image changes its sum: without a key that is believed, and CRIU restores it.
  const pages = join(images, "pages-1.img");
  const before = sha256(pages);
  spoil(pages);
  writeFileSync(manifest, whole!.toString().replace(before, sha256(pages)));
  expect((await report(stage, "preflight", images)).findings).toEqual([]);
  expect((await restoreBare(stage, images)).exit).toBe(0);
  await killTree(stage, pid);
  const wrong = async (words: string[]) => {
    const told = await report(stage, "restore", images, words);
    expect([told.exit, told.run, blockers(told)]).toEqual([6, null, ["seal-signature-wrong"]]);
    expect(alive(pid)).toBe(false);
    return finding(told, "seal-signature-wrong").message;
  };
  expect(await wrong(asked)).toBe(`${manifest}.minisig: what was signed was something else`);
  // Nothing of what it says is believed: it need not even be one.
  writeFileSync(manifest, "[]");
  expect(await wrong(asked)).toContain("what was signed was something else");
  spoil(pages);
  writeFileSync(manifest, whole!);
  expect((await report(stage, "preflight", images, asked)).findings).toEqual([]);
  expect(await wrong([`--verify-key=${others.key}`])).toContain(
    "which is none that is trusted here",
  );

  // Other words, a trusted comment of another's, one that is cut short, and one over the file itself.
  const text = signature!.toString();
  for (const other of ["", "[]", text.slice(0, -9), text.replace("hashed", "hashes"), `${text}x`]) {
    writeFileSync(`${manifest}.minisig`, other);
    expect(await wrong(asked)).toStartWith(`${manifest}.minisig: `);
  }
  expect((await minisign(stage, ["-S", "-l", "-m", manifest, "-s", ours.secret])).exit).toBe(0);
  expect(await wrong(asked)).toContain("minisign -SH");
  writeFileSync(`${manifest}.minisig`, signature!);
  // What is sealed anew is not what was signed, and seal says so.
  writeFileSync(join(images, "new.img"), "");
  const anew = await seal();
  expect([anew.exit, anew.stderr]).toEqual([
    0,
    expect.stringContaining("is an earlier seal's signature"),
  ]);
  expect(await wrong(asked)).toContain("what was signed was something else");
  expect((await seal("--sign", ours.secret)).exit).toBe(0);
  expect((await report(stage, "preflight", images, asked)).findings).toEqual([]);
  // Others who could exchange what was looked at make it worth nothing.
  chmodSync(pages, 0o666);
  expect((await report(stage, "preflight", images)).findings).toEqual([]);
  expect(blockers(await report(stage, "preflight", images, asked))).toEqual(["untrusted-images"]);
});

test("keys that are none, that others can change, or that have a password are said", async () => {
  await using stage = openStage();
  const { images } = await sealed(stage);
  const { file, secret } = await keyPair(stage, "ours");
  const problem = async (...words: string[]) => {
    const { exit, stderr } = await recriu(stage, words);
    expect(exit).toBe(2);
    return stderr;
  };
  const look = (...words: string[]) => problem("preflight", images, ...words);
  expect(await look("--verify-key=")).toContain("--verify-key wants a public key");
  expect(await look("--verify-key=nowhere.pub")).toContain("No such file");
  expect(await look(`--verify-key=${secret}`)).toContain("is no public key of minisign");
  chmodSync(file, 0o666);
  expect(await look(`--verify-key=${file}`)).toContain("can be written to by others");
  expect(await problem("seal", images, "--sign=nowhere")).toContain("nothing was sealed");
  expect(await problem("seal", images, `--sign=${file}`)).toContain("no secret key of minisign");
  const [comment, key] = readFileSync(secret, "utf8").split("\n");
  const bytes = Buffer.from(key!, "base64");
  bytes.write("Sc", 2);
  writeFileSync(secret, `${comment}\n${bytes.toString("base64")}\n`);
  expect(await problem("seal", images, `--sign=${secret}`)).toContain(
    "has a password: sign with minisign -Sm recriu.manifest",
  );
});

test("an archive as Podman exports it is signed as one", async () => {
  await using stage = openStage();
  const { images } = await sealed(stage);
  const ours = await keyPair(stage, "ours");
  renameSync(images, join(stage.dir, "checkpoint"));
  const archive = join(stage.dir, "checkpoint.tar.gz");
  expect((await run(stage, ["tar", "-C", stage.dir, "-czf", archive, "checkpoint"])).exit).toBe(0);
  const ids = async () => {
    const words = ["preflight", archive, "--json", `--verify-key=${ours.file}`];
    const { stdout } = await recriu(stage, words);
    return JSON.parse(stdout).findings.map(({ id }: { id: string }) => id);
  };
  expect(await ids()).toEqual(["seal-unsigned"]);
  expect((await recriu(stage, ["seal", archive, "--sign", ours.secret])).exit).toBe(0);
  expect(await ids()).not.toContain("seal-unsigned");
  writeFileSync(`${archive}.recriu.manifest`, "{}");
  expect(await ids()).toEqual(["seal-signature-wrong"]);
});
