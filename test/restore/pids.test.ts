/** Numbers that are taken. */
import { startDumped } from "./stage/dumped.ts";
import { link as criuByName, watched } from "../dropin/as-criu.ts";
import { alive, criu, openStage, recriuBinary, run, start, waitFor } from "./stage.ts";
import { expect, test } from "bun:test";
import { join } from "node:path";

for (const [name, program] of [
  ["recriu restore", () => recriuBinary],
  ["criu restore", criuByName],
] as const)
  test(`${name}: what is about to be reaped is waited for`, async () => {
    await using stage = openStage();
    const { pid, images } = await startDumped(stage);
    const holder = await start(stage, "zombie-at", [`${pid}`]);
    const later = `(sleep 0.5; kill -USR1 ${holder.pid}) & exec "$@"`;
    const words = ["restore", "-d", "-D", images, "-o", join(stage.dir, "r.log")];
    const argv = ["sh", "-c", later, "sh", program(stage), ...words];
    const restored = await run(stage, argv, { env: { RECRIU_CRIU: criu } });
    expect(restored).toMatchObject({ exit: 0 });
    await waitFor("the watcher to end", () => !watched(stage));
    expect(alive(pid)).toBe(true);
  });
