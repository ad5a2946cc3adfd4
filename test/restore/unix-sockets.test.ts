/** Unix sockets whose directory, peer or queue is not what it was. */
import { startDumped } from "./stage/dumped.ts";
import { report } from "./report.ts";
import { openStage } from "./stage.ts";
import { expect, test } from "bun:test";
import { join } from "node:path";

test("no fault, no finding", async () => {
  await using stage = openStage();
  const name = join(stage.dir, "socket");
  const deleted = join(stage.dir, "deleted");
  const objects = ["listen", name, "dgram", deleted, "unlink", deleted, "queue", "3", `${name}.q`];
  const { images } = await startDumped(stage, "objects", [...objects, "accepted", `${name}.a`]);
  expect(await report(stage, "restore", images)).toMatchObject({
    exit: 0,
    findings: [],
    verdict: { result: "match" },
  });
});
