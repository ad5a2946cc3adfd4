/** `recriu restore PACK`: one file, and what was in it runs; what is not as it was packed is refused, and nothing is left. */
import { startDumped } from "./stage/dumped.ts";
import { recriuBinary } from "../built.ts";
import { spoil } from "./seal.ts";
import { keyPair } from "./signing.ts";
import {
  alive,
  criu,
  killTree,
  openStage,
  ownProgram,
  recriu,
  run,
  type Stage,
  waitFor,
} from "./stage.ts";
import { afterAll, expect, test } from "bun:test";
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";

const LASTING = "/var/lib/recriu";
const wasThere = existsSync(LASTING);
const unpacked = () =>
  existsSync(LASTING) ? readdirSync(LASTING).filter((name) => name.startsWith("unpacked-")) : [];

afterAll(() => {
  // The directory goes with the last pack in it.
  expect(existsSync(LASTING)).toBe(wasThere);
});

/** A task with a program of its own, dumped, sealed with its files and packed. */
async function packed(
  stage: Stage,
  words: readonly string[] = [],
  sealing: readonly string[] = [],
) {
  const program = ownProgram(stage, "memory");
  const { pid, images } = await startDumped(stage, "memory", ["plain"], { program });
  // In one command, or in two where the seal has more to do.
  const two = sealing.length > 0;
  if (two) expect((await recriu(stage, ["seal", "--with-files", images, ...sealing])).exit).toBe(0);
  const pack = join(stage.dir, "app.pack");
  const packing = ["pack", ...(two ? [] : ["--with-files"]), images, "-o", pack, ...words];
  const done = await recriu(stage, packing);
  const along = two ? "" : "taken along: \\d+ files(?:.*\\n)+";
  expect([done.exit, done.stderr]).toEqual([
    0,
    expect.stringMatching(new RegExp(`${along}.*; there: recriu restore`)),
  ]);
  rmSync(images, { recursive: true });
  return { pid, program, pack };
}

/** The pack, changed: unpacked by tar(1), `change`d, and packed again with the same members in their order, but for those that are gone. */
async function changed(stage: Stage, pack: string, change: (dir: string) => void): Promise<string> {
  const dir = join(stage.dir, `changed-${++stage.count}`);
  mkdirSync(dir);
  expect((await run(stage, ["tar", "-xf", pack, "-C", dir])).exit).toBe(0);
  const names = (await run(stage, ["tar", "-tf", pack])).stdout.trim().split("\n");
  change(join(dir, "checkpoint"));
  const kept = names.filter((name) => existsSync(join(dir, name)));
  const made = `${dir}.pack`;
  const tar = ["tar", "--format=ustar", "-C", dir, "-cf", made, ...kept];
  expect((await run(stage, tar)).exit).toBe(0);
  return made;
}

test("its program is gone: one command brings the tree back with it, and the CRIU that came along", async () => {
  await using stage = openStage();
  const options = [
    "--",
    "--tcp-established",
    "--action-script=/bin/false",
    "--skip-file-rwx-check",
    "--verify=off",
  ];
  const { pid, program, pack } = await packed(stage, ["--with-criu", ...options]);
  rmSync(program);
  const ahead = await recriu(stage, ["preflight", pack]);
  expect([ahead.exit, ahead.stderr]).toEqual([
    4,
    expect.stringContaining("the pack brings a CRIU, which is not started here"),
  ]);
  expect(ahead.stderr).toContain("options of the pack: --tcp-established\n");
  expect(ahead.stderr).toContain(`recriu restore -D ${pack}`);
  const env = { RECRIU_CRIU: "" };
  const words = ["restore", pack, "-d", "-o", "restore.log", "--json"];
  const done = await recriu(stage, words, { env });
  expect([done.exit, done.stderr]).toEqual([
    0,
    "options of the pack: --tcp-established\n" +
      "not taken from the pack, to be typed where it is wanted: --action-script=/bin/false --skip-file-rwx-check --verify=off\n",
  ]);
  const { verdict, criu: used, images } = JSON.parse(done.stdout);
  expect(verdict).toMatchObject({ result: "match" });
  expect(used.path).toMatch(/^\/var\/lib\/recriu\/unpacked-\w+\/criu\/criu$/);
  expect(images).toBe(pack);
  expect(alive(pid)).toBe(true);
  expect(existsSync(program)).toBe(true);
  // CRIU's log stands where it was asked for; of the rest nothing is left.
  expect(existsSync(join(stage.dir, "restore.log"))).toBe(true);
  expect(unpacked()).toEqual([]);
  const compared = await recriu(stage, ["verify", pack]);
  expect([compared.exit, compared.stderr]).toEqual([0, expect.stringMatching(/^verified: /)]);

  // It runs: what is to be typed then names the pack, not what was removed.
  const again = await recriu(stage, ["restore", pack, "-d"]);
  expect([again.exit, again.stderr]).toEqual([
    3,
    expect.stringContaining(`recriu verify -D ${pack}\n`),
  ]);
  expect(again.stderr).toContain(`recriu restore -D ${pack} -d --isolate=pid would restore it`);
  expect(unpacked()).toEqual([]);
  await killTree(stage, pid);

  const untrusted = await recriu(stage, ["restore", pack, "--untrusted", "--dry-run"]);
  expect(untrusted.stderr).toContain("untrusted, so not taken from the pack: --tcp-established");
  // What is typed counts more.
  const typed = ["restore", pack, "--dry-run", "--json", "--criu=/no/criu"];
  const { findings } = JSON.parse((await recriu(stage, typed, { env })).stdout);
  expect(findings).toContainEqual(expect.objectContaining({ id: "criu-missing" }));
});

test("from a pipe, compressed or not; attached, until the tree ends", async () => {
  await using stage = openStage();
  const { pid, pack } = await packed(stage);
  for (const through of ["cat", "gzip -1", "zstd -q"]) {
    const call = `${through} <${pack} | RECRIU_CRIU=${criu} ${recriuBinary} restore - -d -o restore.log`;
    const done = await run(stage, ["sh", "-c", call]);
    expect([through, done.exit, done.stderr]).toEqual([
      through,
      0,
      expect.stringMatching(/verified: .*\nrestored as \d+ in /s),
    ]);
    await killTree(stage, pid);
  }
  const ahead = await run(stage, [
    "sh",
    "-c",
    `zstd -q <${pack} | RECRIU_CRIU=${criu} ${recriuBinary} preflight -`,
  ]);
  expect([ahead.exit, ahead.stderr]).toEqual([0, expect.stringContaining("ready to restore")]);
  const log = join(stage.dir, "attached.log");
  const words = "restore - -v4 -o attached.log";
  const call = `RECRIU_CRIU=${criu} ${recriuBinary} ${words} <${pack}`;
  const attached = run(stage, ["sh", "-c", call]);
  await waitFor(
    "the tree to run",
    () => existsSync(log) && readFileSync(log, "utf8").includes("Tasks resumed"),
  );
  const [name] = unpacked();
  const images = () => readdirSync(join(LASTING, name!, "images"));
  await waitFor(
    "the pages to be gone",
    () => !images().some((image) => image.startsWith("pages-")),
  );
  expect(images()).toContain("pstree.img");
  await killTree(stage, pid);
  const { exit, stderr } = await attached;
  expect([exit, stderr]).toEqual([0, expect.stringContaining("verified: ")]);
  expect(unpacked()).toEqual([]);
});

test("what is not as it was packed is refused before CRIU sees it, and nothing is left", async () => {
  await using stage = openStage();
  const { pack } = await packed(stage);
  const inImages = (dir: string, name: string) => join(dir, "images", name);
  const copyOf = (dir: string, change: (contents: any) => void) => {
    const file = join(dir, "pack.json");
    const contents = JSON.parse(readFileSync(file, "utf8"));
    change(contents);
    writeFileSync(file, JSON.stringify(contents));
  };
  const cases: [problem: string, change: (dir: string) => void][] = [
    [
      "checkpoint/images/pages-1.img: its bytes are not those that were sealed",
      (dir) => spoil(inImages(dir, "pages-1.img")),
    ],
    [
      "checkpoint/images/mm-",
      (dir) =>
        rmSync(
          inImages(
            dir,
            readdirSync(join(dir, "images")).find((name) => name.startsWith("mm-"))!,
          ),
        ),
    ],
    [
      " bytes, and ",
      (dir) => writeFileSync(inImages(dir, "pstree.img"), readFileSync(join(dir, "restore.sh"))),
    ],
    ["it is no manifest", (dir) => writeFileSync(inImages(dir, "recriu.manifest"), "{}")],
    ["an older recriu made it", (dir) => rmSync(join(dir, "pack.json"))],
    ["its options: ", (dir) => copyOf(dir, (contents) => contents.options.push("--no-such"))],
    [
      "../evil is no file of CRIU's",
      (dir) =>
        copyOf(dir, (contents) => (contents.criu["../evil"] = { size: 1, sha256: "0".repeat(64) })),
    ],
  ];
  for (const [problem, change] of cases) {
    const bad = await changed(stage, pack, change);
    const refused = await recriu(stage, ["restore", bad, "-d"]);
    expect([problem, refused.exit, refused.stderr]).toEqual([
      problem,
      6,
      expect.stringContaining(`recriu restore: ${bad}: `),
    ]);
    expect(refused.stderr).toContain(problem);
    expect(unpacked()).toEqual([]);
    rmSync(bad);
  }
  const cut = join(stage.dir, "cut.pack");
  writeFileSync(cut, readFileSync(pack).subarray(0, -20_000));
  expect((await recriu(stage, ["restore", cut])).exit).toBe(6);
  const text = await run(stage, [
    "sh",
    "-c",
    `echo text | RECRIU_CRIU=${criu} ${recriuBinary} restore -`,
  ]);
  expect([text.exit, text.stderr]).toEqual([
    2,
    "recriu restore: stdin: it is no tar, gzip or zstd archive\n",
  ]);
  const other = await run(stage, [
    "sh",
    "-c",
    `tar -cf - /dev/null | RECRIU_CRIU=${criu} ${recriuBinary} restore -`,
  ]);
  expect([other.exit, other.stderr]).toEqual([
    2,
    expect.stringContaining("stdin: it is no pack\n"),
  ]);
  expect(unpacked()).toEqual([]);
});

test("--unpack-dir keeps it, in a new directory where no other user can change it", async () => {
  await using stage = openStage();
  const { pid, pack } = await packed(stage);
  const into = join(stage.dir, "into");
  const done = await recriu(stage, ["restore", pack, "-d", `--unpack-dir=${into}`]);
  expect([done.exit, done.stderr]).toEqual([0, expect.stringContaining(`${into}/images: 1 task`)]);
  await killTree(stage, pid);
  expect(readdirSync(into)).toContain("images");
  expect(statSync(into).mode & 0o777).toBe(0o700);
  // As any directory of images.
  expect((await recriu(stage, ["restore", "-D", join(into, "images"), "-d"])).exit).toBe(0);
  await killTree(stage, pid);
  const full = await recriu(stage, ["restore", pack, "-d", `--unpack-dir=${into}`]);
  expect([full.exit, full.stderr]).toEqual([2, expect.stringContaining("it is not empty")]);
  const others = join(stage.dir, "others");
  mkdirSync(others);
  chownSync(others, 1000, 1000);
  const foreign = await recriu(stage, ["restore", pack, "-d", `--unpack-dir=${others}/new`]);
  expect([foreign.exit, foreign.stderr]).toEqual([2, expect.stringContaining("uid 1000")]);
  expect(readdirSync(others)).toEqual([]);
});

test("ended while it unpacks: nothing is left; of one that was killed the next one removes it", async () => {
  await using stage = openStage();
  const { pack } = await packed(stage);
  const fifo = join(stage.dir, "fifo");
  expect((await run(stage, ["mkfifo", fifo])).exit).toBe(0);
  for (const signal of ["TERM", "KILL"]) {
    // All but the end comes: it waits for more.
    const bytes = statSync(pack).size - 50_000;
    const feed = `{ head -c ${bytes} ${pack}; sleep 60; } >${fifo} & feeder=$!`;
    const call = `${feed}; RECRIU_CRIU=${criu} ${recriuBinary} restore - -d <${fifo} & recriu=$!; echo $recriu >${fifo}.pid; wait $recriu; code=$?; kill $feeder; exit $code`;
    const running = run(stage, ["sh", "-c", call]);
    await waitFor("the images", () =>
      unpacked().some((name) => existsSync(join(LASTING, name, "images/recriu.manifest"))),
    );
    process.kill(Number(readFileSync(`${fifo}.pid`, "utf8")), `SIG${signal}`);
    expect((await running).exit).toBe(128 + { TERM: 15, KILL: 9 }[signal]!);
    expect(unpacked().length).toBe(signal === "TERM" ? 0 : 1);
  }
  expect((await recriu(stage, ["restore", pack, "--dry-run"])).exit).toBe(0);
  expect(unpacked()).toEqual([]);
});

test("signed: verified before the manifest is believed; its CRIU and options are in no seal, and are not taken", async () => {
  await using stage = openStage();
  const [ours, others] = [await keyPair(stage, "ours"), await keyPair(stage, "others")];
  const sign = ["--sign", ours.secret];
  const { pid, program, pack } = await packed(
    stage,
    ["--with-criu", "--", "--tcp-established"],
    sign,
  );
  rmSync(program);
  const before = unpacked();
  const restore = (file: string, ...words: string[]) =>
    recriu(stage, ["restore", file, "-d", ...words]);
  const refusal = async (file: string, ...words: string[]) => {
    const { exit, stderr } = await restore(file, ...words);
    expect([unpacked(), alive(pid)]).toEqual([before, false]);
    return [exit, stderr.split(": ").slice(2).join(": ")];
  };
  const asked = `--verify-key=${ours.key}`;
  const manifest = "images/recriu.manifest";
  const altered = await changed(stage, pack, (dir) => {
    const file = join(dir, manifest);
    writeFileSync(file, readFileSync(file, "utf8").replace('"kernel": "', '"kernel": "1'));
  });
  const wrong = (why: string) => [
    6,
    expect.stringMatching(new RegExp(`^seal-signature-wrong: checkpoint/images/.*: ${why}`)),
  ];
  expect(await refusal(altered, asked)).toEqual(wrong("what was signed was something else"));
  expect(await refusal(pack, `--verify-key=${others.key}`)).toEqual(wrong("it is by the key"));
  const unsigned = await changed(stage, pack, (dir) => rmSync(join(dir, `${manifest}.minisig`)));
  expect(await refusal(unsigned, asked)).toEqual([3, expect.stringMatching(/^seal-unsigned: /)]);
  // preflight of the pack, too.
  for (const [file, exit] of [
    [altered, 6],
    [unsigned, 3],
  ] as const)
    expect((await recriu(stage, ["preflight", file, asked])).exit).toBe(exit);

  // Where no other CRIU is named, that of the pack would be taken.
  const without = await recriu(stage, ["restore", pack, "-d", "--dry-run", asked], {
    env: { RECRIU_CRIU: "" },
  });
  const notTaken = "a signature is required, so not taken from the pack: --tcp-established";
  expect(without.stderr).toContain(`${notTaken} --criu=`);
  const done = await restore(pack, asked);
  expect([done.exit, done.stderr]).toEqual([0, expect.stringContaining(notTaken)]);
  expect(alive(pid)).toBe(true);
  await killTree(stage, pid);
});
