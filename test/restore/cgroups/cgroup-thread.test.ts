import { removeCgroup } from "../stage/cgroups.ts";
import { expect, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { v2 } from "../cgroup-rules.ts";
import { is317 } from "../criu.ts";
import { stageCheck } from "../stage-check.ts";
import { dump, killTree, makeCgroup, openStage, start } from "../stage.ts";

// CRIU 3.18 was the first to save the cgroups of threads.
test.skipIf(is317)(
  "cgroup-thread: a cgroup that was threaded and is a domain of its own takes no single thread",
  async () => {
    await using stage = openStage();
    const domain = makeCgroup(stage, v2, "domain");
    const threaded = join(domain, "threaded");
    mkdirSync(threaded);
    writeFileSync(join(threaded, "cgroup.type"), "threaded");
    const { pid } = await start(stage, "kernel", ["threads"], { cgroups: [domain] });
    const thread = readdirSync(`/proc/${pid}/task`).find((tid) => tid !== `${pid}`)!;
    writeFileSync(join(threaded, "cgroup.threads"), thread);
    const images = await dump(stage, pid);
    await killTree(stage, pid);
    const fault = async () => {
      removeCgroup(threaded);
      mkdirSync(threaded);
    };
    try {
      await stageCheck({
        id: "cgroup-thread",
        stage,
        images,
        pid,
        subject: threaded,
        fault,
        mend: "typed",
      });
      expect(readFileSync(join(threaded, "cgroup.type"), "utf8")).toBe("threaded\n");
    } finally {
      await killTree(stage, pid);
      removeCgroup(threaded);
    }
  },
);
