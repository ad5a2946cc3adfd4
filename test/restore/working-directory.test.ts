/** Where recriu is started from has no name: deleted, out of reach, too deep. CRIU does not mind; nor does recriu, by any of its names. */
import { startDumped } from "./stage/dumped.ts";
import { expect, test } from "bun:test";
import { existsSync, mkdirSync, symlinkSync } from "node:fs";
import { join } from "node:path";
import { link, watched } from "../dropin/as-criu.ts";
import { version } from "../../package.json";
import {
  alive,
  criu,
  killTree,
  openStage,
  recriuBinary,
  run,
  type Stage,
  waitFor,
} from "./stage.ts";

/** Scripts that go to such a place, by what it is; `..` of each but the second is the stage's directory. */
const places: Record<string, string> = {
  deleted: 'mkdir gone; cd gone; rmdir "$PWD"',
  "out of reach": "mkdir -p gone; mount -t tmpfs none gone; cd gone; umount -l .",
  "too deep": "for i in $(seq 25); do n=$(printf %0200d $i); mkdir -p $n; cd -P ./$n; done",
};

async function from(
  stage: Stage,
  place: string,
  words: string[],
  env: Record<string, string> = {},
) {
  const text = `${places[place]}; exec "$@"`;
  const argv = ["unshare", "-m", "bash", "-c", text, "bash", ...words];
  const done = await run(stage, argv, { env: { RECRIU_CRIU: criu, NO_COLOR: "1", ...env } });
  // What the shell says of it.
  return { ...done, stderr: done.stderr.replace(/^(?:bash|shell-init|chdir|cd): .*\n/gm, "") };
}

for (const place of Object.keys(places))
  test(`${place}: every name of recriu starts, and CRIU restores from there`, async () => {
    await using stage = openStage();
    expect(await from(stage, place, [recriuBinary, "--version"])).toEqual({
      exit: 0,
      stdout: `recriu ${version}\n`,
      stderr: "",
    });
    const runtime = join(stage.dir, "bin/recriu-runc");
    mkdirSync(join(stage.dir, "bin"));
    symlinkSync(recriuBinary, runtime);
    symlinkSync("/bin/echo", join(stage.dir, "bin/runc"));
    const env = { PATH: `${join(stage.dir, "bin")}:${process.env.PATH}` };
    expect(await from(stage, place, [runtime, "list", "-q"], env)).toEqual({
      exit: 0,
      stdout: "list -q\n",
      stderr: "",
    });
    const bare = await from(stage, place, [criu, "--version"]);
    expect(await from(stage, place, [link(stage), "--version"])).toEqual(bare);

    const { pid, images } = await startDumped(stage, "sched", ["other", "0", "5"]);
    const words = ["restore", "-D", images, "-o", "r.log", "--exec-cmd", "--", "readlink"];
    const where = await from(stage, place, [criu, ...words, "/proc/self/cwd"]);
    expect(where).toMatchObject({ exit: 0, stderr: "" });
    await killTree(stage, pid);
    for (const program of [link(stage), recriuBinary]) {
      const same = await from(stage, place, [program, ...words, "/proc/self/cwd"]);
      expect(same).toMatchObject({ exit: 0, stdout: where.stdout });
      await waitFor("the watcher to end", () => !watched(stage));
      await killTree(stage, pid);
    }
  });

test("deleted: paths from there lead where they lead", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage, "sched", ["other", "0", "5"]);
  const near = `../${images.slice(stage.dir.length + 1)}`;
  for (const program of [criu, link(stage), recriuBinary]) {
    const done = await from(stage, "deleted", [
      program,
      "restore",
      "-d",
      "-D",
      near,
      "-o",
      "r.log",
    ]);
    expect(done).toMatchObject({ exit: 0 });
    expect(alive(pid)).toBe(true);
    expect(existsSync(join(images, "r.log"))).toBe(true);
    await waitFor("the watcher to end", () => !watched(stage));
    await killTree(stage, pid);
  }
});
