import { dumpOne } from "../images.ts";
import { finding, report } from "../report.ts";
import { openStage, restoreBare } from "../stage.ts";
import { expect, test } from "bun:test";
import { statSync, truncateSync } from "node:fs";
import { join } from "node:path";

test("image-truncated", async () => {
  await using stage = openStage();
  const { pid, broken } = await dumpOne(stage);
  const mm = join(broken, `mm-${pid}.img`);
  truncateSync(mm, statSync(mm).size - 5);
  const preflight = await report(stage, "preflight", broken);
  expect(preflight.exit).toBe(6);
  const named = finding(preflight, "image-truncated");
  expect(named.subject).toBe(`mm-${pid}.img`);
  const bare = await restoreBare(stage, broken);
  expect(bare.exit).not.toBe(0);
  expect(bare.log).toContain(named.criu_message!);
});
