import { AIORING, ANON_PRIVATE, FILE_PRIVATE, GUARD, REGULAR } from "../../image/flags.ts";
import { PE_LAZY, type Task } from "../../image/index.ts";
import { pagemap_entry } from "../../image/tables/memory.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { livingTasks } from "../paths.ts";

/** vma_entry.status, criu/include/image.h. */
const SHSTK = 0x8000;

const isPrivate = (status: number): boolean =>
  ((status & REGULAR) !== 0 && (status & (ANON_PRIVATE | FILE_PRIVATE)) !== 0) ||
  (status & (AIORING | SHSTK)) !== 0;

export const imageVmas: Check = {
  title: "A task's pages and mappings do not belong together",
  reads: "mm-*.img and pagemap-*.img",
  why: "CRIU walks pages and mappings side by side; mappings out of order, or a page that lies in none, mean that images of two dumps were mixed or damaged.",
  proof: "criu",
  run(context) {
    const { checkpoint } = context;
    /** Of forked tasks these are the same lists. */
    const fitting = new Map<unknown, unknown>();
    return livingTasks(checkpoint).flatMap((task) => {
      const vmas = task.mm?.vmas;
      const pages = checkpoint.values(`pagemap-${task.pid}.img`, pagemap_entry);
      if (vmas === undefined || fitting.get(vmas) === pages) return [];
      const found = misfit(context, task);
      if (found !== undefined) return [found];
      fitting.set(vmas, pages);
      return [];
    });
  },
};

function misfit({ checkpoint, request }: Context, task: Task): Problem | undefined {
  const vmas = task.mm?.vmas ?? [];
  const finding = (image: string, subject: string, message: string, criu: string): Problem => ({
    severity: "blocker",
    task: task.pid,
    image,
    subject,
    message,
    criu_message: criu,
    remedy: {
      kind: "human",
      text: "copy the whole checkpoint again from where it was made; files of two dumps must not be mixed",
    },
  });
  const mm = `mm-${task.pid}.img`;
  let last = 0n;
  for (const { start, status } of vmas) {
    if (status & GUARD) continue;
    if (start < last) {
      const hex = start.toString(16);
      return finding(
        mm,
        hex,
        `the mapping at ${hex} comes after one at ${last.toString(16)}`,
        "VMA-s are not sorted in the image file",
      );
    }
    last = start;
  }
  if (vmas.length === 0) return undefined;

  const pagemap = `pagemap-${task.pid}.img`;
  const { pageSize } = checkpoint;
  let at = 0;
  for (const run of checkpoint.runs(pagemap)) {
    if (request.lazyPages && run.flags & PE_LAZY) continue;
    for (let page = run.page; page < run.page + run.pages;) {
      while (at < vmas.length - 1 && page >= Number(vmas[at]!.end) / pageSize) at += 1;
      const vma = vmas[at]!;
      const end = Number(vma.end) / pageSize;
      const inside = page >= Number(vma.start) / pageSize && page < end;
      if (inside && isPrivate(vma.status)) {
        page = end;
        continue;
      }
      const [from, to] = [vma.start.toString(16), vma.end.toString(16)];
      const hex = address(page, pageSize);
      return finding(
        pagemap,
        hex,
        inside
          ? `the page at ${hex} lies in the mapping ${from}-${to}, whose memory is not the task's own`
          : `the page at ${hex} lies in no mapping of task ${task.pid}`,
        `Page entry address ${hex} outside of VMA ${from}-${to}`,
      );
    }
  }
  return undefined;
}

/** Of a page, in hexadecimal. */
export const address = (page: number, pageSize: number): string =>
  (BigInt(Math.floor(page)) * BigInt(pageSize)).toString(16);
