/** --verify=memory: a real tree with memory of every kind, as it was saved, and with one byte that is not. */
import { copyOf } from "./stage/dumped.ts";
import { afterAll, beforeAll, expect, test } from "bun:test";
import { closeSync, cpSync, openSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { openCheckpoint } from "../../src/image/index.ts";
import { entries, scan } from "../../src/sys/memory.ts";
import { asCriu } from "../dropin/as-criu.ts";
import { edit } from "./edit.ts";
import { report } from "./report.ts";
import { alive, close, dump, killTree, openStage, recriu, type Stage, start } from "./stage.ts";

let stage: Stage;
let images: string;
let pid: number;
let child: number;

beforeAll(async () => {
  stage = openStage();
  const file = join(stage.dir, "mapped");
  writeFileSync(file, Buffer.alloc(4 * 4096, "x"));
  ({ pid } = await start(stage, "contents", [file]));
  images = await dump(stage, pid);
  child = checkpoint().tasks[1]!.pid;
});
afterAll(() => close(stage));

function checkpoint() {
  const opened = openCheckpoint(images);
  if (!opened.ok) throw new Error(opened.fault.problem);
  return opened.checkpoint;
}

/** The address of page `page` in the root's mapping of so many pages (test/workloads/contents.c). */
function addressOf(pages: number, prot: number, page: number): number {
  const { vmas } = checkpoint().root!.mm!;
  const found = vmas.find(
    (vma) => Number(vma.end - vma.start) === pages * 4096 && vma.prot === prot && vma.status !== 0,
  );
  return Number(found!.start) + page * 4096;
}

/** A script that writes one byte into a task at the last point before the tree runs. */
function poking(task: number, address: number): string {
  const path = join(stage.dir, "poke");
  const poke = `printf '\\001' | dd of=/proc/${task}/mem bs=1 seek=${address} conv=notrunc status=none`;
  writeFileSync(path, `#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != pre-resume ] || ${poke}\n`, {
    mode: 0o755,
  });
  return path;
}

const memoryOf = ({ verdict }: Awaited<ReturnType<typeof report>>) =>
  verdict!.differences.filter(
    ({ facet, class: kind }) => facet === "memory" && kind !== "expected",
  );

test("the saved tree: all of its memory is compared, and nothing differs but what the kernel writes", async () => {
  const done = await report(stage, "restore", images, ["--verify=memory"]);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(memoryOf(done)).toEqual([]);
  expect(done.verdict!.left_out.filter(({ facet }) => facet === "memory")).toEqual([]);
  const promised = checkpoint()
    .pages()
    .reduce((sum, { expected }) => sum + expected, 0);
  expect(done.verdict!.memory).toBeGreaterThanOrEqual(promised);
  for (const { found } of done.verdict!.differences) expect(found).toMatch(/rseq|ring/);

  // While it runs, what was wrong cannot be told from what was written since: nothing is fatal.
  const words = ["verify", "-D", images, "--json"];
  const live = await recriu(stage, [...words, "--verify=memory"]);
  expect(live.exit).toBe(0);
  expect(JSON.parse(live.stdout).verdict.memory).toBeGreaterThanOrEqual(promised);
  expect(JSON.parse((await recriu(stage, words)).stdout).verdict.memory).toBeUndefined();
  expect((await recriu(stage, [...words, "--verify=gate"])).exit).toBe(2);
  await killTree(stage, pid);
});

/** What is poked: pages of the mapping, its protection, the page; the words that name it. */
const pokes: [what: string, pages: number, prot: number, page: number, words: RegExp][] = [
  ["a saved page", 600, 7, 7, /^memory at \w+ in \w+-\w+ rwxp: 68$/],
  ["an untouched page", 600, 7, 450, /rwxp: 0$/],
  ["a page of zeros", 600, 7, 585, /rwxp: 0$/],
  ["a page that nobody may read", 8, 0, 3, /---p: 66$/],
  ["far away in a huge mapping", 1 << 26, 3, 1 << 25, /rw-p: 0$/],
  ["a page under which there is a file", 4, 3, 1, /rw-p \S+\/mapped: the file's$/],
  ["a written page over a file", 4, 3, 2, /rw-p \S+\/mapped: 66$/],
  ["shared memory", 64, 3, 3, /rw-s: 67$/],
  ["untouched shared memory", 64, 3, 50, /rw-s: 0$/],
  ["a memfd", 32, 3, 6, /rw-s: 6b$/],
];

for (const [what, pages, prot, page, words] of pokes)
  test(`one byte in ${what}: named, and the tree is killed`, async () => {
    const address = addressOf(pages, prot, page);
    const script = ["--action-script", poking(pid, address)];
    const done = await report(stage, "restore", images, ["--verify=memory", ...script]);
    expect(done).toMatchObject({ exit: 5, verdict: { result: "mismatch" } });
    const [difference, ...others] = memoryOf(done);
    expect(others).toEqual([]);
    expect(difference).toMatchObject({ task: pid, found: expect.stringMatching(/^(1|its own)$/) });
    expect(difference!.expected).toContain(address.toString(16));
    expect(difference!.expected).toMatch(words);
    expect([pid, child].filter(alive)).toEqual([]);
  });

test("without the option nobody sees it; with report it stays", async () => {
  const script = ["--action-script", poking(child, addressOf(600, 7, 7))];
  expect((await report(stage, "restore", images, script)).exit).toBe(0);
  await killTree(stage, pid);
  const done = await report(stage, "restore", images, ["--verify=memory", ...script]);
  expect(done.exit).toBe(5);
  expect(memoryOf(done)).toMatchObject([{ task: child }]);
});

test("as criu, by the environment: what is found at the last point kills the tree", async () => {
  const words = ["restore", "-d", "-D", images, "-o", "/dev/null"];
  const script = ["--action-script", poking(pid, addressOf(600, 7, 7))];
  const env = { RECRIU_VERIFY: "memory" };
  const gated = await asCriu(stage, [...words, ...script], { env });
  expect(gated.exit).toBe(1);
  expect(gated.stderr).toMatch(/fatal\[memory\] task \d+: saved memory at/);
  expect(alive(pid)).toBe(false);
  expect(await asCriu(stage, words, { env })).toMatchObject({ exit: 0, stderr: "" });
  await killTree(stage, pid);
});

test("an image that changes between CRIU's look and recriu's: whose it is, is told page by page", async () => {
  const copy = copyOf(stage, images, "copy");
  const { file, offset } = checkpoint().contents(`pagemap-${pid}.img`, false)[0]!;
  const path = join(copy, file.slice(file.lastIndexOf("/") + 1));
  const script = join(stage.dir, "change");
  const change = `head -c 12288 /dev/urandom | dd of=${path} bs=1 seek=${offset} conv=notrunc status=none`;
  writeFileSync(script, `#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != post-restore ] || ${change}\n`, {
    mode: 0o755,
  });
  const words = ["--verify=memory", "--action-script", script];
  const done = await report(stage, "restore", copy, words);
  expect(done.exit).toBe(5);
  expect(memoryOf(done)[0]!.expected).toMatch(/^3 pages, the first at|^memory at/);
  expect(alive(pid)).toBe(false);
  // What is gone meanwhile is not taken for equal.
  writeFileSync(script, `#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != post-restore ] || : >${path}\n`);
  const gone = await report(stage, "restore", copy, words);
  expect(gone.verdict!.left_out).toContainEqual(
    expect.objectContaining({ reason: expect.stringContaining("their pages image ends early") }),
  );
  if (gone.exit === 0) await killTree(stage, pid);
});

test("pages in a parent are compared with the parent's", async () => {
  const [older, newer] = [join(stage.dir, "older"), join(stage.dir, "newer")];
  for (const dir of [older, newer]) cpSync(images, dir, { recursive: true });
  edit(newer, `pagemap-${pid}.img`, ([, ...runs]) => {
    for (const run of runs) Object.assign(run, { flags: 1, in_parent: true });
  });
  cpSync(older, join(newer, "parent"), { recursive: true });
  const script = ["--action-script", poking(pid, addressOf(600, 7, 7))];
  const done = await report(stage, "restore", newer, ["--verify=memory", ...script]);
  expect(done.exit).toBe(5);
  expect(memoryOf(done)).toHaveLength(1);
  const whole = await report(stage, "restore", newer, ["--verify=memory"]);
  expect(whole).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(whole.verdict!.left_out.filter(({ facet }) => facet === "memory")).toEqual([]);
  await killTree(stage, pid);
});

test("the vdso of another build is this kernel's afterwards, and that is expected", async () => {
  const copy = copyOf(stage, images, "other-vdso");
  const vdso = checkpoint().root!.mm!.vmas.find(({ status }) => status & 8)!;
  const last = Number(vdso.end) / 4096 - 1;
  const contents = checkpoint().contents(`pagemap-${pid}.img`, false);
  const { file, offset, page } = contents.find((each) => last < each.page + each.pages)!;
  const fd = openSync(join(copy, file.slice(images.length + 1)), "r+");
  writeSync(fd, Buffer.from([0xaa]), 0, 1, offset + (last - page) * 4096 + 4095);
  closeSync(fd);
  const done = await report(stage, "restore", copy, ["--verify=memory"]);
  expect(done).toMatchObject({ exit: 0, verdict: { result: "match" } });
  const expected = done.verdict!.differences.filter(({ expected: text }) =>
    text.includes("[vdso]"),
  );
  expect(expected).toMatchObject([{ task: pid, class: "expected" }]);
  expect(expected[0]!.found).toContain("this kernel's");
  await killTree(stage, pid);
});

test("kernels before 6.7 list pages otherwise, and say the same", async () => {
  expect((await report(stage, "restore", images)).exit).toBe(0);
  const pagemap = openSync(`/proc/${pid}/pagemap`, "r");
  const from = addressOf(600, 7, 0) / 4096;
  const within = [{ from, to: from + 600 }];
  const listed = scan(pagemap, within)!;
  expect(listed.length).toBeGreaterThan(10);
  const flat = (ranges: { from: number; to: number }[]) =>
    ranges.flatMap((r) => Array.from({ length: r.to - r.from }, (_, i) => r.from + i));
  expect(flat(entries(pagemap, within)!)).toEqual(flat(listed));
  closeSync(pagemap);
  await killTree(stage, pid);
});
