/** Memory that is not where the images say: incremental chains, lazy dumps, page maps that fit no mapping. */
import { expect, test } from "bun:test";
import {
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { edit } from "./edit.ts";
import { restores, stageCheck } from "./stage-check.ts";
import { finding, report } from "./report.ts";
import {
  alive,
  criu,
  dump,
  killTree,
  openStage,
  restoreBare,
  type Stage,
  start,
  waitFor,
} from "./stage.ts";
import { typed } from "./typed.ts";

const dumpOf = async (stage: Stage) => {
  const { pid } = await start(stage, "memory", ["plain"]);
  return { pid, images: await dump(stage, pid) };
};

/**
 * What two dumps make, the second with --prev-images-dir and nothing changed in between: this kernel cannot track
 * changes (CONFIG_MEM_SOFT_DIRTY), so the second is the first, with its pages declared to be in the parent.
 */
async function incremental(stage: Stage) {
  const { pid, images: whole } = await dumpOf(stage);
  const older = join(stage.dir, "older");
  const newer = join(stage.dir, "newer");
  mkdirSync(older);
  cpSync(whole, newer, { recursive: true });
  for (const file of [`pagemap-${pid}.img`, "pages-1.img"])
    cpSync(join(whole, file), join(older, file));
  writeFileSync(join(newer, "pages-1.img"), "");
  symlinkSync("../older", join(newer, "parent"));
  edit(newer, `pagemap-${pid}.img`, ([, ...runs]) => {
    for (const run of runs) Object.assign(run, { flags: 1, in_parent: true });
  });
  return { pid, whole, older, newer };
}

const incomplete = { exit: 6 };

test("image-parent: the older checkpoint is gone", async () => {
  await using stage = openStage();
  const { pid, newer, older } = await incremental(stage);
  renameSync(older, `${older}.aside`);
  const named = await stageCheck({ id: "image-parent", stage, images: newer, ...incomplete });
  expect(named).toMatchObject({ task: pid, subject: "parent" });
  const told = await report(stage, "preflight", newer);
  const fill = { "/PATH/OF/THE/OLDER/CHECKPOINT": `${older}.aside` };
  expect((await typed(stage, told, "image-parent", { fill })).exit).toBe(0);
  await restores(stage, newer);
});

test("image-parent: the older checkpoint has not all", async () => {
  await using stage = openStage();
  const { pid, newer, older } = await incremental(stage);
  cpSync(older, `${older}.aside`, { recursive: true });
  edit(older, `pagemap-${pid}.img`, (values) => void (values[2].vaddr += 4096n));
  await stageCheck({ id: "image-parent", stage, images: newer, ...incomplete });
  rmSync(older, { recursive: true });
  cpSync(`${older}.aside`, older, { recursive: true });
  rmSync(join(older, "pages-1.img"));
  await stageCheck({ id: "image-parent", stage, images: newer, ...incomplete });
});

test("image-parent: what bare CRIU never says", async () => {
  await using stage = openStage();
  const { newer, older, pid } = await incremental(stage);
  const spins = async (images: string) => {
    const named = finding(await report(stage, "restore", images), "image-parent");
    expect(named).toMatchObject({ severity: "blocker", criu_message: null });
    expect((await restoreBare(stage, images, ["-v0"], { timeout: 2000 })).exit).toBeNull();
  };
  // No link at all: as when only the last directory was copied.
  const alone = join(stage.dir, "alone");
  cpSync(newer, alone, { recursive: true, verbatimSymlinks: true });
  rmSync(join(alone, "parent"));
  await spins(alone);
  truncateSync(join(older, "pages-1.img"), 8192);
  await spins(newer);
  rmSync(join(older, `pagemap-${pid}.img`));
  await spins(newer);
});

test("image-parent: a link that leads back", async () => {
  await using stage = openStage();
  const { newer } = await incremental(stage);
  rmSync(join(newer, "parent"));
  symlinkSync(".", join(newer, "parent"));
  const named = finding(await report(stage, "preflight", newer), "image-parent");
  expect(named.severity).toBe("blocker");
  expect((await restoreBare(stage, newer, ["-v0"])).exit).not.toBe(0);
});

test("image-parent: a chain of fifty is none", async () => {
  await using stage = openStage();
  const { pid, older, newer } = await incremental(stage);
  let last = older;
  for (let level = 0; level < 50; level += 1) {
    const middle = join(stage.dir, `middle-${level}`);
    mkdirSync(middle);
    cpSync(join(newer, `pagemap-${pid}.img`), join(middle, `pagemap-${pid}.img`));
    symlinkSync(last, join(middle, "parent"));
    last = middle;
  }
  rmSync(join(newer, "parent"));
  symlinkSync(last, join(newer, "parent"));
  await restores(stage, newer);
});

test("image-vmas: mappings in no order, pages in no mapping", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOf(stage);
  const copy = (name: string) => {
    cpSync(images, join(stage.dir, name), { recursive: true });
    return join(stage.dir, name);
  };
  const unsorted = copy("unsorted");
  edit(unsorted, `mm-${pid}.img`, ([mm]) => void mm.vmas.splice(0, 2, mm.vmas[1], mm.vmas[0]));
  await stageCheck({ id: "image-vmas", stage, images: unsorted, ...incomplete });
  const outside = copy("outside");
  edit(outside, `pagemap-${pid}.img`, (values) => void (values[1].vaddr = 0x1000n));
  expect(
    (await stageCheck({ id: "image-vmas", stage, images: outside, ...incomplete })).subject,
  ).toBe("1000");
  await restores(stage, images);
});

const freePort = (): Promise<number> =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });

test("image-lazy: pages that stayed behind, and lazy-pages-socket", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "memory", ["plain"]);
  const images = join(stage.dir, "lazy");
  const work = join(stage.dir, "lazy-work");
  mkdirSync(images);
  mkdirSync(work);
  const port = `${await freePort()}`;
  const words = ["dump", "--lazy-pages", "--address", "127.0.0.1", "--port", port];
  const source = await stage.supervisor.spawn([
    criu,
    ...words,
    "-t",
    `${pid}`,
    "-D",
    images,
    "-W",
    work,
    "-v4",
    "-o",
    "dump.log",
  ]);
  const log = join(work, "dump.log");
  await waitFor(
    "the dump to wait for its pages to be fetched",
    () => existsSync(log) && readFileSync(log, "utf8").includes("Starting lazy pages server"),
  );
  process.kill(source.pid, "SIGKILL");
  await killTree(stage, pid);

  const named = await report(stage, "restore", images);
  expect(named).toMatchObject({ exit: 3, run: null });
  expect(finding(named, "image-lazy")).toMatchObject({ severity: "blocker", task: pid });
  // Pages that are not there are read at the end of the file, for ever.
  expect((await restoreBare(stage, images, ["-v0"], { timeout: 2000 })).exit).toBeNull();
  await waitFor("the tree to be gone", () => !alive(pid));

  const remote = await report(stage, "preflight", images, ["--lazy-pages"]);
  expect(finding(remote, "image-lazy").severity).toBe("info");
  // Nobody serves them.
  await stageCheck({ id: "lazy-pages-socket", stage, images, options: ["--lazy-pages"] });
});

test("lazy-pages-socket: a lazy restore of a whole checkpoint", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpOf(stage);
  const work = join(stage.dir, "work");
  mkdirSync(work);
  const options = ["--lazy-pages", "-W", work];
  expect((await report(stage, "restore", images, options)).exit).toBe(3);
  const serve = async () => {
    const words = ["lazy-pages", "-D", images, "-W", work, "-o", "lazy.log"];
    const daemon = await stage.supervisor.spawn([criu, ...words]);
    await waitFor("the daemon", () => existsSync(join(work, "lazy-pages.socket")));
    return daemon;
  };
  // A restore that is refused has used the daemon up, and does not say that nothing is gone.
  const script = join(stage.dir, "veto");
  writeFileSync(script, "#!/bin/sh\n[ $CRTOOLS_SCRIPT_ACTION != post-restore ]\n", { mode: 0o755 });
  const daemon = await serve();
  const refused = await report(stage, "restore", images, [...options, "--action-script", script]);
  expect(refused.exit).toBe(1);
  expect(refused.failure!.left.join()).toContain("the memory of --lazy-pages");
  await waitFor("the daemon to end", () => daemon.status !== null);
  rmSync(join(work, "lazy-pages.socket"), { force: true });
  const told = await report(stage, "preflight", images, options);
  expect((await typed(stage, told, "lazy-pages-socket")).exit).toBe(0);
  await restores(stage, images, { options });
  await killTree(stage, pid);
  // What is fetched later is not compared, and not touched either.
  const listening = () => readFileSync("/proc/net/unix", "utf8").includes("lazy-pages.socket");
  await waitFor("the daemon to end", () => !listening());
  rmSync(join(work, "lazy-pages.socket"), { force: true });
  await serve();
  const compared = await report(stage, "restore", images, [...options, "--verify=memory"]);
  expect(compared).toMatchObject({ exit: 0, verdict: { result: "match" } });
  expect(compared.verdict!.left_out.map(({ reason }) => reason).join()).toContain("fetched");
});
