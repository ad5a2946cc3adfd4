import { changed, dumpInNet } from "../namespaces.ts";
import { restored, stageCheck } from "../stage-check.ts";
import { killTree, openStage } from "../stage.ts";
import { expect, test } from "bun:test";
import { join } from "node:path";

test("net-tools-missing: ip is looked for as CRIU looks for it", async () => {
  await using stage = openStage();
  const { pid, images } = await dumpInNet(stage);
  const without = { env: { CR_IP_TOOL: join(stage.dir, "ip") } };
  const named = await stageCheck({
    id: "net-tools-missing",
    stage,
    images,
    ...without,
    among: true,
  });
  expect(named.subject).toBe(join(stage.dir, "ip"));
  // Where the namespace stays empty nothing of it is needed.
  await restored(stage, images, { options: ["--empty-ns", "net"], ...without });
  await killTree(stage, pid);
  await restored(stage, images);
});

test("net-tools-missing: an empty namespace is locked with iptables where the dump was", async () => {
  await using stage = openStage();
  const { images } = await dumpInNet(stage);
  const locked = changed(stage, images, "locked", /^inventory/, ([inventory]) => {
    inventory.network_lock_method = 0;
  });
  const empty = ["--empty-ns", "net"];
  if (Bun.which("iptables-restore") === null) {
    const named = await stageCheck({
      id: "net-tools-missing",
      stage,
      images: locked,
      options: empty,
      among: true,
    });
    expect(named).toMatchObject({ subject: "iptables-restore", image: "inventory.img" });
  }
  await restored(stage, images, { options: empty });
});
