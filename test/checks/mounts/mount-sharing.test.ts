import { mountSharing } from "../../../src/checks/mounts/mount-sharing.ts";
import { withContext } from "../context.ts";
import { mount, root, withMounts } from "./mounts.ts";
import { expect, test } from "bun:test";

test("mount-sharing: a slave whose master nothing leads to", () => {
  const slave = { ...mount, mnt_id: 7, mountpoint: "./srv", master_id: 40 };
  const run = (entry: object, ...others: object[]) =>
    withContext(withMounts(entry, ...others), { host: { kernel: "6.1.0" } }, (context) => [
      ...mountSharing.run(context),
    ]);
  const lost = { ...slave, root_dev: 50 };
  expect(run(lost)).toMatchObject([
    {
      subject: "/srv",
      criu_message: "mnt-v2: Sharing group (0, 40) has unreachable sharing.",
    },
  ]);
  expect(run({ ...slave, root_dev: root.root_dev })).toEqual([]);
  const master = { ...mount, mnt_id: 8, root_dev: 50, mountpoint: "./mnt", shared_id: 40 };
  expect(run(lost, master)).toEqual([]);
});
