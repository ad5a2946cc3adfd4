/**
 * Does preflight grow in line with the tasks? A dump's images, with more tasks than any machine here could restore: each is a
 * copy of one that was dumped, under numbers of its own. They are only looked at.
 */
import { copyFileSync, linkSync, mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { openCheckpoint } from "../../src/image/index.ts";
import { edit } from "../../test/restore/edit.ts";
import { openStage, recriuBinary, type Stage } from "../../test/restore/stage.ts";
import { many } from "./cases.ts";
import { type Spread, spread, timed, type Took } from "./measure.ts";

export interface GrownRow {
  tasks: number;
  images: number;
  ms: Spread;
  cpu: Spread;
  /** MiB at most. */
  peak: number;
}

/** Twice as many each time. */
const SIZES = [1250, 2500, 5000, 10_000, 20_000];
/** Above all that a dump here gives. */
const FIRST_ID = 10_000_000;

/** Images of `count` tasks in a new directory, of those at `dir`, whose tasks share nothing but their open files. */
export function grown(dir: string, into: string, count: number): void {
  const opened = openCheckpoint(dir);
  if (!opened.ok) throw new Error(opened.fault.problem);
  const { tasks, pagemaps } = opened.checkpoint;
  const [root, model] = [tasks[0]!, tasks.at(-1)!];
  const pages = pagemaps.get(`pagemap-${model.pid}.img`)!.pagesId;
  mkdirSync(into);
  const images = readdirSync(dir);
  // What is edited has to be a copy.
  for (const name of images)
    (name === "pstree.img" ? copyFileSync : linkSync)(join(dir, name), join(into, name));
  const add = count - tasks.length;
  // From the last number down: those that follow the dump's are given away meanwhile.
  const last = Number(readFileSync("/proc/sys/kernel/pid_max", "utf8")) - 1;
  const pidOf = (n: number) => last - n;
  edit(into, "pstree.img", (entries) => {
    const entry = entries.find(({ pid }) => pid === model.pid);
    for (let n = 0; n < add; n++)
      entries.push({ ...entry, pid: pidOf(n), ppid: root.pid, threads: [pidOf(n)] });
  });
  for (let n = 0; n < add; n++) {
    const [pid, id] = [pidOf(n), FIRST_ID + n];
    const taken = (from: string, to: string, by = linkSync) => by(join(dir, from), join(into, to));
    for (const kind of ["core", "fs", "mm"])
      taken(`${kind}-${model.pid}.img`, `${kind}-${pid}.img`);
    taken(`fdinfo-${model.ids!.files_id}.img`, `fdinfo-${id}.img`);
    taken(`pages-${pages}.img`, `pages-${id}.img`);
    for (const kind of ["ids", "pagemap"])
      taken(`${kind}-${model.pid}.img`, `${kind}-${pid}.img`, copyFileSync);
    edit(into, `ids-${pid}.img`, ([ids]) =>
      Object.assign(ids, { vm_id: id, files_id: id, fs_id: id, sighand_id: id }),
    );
    edit(into, `pagemap-${pid}.img`, ([head]) => void (head.pages_id = id));
  }
}

export async function measureGrown(runs: number): Promise<GrownRow[]> {
  await using stage: Stage = openStage();
  const { images } = await many(100, 0, 0, 0)(stage);
  const rows: GrownRow[] = [];
  for (const tasks of SIZES) {
    const dir = join(stage.dir, `grown-${tasks}`);
    grown(images, dir, tasks);
    // Of so many numbers some are taken on any machine.
    const words = [recriuBinary, "preflight", "--isolate=pid", "-D", dir];
    const took: Took[] = [];
    for (let i = 0; i < runs; i++) took.push(await timed(stage, words));
    const { mib: peak } = await timed(stage, words, true);
    const [ms, cpu] = (["ms", "cpu"] as const).map((of) => spread(took.map((each) => each[of])));
    rows.push({ tasks, images: readdirSync(dir).length, ms: ms!, cpu: cpu!, peak });
  }
  return rows;
}
