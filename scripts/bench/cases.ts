/** The checkpoints that are measured: real trees, dumped by the CRIU that restores them. */
import { dump, type Stage, start } from "../../test/restore/stage.ts";
import { dumpContainer } from "../../test/restore/tree-in-container.ts";

export interface Case {
  name: string;
  images: string;
  /** Options of the restore. */
  options: string[];
}

interface Kind {
  name: string;
  /** It is measured in namespaces of its own, too. */
  isolated?: true;
  /** What the engine is told is measured with it. */
  engine?: true;
  /** Part by part, too. */
  timeline?: true;
  /** /run is that of the machine the bench runs on, as it is. */
  isCold?: true;
  make(stage: Stage): Promise<{ images: string; options?: string[] }>;
}

/** Tasks, descriptors, mappings and MiB of test/workloads/many.c. */
export const many =
  (tasks: number, descriptors: number, mappings: number, mib: number) => async (stage: Stage) => {
    const numbers = [tasks, descriptors, mappings, mib].map(String);
    const { pid } = await start(stage, "many", numbers);
    return { images: await dump(stage, pid) };
  };

/** Where /run is no tmpfs, CRIU keeps no cache, and asks the kernel again at each start. */
const coldRun = Bun.spawnSync(["findmnt", "-no", "FSTYPE", "-T", "/run"]).stdout.toString().trim();

export const kinds: readonly Kind[] = [
  { name: "1 task", isolated: true, timeline: true, engine: true, make: many(1, 0, 0, 0) },
  ...(coldRun === "tmpfs"
    ? []
    : [{ name: `1 task, /run on ${coldRun}`, isCold: true as const, make: many(1, 0, 0, 0) }]),
  { name: "1 task, 1 GiB", make: many(1, 0, 0, 1024) },
  { name: "100 tasks", engine: true, make: many(100, 0, 0, 0) },
  { name: "500 tasks", make: many(500, 0, 0, 0) },
  { name: "1,000 tasks", isolated: true, engine: true, make: many(1000, 0, 0, 0) },
  { name: "5,000 descriptors", make: many(1, 5000, 0, 0) },
  { name: "10,000 descriptors", make: many(1, 10_000, 0, 0) },
  { name: "2,500 mappings", make: many(1, 0, 2500, 0) },
  { name: "5,000 mappings", make: many(1, 0, 5000, 0) },
  {
    name: "a container of 12 mount namespaces",
    engine: true,
    make: (stage) => {
      const nested = Array.from({ length: 11 }, (_, i): [string, string, string] => [
        "nested",
        "none",
        `nested/${i}`,
      ]);
      return dumpContainer(stage, { mounts: nested });
    },
  },
];
