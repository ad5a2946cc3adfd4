/** Requests with fields that CRIU has since 4.3, and with one that no known CRIU has. */
import { expect, test } from "bun:test";
import { dumpBy, newest } from "../restore/criu.ts";
import { killTree, openStage, start } from "../restore/stage.ts";
import { ask, restore } from "./rpc.ts";

/** A field of criu_opts, 9999: a number. The options are the last field of a request, of fewer than 128 bytes. */
function withFieldToCome(bytes: Uint8Array): Uint8Array {
  const added = Buffer.from([0xf8, 0xf0, 0x04, 0x01]);
  const longer = Buffer.concat([bytes, added]);
  longer[3]! += added.length;
  return longer;
}

test("a runtime's request to CRIU 4.3 is understood and guarded; a field to come is passed on and told in the log", async () => {
  await using stage = openStage();
  const { pid } = await start(stage, "sched", ["other", "0", "0"]);
  const images = await dumpBy(stage, newest, pid);
  const env = { RECRIU_CRIU: newest };
  const known = restore({ image_io_mode: 1, decompress_threads: 2, plugin_options: ["a.b=c"] });
  const later = withFieldToCome(known);
  for (const [request, told] of [
    [known, false],
    [later, true],
  ] as const) {
    const { answer, log } = await ask(stage, images, request, { env });
    expect(answer).toMatchObject({ success: true, restore: { pid } });
    expect(log).toContain("Running post-restore scripts");
    expect(log).toMatch(/verified: \d+ values compared/);
    expect(log.includes("recriu does not know field 9999 of criu_opts")).toBe(told);
    await killTree(stage, pid);
  }
  const refused = restore({ decompress_threads: 1025 });
  expect((await ask(stage, images, refused, { env })).answer).toMatchObject({ success: false });
});
