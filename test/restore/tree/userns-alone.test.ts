import { isBefore43 } from "../criu.ts";
import { dumpInUser } from "../namespaces.ts";
import { report } from "../report.ts";
import { restored, stageCheck } from "../stage-check.ts";
import { dump, openStage, waitFor } from "../stage.ts";
import { compile } from "../stage/compile.ts";
import { expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";

// CRIU 4.3 dumps none: it wants to save binary formats that it may not mount there.
test.skipIf(!isBefore43)(
  "userns-alone: a user namespace in the machine's mount namespace",
  async () => {
    await using stage = openStage();
    const ready = join(stage.dir, "ready");
    const words = ["unshare", "--user", "--map-root-user", "--", compile("sched"), ready];
    const { pid } = await stage.supervisor.spawn([...words, "other", "0", "0"], { cwd: "/" });
    await waitFor("the task", () => existsSync(ready));
    const images = await dump(stage, pid);
    expect((await stageCheck({ id: "userns-alone", stage, images, among: true })).task).toBe(pid);
    // With namespaces that belong to it, it is restored.
    const whole = await dumpInUser(stage, () => []);
    expect((await report(stage, "preflight", whole.images, whole.options)).findings).toEqual([]);
    await restored(stage, whole.images, { options: whole.options });
  },
);
