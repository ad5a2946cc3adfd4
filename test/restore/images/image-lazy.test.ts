import { isBefore43 } from "../criu.ts";
import { finding, report } from "../report.ts";
import { stageCheck } from "../stage-check.ts";
import { alive, criu, killTree, openStage, restoreBare, start, waitFor } from "../stage.ts";
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";

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
  // Pages that are not there are read at the end of the file: before 4.3 for ever.
  const bare = await restoreBare(stage, images, ["-v0"], { timeout: 2000 });
  expect(bare.exit).toBe(isBefore43 ? null : 1);
  await waitFor("the tree to be gone", () => !alive(pid));

  const remote = await report(stage, "preflight", images, ["--lazy-pages"]);
  expect(finding(remote, "image-lazy").severity).toBe("info");
  // No page server serves them.
  await stageCheck({ id: "lazy-pages-socket", stage, images, options: ["--lazy-pages"] });
});
