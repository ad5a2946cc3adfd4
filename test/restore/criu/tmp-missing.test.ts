import { startDumped } from "../stage/dumped.ts";
import { restores } from "../stage-check.ts";
import { criu, forgetKernel, killTree, openStage, recriuBinary, run } from "../stage.ts";
import { programs, typed } from "../typed.ts";
import { expect, test } from "bun:test";
import { join } from "node:path";

/**
 * In a mount namespace whose /tmp is a read-only tmpfs, empty but for this repository, should it be there; what is in
 * the real one is seen below /mnt.
 */
const withoutTmp = () => {
  const root = join(import.meta.dir, "../../..");
  const keep = root.startsWith("/tmp/")
    ? `mkdir -p ${root} && mount --bind /mnt/${root.slice("/tmp/".length)} ${root} &&`
    : "";
  const moved = (path: string) =>
    path.startsWith("/tmp/") ? `/mnt${path.slice("/tmp".length)}` : path;
  const under = [
    "unshare",
    "-m",
    "sh",
    "-c",
    `mount --bind /tmp /mnt && mount -t tmpfs none /tmp && ${keep} mount -o remount,ro /tmp && cd / && exec "$@"`,
    "sh",
  ];
  return { moved, under };
};

test("tmp-missing: CRIU cannot even start", async () => {
  await using stage = openStage();
  const { pid, images } = await startDumped(stage);
  const { moved, under } = withoutTmp();
  const program = moved(criu);
  const words = (binary: string, ...more: string[]) => [
    ...under,
    binary,
    "restore",
    "-d",
    "-D",
    moved(images),
    ...more,
  ];
  // With its cache of the kernel's features CRIU needs no /tmp to start.
  forgetKernel(stage);
  const said = await run(stage, words(moved(recriuBinary), "--json", `--criu=${program}`));
  expect(said.exit).toBe(3);
  const named = JSON.parse(said.stdout).findings.find(
    ({ id }: { id: string }) => id === "tmp-missing",
  );
  expect(named).toMatchObject({ severity: "blocker", subject: "/tmp" });
  const bare = await run(stage, words(program));
  expect(bare.exit).toBe(1);
  const [message] = named.criu_message.split("XXXXXX");
  expect(bare.stdout + bare.stderr).toContain(message);
  const PATH = `${moved(programs(stage))}:${process.env["PATH"]}`;
  const here = { under, thenRestore: true, env: { PATH, RECRIU_CRIU: program } } as const;
  expect((await typed(stage, JSON.parse(said.stdout), "tmp-missing", here)).exit).toBe(0);
  await killTree(stage, pid);
  await restores(stage, images);
});
