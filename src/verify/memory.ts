/**
 * What the tree has in memory against the pages of the images, page by page (--verify=memory). Of private memory also
 * that there is nothing but what was saved; of shared memory what tasks have mapped.
 */
import { closeSync } from "node:fs";
import { type Content, PE_LAZY, PE_PARENT, PE_PRESENT } from "../image/index.ts";
import { dataPages, ownPages, type PageRange } from "../sys/memory.ts";
import { pageSize } from "../sys/process.ts";
import type { Difference, DifferenceClass, NotCompared, Subject } from "./facet.ts";
import type { LiveTask } from "./live.ts";
import {
  endPage,
  firstPage,
  hasFile,
  isGuard,
  isOwn,
  isShared,
  nameOf,
  remade,
  rseqAreas,
  type Vma,
} from "./memory-maps.ts";
import { type Differing, openToRead, PageReader, type Told, without } from "./memory-pages.ts";
import { SharedMemory, type SharedMapping } from "./memory-shared.ts";

interface MemoryVerdict {
  /** Bytes that were compared. */
  memory: number;
  differences: Difference[];
  left_out: NotCompared[];
}

/** Compare the memory of every task. What CRIU does not make otherwise by itself is of class `grade` where it differs. */
export function compareMemory(subject: Subject, grade: DifferenceClass): MemoryVerdict {
  const verdict: MemoryVerdict = { memory: 0, differences: [], left_out: [] };
  const reader = new PageReader();
  const shared = new SharedMemory(subject.checkpoint);
  try {
    for (const live of subject.live.tasks.values()) {
      const { task, state } = live;
      if (task.mm === undefined || state === "Z") continue;
      const vmas = task.mm.vmas.filter((vma) => !isGuard(vma));
      const differing: Differing[] = [];
      const skipped = new Map<string, number>();
      const told: Told = {
        differs: (page) => differing.push(page),
        skips: (pages, why) => pages > 0 && skipped.set(why, (skipped.get(why) ?? 0) + pages),
      };
      compareTask(subject, live, vmas, shared, reader, told);
      verdict.differences.push(...differences(subject, live, vmas, differing, grade));
      for (const [why, pages] of skipped) verdict.left_out.push(pagesLeftOut(pages, why));
    }
    for (const [pagemap, pages] of shared.unseen())
      verdict.left_out.push(pagesLeftOut(pages, `no task has ${pagemap} mapped there`));
  } finally {
    reader.close();
  }
  verdict.memory = reader.compared * pageSize();
  return verdict;
}

const pagesLeftOut = (pages: number, why: string): NotCompared => ({
  facet: "memory",
  reason: `pages: ${why}`,
  count: pages,
});

function sum(ranges: Iterable<{ readonly pages: number }>): number {
  let all = 0;
  for (const { pages } of ranges) all += pages;
  return all;
}

function compareTask(
  subject: Subject,
  live: LiveTask,
  vmas: readonly Vma[],
  shared: SharedMemory,
  reader: PageReader,
  told: Told,
): void {
  const saved = savedPages(subject, live, told);
  const common = shared.mappings(live, vmas.filter(isShared));
  const all = [...saved, ...common.flatMap(({ contents }) => contents)];
  const memory = openToRead(`/proc/${live.pid}/mem`);
  if (memory < 0) return told.skips(sum(all), "their memory cannot be read");
  try {
    const areas = rseqAreas(live.task);
    for (const content of all) reader.compare(memory, content, areas, told);
    // A lazy task's memory must not be touched where it is not there yet.
    const rest = subject.request.lazyPages ? [] : unsaved(live, vmas, saved, told);
    for (const range of [...rest, ...common.flatMap((each) => unsavedShared(each, told))])
      reader.compareZeros(memory, range, told);
  } finally {
    closeSync(memory);
  }
}

/** The task's own pages, as far as the images have them. */
function savedPages({ checkpoint, request }: Subject, { task }: LiveTask, told: Told): Content[] {
  const pagemap = `pagemap-${task.pid}.img`;
  const isLazy = (flags: number) => request.lazyPages && (flags & PE_LAZY) !== 0;
  const lazy = checkpoint.runs(pagemap).filter(({ flags }) => isLazy(flags));
  const promised = checkpoint
    .runs(pagemap)
    .filter(({ flags }) => !isLazy(flags) && (flags & (PE_PRESENT | PE_PARENT)) !== 0);
  const saved = checkpoint.contents(pagemap, request.lazyPages);
  told.skips(sum(lazy), "they are fetched when the tree runs");
  told.skips(sum(promised) - sum(saved), "no image has them");
  return saved;
}

/** Private pages that the task has and the images do not. Over a file there must be none; elsewhere they can be zeros. */
function unsaved(
  { pid }: LiveTask,
  vmas: readonly Vma[],
  saved: readonly Content[],
  told: Told,
): PageRange[] {
  const covered = saved.map(({ page, pages }) => ({ from: page, to: page + pages }));
  const privateVmas = vmas.filter(isOwn);
  const pagemap = openToRead(`/proc/${pid}/pagemap`);
  const rangeOf = (vma: Vma) => ({ from: firstPage(vma), to: endPage(vma) });
  const listed = pagemap < 0 ? undefined : ownPages(pagemap, privateVmas.map(rangeOf));
  if (pagemap >= 0) closeSync(pagemap);
  if (listed === undefined) {
    const rest = without(privateVmas.map(rangeOf), covered);
    told.skips(total(rest), "whether they are untouched cannot be told");
    return [];
  }
  const overFiles = privateVmas.filter(hasFile).map(rangeOf);
  const left = without(listed, covered);
  const free = without(left, overFiles);
  for (const { from, to } of without(left, free))
    for (let page = from; page < to; page += 1)
      told.differs({
        page,
        address: page * pageSize(),
        saved: "the file's",
        found: "its own",
        kernels: false,
      });
  return free;
}

/** Pages that shared memory has and the images do not, where they are in the task: they may only be zeros. */
function unsavedShared({ contents, file, within, shift }: SharedMapping, told: Told): PageRange[] {
  const fd = openToRead(file);
  const data = fd < 0 ? undefined : dataPages(fd, within);
  if (fd >= 0) closeSync(fd);
  const covered = contents.map(({ page, pages }) => ({ from: page, to: page + pages }));
  const there = data ?? [within];
  const left = without(
    there.map(({ from, to }) => ({ from: from + shift, to: to + shift })),
    covered,
  );
  if (data !== undefined) return left;
  told.skips(total(left), "whether they are untouched cannot be told");
  return [];
}

const total = (ranges: readonly PageRange[]): number =>
  ranges.reduce((pages, { from, to }) => pages + to - from, 0);

/** Differences of one task that are told one by one. */
const MOST = 100;

/** Neighbouring pages that differ are one difference. */
function differences(
  { checkpoint }: Subject,
  { task }: LiveTask,
  vmas: readonly Vma[],
  differing: readonly Differing[],
  grade: DifferenceClass,
): Difference[] {
  const runs: { vma: Vma | undefined; why: string | undefined; first: Differing; pages: number }[] =
    [];
  for (const one of differing.toSorted((a, b) => a.page - b.page)) {
    const last = runs.at(-1);
    const inLast = last?.vma && one.page >= firstPage(last.vma) && one.page < endPage(last.vma);
    const vma = inLast
      ? last.vma
      : vmas.find((each) => firstPage(each) <= one.page && one.page < endPage(each));
    const why =
      (vma && remade(vma)) ?? (one.kernels ? "the processor it is on, by rseq(2)" : undefined);
    if (inLast && last.why === why && last.first.page + last.pages === one.page) last.pages += 1;
    else runs.push({ vma, why, first: one, pages: 1 });
  }
  const told = runs.slice(0, MOST).map(({ vma, why, first, pages }): Difference => {
    const mapping = vma === undefined ? "no mapping" : nameOf(checkpoint, task, vma);
    const where = `${first.address.toString(16)} in ${mapping}`;
    return {
      facet: "memory",
      task: task.pid,
      expected: `${pages === 1 ? "memory at" : `${pages} pages, the first at`} ${where}: ${first.saved}`,
      found: why === undefined ? first.found : `${first.found} (${why})`,
      class: why === undefined ? grade : "expected",
    };
  });
  const rest = runs.slice(MOST).filter(({ why }) => why === undefined);
  if (rest.length === 0) return told;
  const more = { facet: "memory", task: task.pid, class: grade } as const;
  return [
    ...told,
    { ...more, expected: "memory as it was saved", found: `${sum(rest)} more pages` },
  ];
}
