/** The founding incident, as it happens: the first half, before the machine is rebooted. */
import { expect, test } from "bun:test";
import { existsSync, mkdirSync } from "node:fs";
import { makeCgroup, hierarchies, dump, openStage, start } from "../restore/stage.ts";
import { boot, highNumbers, leave, own } from "./left.ts";

test("an X11 server with its client is checkpointed, in a cgroup and with its socket in /tmp", async () => {
  await using stage = openStage();
  const v2 = hierarchies().find(({ version }) => version === 2)!;
  const cgroup = makeCgroup(stage, v2, "workload");
  const sockets = "/tmp/.X11-unix";
  expect(existsSync(sockets)).toBe(false);
  mkdirSync("/srv/left", { recursive: true });
  const progress = `/srv/left/progress-${own}`;
  highNumbers();
  const { pid } = await start(stage, "x11-server", [sockets, progress], { cgroups: [cgroup] });
  const images = await dump(stage, pid);
  leave(`incident-${own}`, images, { pid, sockets, progress, cgroup, boot: boot() });
});
