/** The incident in a container of runc: Xtigervnc and Chromium, the directory of their socket gone from its root. */
import { expect, test } from "bun:test";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type Container, end, makeContainer, restoreWords } from "../restore/oci.ts";
import { descendants, openStage, run, type Stage, waitFor } from "../restore/stage.ts";
import { compile } from "../restore/stage/compile.ts";
import {
  asSaved,
  alive,
  alivePage,
  copyHome,
  desktopWords,
  dropPriority,
  noDirectory,
  noPriority,
  programs,
  sameWindows,
  windows,
} from "./desktop.ts";

/** What a browser is full of, for runc: locks, and (in CRIU's configuration, runc has no flag) deleted files. */
const flags = ["--ext-unix-sk", "--file-locks"];
const configuration = "ghost-limit 100M\n";

/** A container that starts the desktop in a root file system of the programs, which stay as they are. */
async function makeDesktop(stage: Stage): Promise<Container> {
  const container = makeContainer(stage, "runc");
  const { rootfs, bundle } = container;
  const [upper, work] = [join(stage.dir, "upper"), join(stage.dir, "overlay")];
  for (const dir of [upper, work]) mkdirSync(dir);
  const options = `lowerdir=${programs},upperdir=${upper},workdir=${work}`;
  const mount = ["mount", "-t", "overlay", "overlay", "-o", options, rootfs];
  expect(await run(stage, mount)).toMatchObject({ exit: 0, stderr: "" });
  copyFileSync(compile("desktop", true), join(rootfs, "desktop"));
  copyFileSync(alivePage, join(rootfs, "page.html"));
  mkdirSync(join(rootfs, "tmp/home"));
  const file = join(bundle, "config.json");
  const config = JSON.parse(readFileSync(file, "utf8"));
  const where = { vnc: "/tmp/vnc", home: "/tmp/home", page: "/page.html" };
  config.process.args = ["/desktop", "/tmp/ready", ...desktopWords(where)];
  config.process.env = ["PATH=/usr/bin:/bin"];
  const criuConf = join(stage.dir, "criu.conf");
  writeFileSync(criuConf, configuration);
  config.annotations = { "org.criu.config": criuConf };
  writeFileSync(file, JSON.stringify(config));
  return container;
}

test("Chromium on Xtigervnc, in a container of runc", async () => {
  await using stage = openStage();
  const container = await makeDesktop(stage);
  const { rootfs, bundle, images, sockets } = container;
  const vnc = join(rootfs, "tmp/vnc");
  const inRoot = (words: string[]) => run(stage, ["chroot", rootfs, ...words]);

  const first = `${container.name}-first`;
  const made = new Set([first]);
  await using _ended = {
    async [Symbol.asyncDispose]() {
      for (const id of made) await end(container, id);
    },
  };
  const started = await container.alone("run", "-d", "--bundle", bundle, first);
  expect([started.exit, readFileSync(join(stage.dir, "runtime.log"), "utf8")]).toEqual([0, ""]);
  await waitFor(
    "the desktop",
    () => existsSync(join(rootfs, "tmp/ready")) && existsSync(vnc),
    20_000,
  );
  const before = await alive(vnc, "container-before");
  const listed = await windows(inRoot);
  expect(listed.join()).toContain("Chromium");

  const work = join(stage.dir, "dump-work");
  const to = ["--image-path", images, "--work-path", work];
  const dumped = await container.alone("checkpoint", ...flags, ...to, first);
  const dumpLog = join(work, "dump.log");
  expect([dumped.exit, dumped.exit && readFileSync(dumpLog, "utf8")]).toEqual([0, 0]);

  const [home, saved] = [join(rootfs, "tmp/home"), join(stage.dir, "saved")];
  copyHome(home, saved);
  const restore = async (way: "alone" | "guarded" | "withCriu", id: string) => {
    copyHome(saved, home);
    made.add(id);
    const [verb, ...words] = restoreWords(container, id);
    const done = await container[way](verb!, ...flags, ...words);
    const log = existsSync(container.log) ? readFileSync(container.log, "utf8") : "";
    return { exit: done.exit, stderr: readFileSync(join(stage.dir, "stderr"), "utf8"), log };
  };
  const lives = async (id: string, name: string) => {
    sameWindows(before, await alive(vnc, name));
    expect(await windows(inRoot)).toEqual(listed);
    const pid = Number(readFileSync(join(stage.dir, `${id}.pid`), "utf8"));
    expect(descendants(pid).length).toBeGreaterThan(3);
    return (await run(stage, ["chrt", "-a", "-p", `${pid}`])).stdout;
  };

  rmSync(sockets, { recursive: true });
  const alone = await restore("alone", `${container.name}-alone`);
  expect([alone.exit, alone.log]).toEqual([1, expect.stringMatching(noDirectory)]);
  await end(container, `${container.name}-alone`);

  for (const way of ["guarded", "withCriu"] as const) {
    rmSync(sockets, { recursive: true, force: true });
    const id = `${container.name}-${way}`;
    const restored = await restore(way, id);
    expect([restored.exit, restored.stderr]).toEqual([0, ""]);
    expect(statSync(sockets).mode & 0o7777).toBe(0o1777);
    expect(await lives(id, `container-after-${way}`)).toMatch(
      /SCHED_RR\|SCHED_RESET_ON_FORK\n.*priority: 10\n/,
    );
    await waitFor("the verdict", () => asSaved.test(readFileSync(container.log, "utf8")));
    await end(container, id);
  }

  // The third act: CRIU before 4.0 would not have written the real-time thread's priority.
  dropPriority(images);
  const old = `${container.name}-old`;
  const refused = await restore("alone", old);
  expect([refused.exit, refused.log]).toEqual([1, expect.stringContaining(noPriority)]);
  await end(container, old);
  const id = `${container.name}-mended`;
  expect((await restore("guarded", id)).exit).toBe(0);
  expect(await lives(id, "container-after-old-images")).toMatch(
    /SCHED_RR\|SCHED_RESET_ON_FORK\n.*priority: 1\n/,
  );
}, 240_000);
