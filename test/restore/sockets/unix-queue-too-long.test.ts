import { startDumped } from "../stage/dumped.ts";
import { report } from "../report.ts";
import { stageCheck } from "../stage-check.ts";
import { killTree, openStage } from "../stage.ts";
import { expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const LIMIT = "/proc/sys/net/unix/max_dgram_qlen";

test("unix-queue-too-long: the dump's machine let more datagrams wait", async () => {
  await using stage = openStage();
  const name = join(stage.dir, "a");
  const limit = Number(readFileSync(LIMIT, "utf8"));
  const set = (value: number) => writeFileSync(LIMIT, String(value));
  set(limit + 5);
  try {
    const { pid, images } = await startDumped(stage, "objects", ["queue", String(limit + 3), name]);
    set(limit);
    const named = await stageCheck({
      id: "unix-queue-too-long",
      stage,
      images,
      pid,
      subject: name,
      mend: "typed",
    });
    expect(named.remedy.command).toBe(`sysctl -w net.unix.max_dgram_qlen=${limit + 3}`);
    set(limit);
    const done = await report(stage, "restore", images, ["--fix=host"]);
    expect([done.exit, done.verdict?.result]).toEqual([0, "match"]);
    expect(Number(readFileSync(LIMIT, "utf8"))).toBe(limit);
    await killTree(stage, pid);
    const fits = await startDumped(stage, "objects", ["queue", String(limit + 1), `${name}.fits`]);
    expect((await report(stage, "restore", fits.images)).exit).toBe(0);
  } finally {
    set(limit);
  }
});
