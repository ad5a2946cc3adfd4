/** Memory in the images: incremental chains, lazy pages, and page maps that do not fit the mappings (pagemap.c, mem.c). */
import { AIORING, ANON_PRIVATE, FILE_PRIVATE, GUARD, REGULAR } from "../image/flags.ts";
import { type LostPages, PE_LAZY, PE_PRESENT, type Run, type Task } from "../image/index.ts";
import { pageSize } from "../sys/process.ts";
import { again } from "./again.ts";
import type { Check, Context, Finding } from "./finding.ts";
import { taskOf } from "./images.ts";
import { livingTasks } from "./paths.ts";
import { sh } from "../sys/shell.ts";

const address = (page: number): string =>
  (BigInt(Math.floor(page)) * BigInt(pageSize())).toString(16);

/** What CRIU says of lost pages. Where it says nothing it reads at the end of a file for ever, or takes other pages. */
function criuSaysOf({ kind, parent, page, problem, pagemap }: LostPages): string | null {
  if (kind === "unopened")
    return problem === "there is no such directory"
      ? "Can't open parent path: No such file or directory"
      : null;
  if (kind === "gone" && !pagemap.includes("shmem")) return "Can't read async pr bytes";
  if (kind === "page") return `Missing ${address(page)} in parent pagemap`;
  return kind === "none" && parent !== "parent" ? "No parent for snapshot pagemap" : null;
}

export const imageParent: Check = {
  id: "image-parent",
  title: "The older checkpoint that an incremental one builds on is not whole",
  reads:
    "the link `parent` in the images directory and those behind it; pagemap-*.img of each, and the size of its pages-*.img",
  why:
    "An incremental dump holds only what changed; the rest is in the checkpoint that its link `parent` leads to. The link is relative: " +
    "a checkpoint that is moved or copied without its parents has lost that memory. Without any parent CRIU prints nothing: it spins for ever " +
    "or fills memory with other pages.",
  proof: "criu",
  run: ({ checkpoint, request }) =>
    request.stream
      ? []
      : checkpoint.lostPages(request.lazyPages).map((lost) => ({
          id: "image-parent",
          severity: "blocker",
          task: taskOf(lost.pagemap),
          image: lost.pagemap,
          subject: lost.parent,
          message: `${lost.pagemap} has memory in the older checkpoint ${lost.parent}, which cannot give it: ${lost.problem}`,
          criu_message: criuSaysOf(lost),
          remedy: {
            kind: "human",
            text: "put the older checkpoint back to where the link leads, or make the link lead to it",
            command:
              lost.kind === "unopened" || (lost.kind === "none" && lost.parent === "parent")
                ? sh`ln -sfn /PATH/OF/THE/OLDER/CHECKPOINT ${checkpoint.dir}/${lost.parent}`
                : null,
          },
        })),
};

const isLazyOnly = ({ flags }: Run) => (flags & (PE_LAZY | PE_PRESENT)) === PE_LAZY;

export const imageLazy: Check = {
  id: "image-lazy",
  title: "Memory was left behind to be fetched later",
  reads: "pagemap-*.img; --lazy-pages",
  why:
    "A dump with --lazy-pages keeps most memory at its source, for `criu lazy-pages` to fetch while the restored tree runs. " +
    "Restored without that, the missing pages are read from where others are: memory is wrong, or CRIU spins at the end of the file. Nothing is printed.",
  proof: "harm",
  run(context) {
    const { checkpoint, request } = context;
    const lazy = [...checkpoint.pagemaps].filter(([, sum]) => sum.lazy);
    if (request.lazyPages)
      return lazy.slice(0, 1).map(([pagemap]) => ({
        id: "image-lazy",
        severity: "info",
        task: null,
        image: pagemap,
        subject: pagemap,
        message:
          "memory that is not in the images can be fetched once: when this restore fails or is refused, the dump that has it may end with the connection",
        criu_message: null,
        remedy: {
          kind: "human",
          text: "for a checkpoint that can be restored again, dump without --lazy-pages",
          command: null,
        },
      }));
    return lazy.map(([pagemap]) => {
      const pages = checkpoint
        .runs(pagemap)
        .filter(isLazyOnly)
        .reduce((sum, run) => sum + run.pages, 0);
      return {
        id: "image-lazy",
        severity: "blocker",
        task: taskOf(pagemap),
        image: pagemap,
        subject: pagemap,
        message: `${pages} pages of ${pagemap} are not in the images: they stayed with the dump that was made with --lazy-pages`,
        criu_message: null,
        remedy: {
          kind: "human",
          text: "while the dump still waits at HOST and PORT: start `criu lazy-pages` towards its page server, then restore with --lazy-pages; once it has ended, dump again without --lazy-pages",
          command: sh`criu lazy-pages -d --page-server --address HOST --port PORT -D ${checkpoint.dir} -W ${request.workDir} && recriu restore ${again(context)} --lazy-pages`,
        },
      };
    });
  },
};

export const lazyPagesSocket: Check = {
  id: "lazy-pages-socket",
  title: "Nobody serves the pages of a lazy restore",
  reads: "--lazy-pages; lazy-pages.socket in the work directory and /proc/net/unix",
  why: "With --lazy-pages CRIU hands every page fault to `criu lazy-pages`, which must listen in the same work directory before the restore begins.",
  proof: "criu",
  run({ host, request, checkpoint }) {
    if (!request.lazyPages) return [];
    const socket = `${request.workDir}/lazy-pages.socket`;
    // The daemon binds the name as it stands in its own work directory: /proc/net/unix has no more than that.
    const served = host.unixSockets.some(
      ({ path, listening }) => listening && path === "lazy-pages.socket",
    );
    const there = host.exists(socket);
    if (there && served) return [];
    return [
      {
        id: "lazy-pages-socket",
        // A daemon in another network namespace can be reached, but is not in our list.
        severity: there ? "warning" : "blocker",
        task: null,
        image: "",
        subject: socket,
        message: there
          ? `${socket} is there, but nobody listens at it`
          : `${socket} is not there: \`criu lazy-pages\` does not run in this work directory`,
        criu_message: `uffd: connect to lazy-pages.socket failed: ${there ? "Connection refused" : "No such file or directory"}`,
        remedy: {
          kind: "human",
          text: "start it first, with the same images and the same work directory",
          command: sh`criu lazy-pages -d -D ${checkpoint.dir} -W ${request.workDir}`,
        },
      },
    ];
  },
};

/** vma_entry.status, criu/include/image.h. */
const SHSTK = 0x8000;

const isPrivate = (status: number): boolean =>
  ((status & REGULAR) !== 0 && (status & (ANON_PRIVATE | FILE_PRIVATE)) !== 0) ||
  (status & (AIORING | SHSTK)) !== 0;

export const imageVmas: Check = {
  id: "image-vmas",
  title: "A task's pages and mappings do not belong together",
  reads: "mm-*.img and pagemap-*.img",
  why: "CRIU walks pages and mappings side by side; mappings out of order, or a page that lies in none, mean that images of two dumps were mixed or damaged.",
  proof: "criu",
  run: (context) => livingTasks(context.checkpoint).flatMap((task) => misfit(context, task) ?? []),
};

function misfit({ checkpoint, request }: Context, task: Task): Finding | undefined {
  const vmas = task.mm?.vmas ?? [];
  const finding = (image: string, subject: string, message: string, criu: string): Finding => ({
    id: "image-vmas",
    severity: "blocker",
    task: task.pid,
    image,
    subject,
    message,
    criu_message: criu,
    remedy: {
      kind: "human",
      text: "copy the whole checkpoint again from where it was made; files of two dumps must not be mixed",
      command: null,
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
  const size = pageSize();
  let at = 0;
  for (const run of checkpoint.runs(pagemap)) {
    if (request.lazyPages && run.flags & PE_LAZY) continue;
    for (let page = run.page; page < run.page + run.pages;) {
      while (at < vmas.length - 1 && page >= Number(vmas[at]!.end) / size) at += 1;
      const vma = vmas[at]!;
      const end = Number(vma.end) / size;
      const inside = page >= Number(vma.start) / size && page < end;
      if (inside && isPrivate(vma.status)) {
        page = end;
        continue;
      }
      const [from, to] = [vma.start.toString(16), vma.end.toString(16)];
      const hex = address(page);
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
