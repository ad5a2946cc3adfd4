/**
 * Incremental checkpoints (criu(8), --prev-images-dir): memory that had not changed is in the checkpoint that the link
 * `parent` leads to, or in that one's parent. CRIU looks a page up as pagemap.c does: each page map is gone through
 * once, in order, and a page must be found where it says it is.
 */
import { join } from "../sys/path.ts";
import { type DirectoryResult, type ImageDirectory, openImageDirectory } from "./directory.ts";
import type { Content } from "./contents.ts";
import type { Fault } from "./fault.ts";
import { formatOf } from "./formats.ts";
import { readFrames, valuesOf } from "./frame.ts";
import { pageSize } from "../sys/process.ts";
import { PE_LAZY, PE_PARENT, PE_PRESENT, type Run, runsOf, type StoredRun } from "./pagemap.ts";
import { pagemap_entry, pagemap_head } from "./tables/memory.ts";

/** Why pages are not to be had. */
export interface LostPages {
  /** The page map of the checkpoint itself that wants them. */
  pagemap: string;
  /** The parent concerned, from the checkpoint's directory: `parent`, `parent/parent` … */
  parent: string;
  kind:
    /** The link `parent` is there and leads nowhere; CRIU stops there, whether a page is wanted or not. */
    | "unopened"
    /** There is no parent, or it knows nothing of this memory. */
    | "none"
    /** The parent knows the memory, but not this page. */
    | "page"
    /** The parent's pages image ends before the page. */
    | "short"
    /** The parent's pages image is not there. */
    | "gone"
    /** An image of the parent cannot be read. */
    | "image";
  /** The first such page's number. */
  page: number;
  /** What the kernel or the decoder says of it. */
  problem: string;
}

/** No chain of dumps is this long; a link that leads back to itself is endless. */
const LONGEST = 1000;

/** A parent that is its own: CRIU opens it again and again, until it may open no more. */
const endless = ({ path }: ImageDirectory): DirectoryResult => ({
  ok: false,
  fault: {
    file: path,
    offset: undefined,
    kind: "unreadable",
    problem: "Too many open files",
    criu_message: null,
  },
});

const leftOutOfParent = ({ leftOut }: ImageDirectory): ImageDirectory["leftOut"] =>
  new Map(
    [...leftOut].flatMap(([name, size]) =>
      name.startsWith("parent/") ? [[name.slice("parent/".length), size] as const] : [],
    ),
  );

const pathOf = (level: number): string => "parent/".repeat(level + 1).slice(0, -1);

/** The chain of parents of `directory`, nearest first, opened when first asked for. */
export class Parents {
  private readonly opened: (DirectoryResult | undefined)[] = [];

  constructor(private readonly directory: ImageDirectory) {}

  /** Parent number `level` (0 is the nearest); undefined where there is no link. */
  at(level: number): DirectoryResult | undefined {
    if (level < this.opened.length) return this.opened[level];
    const child = level === 0 ? this.directory : this.directoryAt(level - 1);
    let parent: DirectoryResult | undefined;
    if (child?.names.has("parent")) {
      // From one real path to the next, as CRIU goes: the kernel follows forty links of one path at most.
      parent = openImageDirectory(join(child.real, "parent"), leftOutOfParent(child));
      if (parent.ok && this.leadsBack(parent.directory)) parent = endless(parent.directory);
    }
    this.opened.push(parent);
    return parent;
  }

  private leadsBack({ real }: ImageDirectory): boolean {
    return (
      real === this.directory.real ||
      this.opened.some((each) => each?.ok && each.directory.real === real)
    );
  }

  private directoryAt(level: number): ImageDirectory | undefined {
    const parent = this.at(level);
    return parent?.ok ? parent.directory : undefined;
  }

  /** The first parent in which pages of the page map `file` are compressed, from the checkpoint's directory. */
  packed(file: string): string | undefined {
    for (let level = 0; level < LONGEST; level += 1) {
      const parent = this.at(level);
      const older = parent?.ok ? read(parent.directory, file) : undefined;
      if (older === undefined || "fault" in older) return undefined;
      if (older.runs.some(({ packed }) => packed)) return pathOf(level);
    }
    return undefined;
  }

  /** What is wrong with the pages that `runs` of the page map `file` wants from its parents. `found` gets those that are there. */
  lost(
    file: string,
    runs: Iterable<Run>,
    found: (content: Content) => void = () => {},
  ): LostPages | undefined {
    let wanted: Run[] = [];
    for (const run of runs) if (run.flags & PE_PARENT) wanted.push(run);
    for (let level = 0; ; level += 1) {
      const parent = this.at(level);
      const page = wanted[0]?.page ?? 0;
      const lost = (kind: LostPages["kind"], problem: string, at = page): LostPages => ({
        pagemap: file,
        parent: pathOf(level),
        kind,
        page: at,
        problem,
      });
      if (level >= LONGEST) return lost("unopened", "Too many open files");
      if (parent === undefined)
        return wanted.length === 0 ? undefined : lost("none", "there is no such link");
      if (!parent.ok) return lost("unopened", parent.fault.problem);
      const older = read(parent.directory, file);
      if ("fault" in older) {
        if (older.fault.kind !== "missing") return lost("image", older.fault.problem);
        return wanted.length === 0 ? undefined : lost("none", `it has no ${file}`);
      }
      const next: Run[] = [];
      const name = `pages-${older.pagesId}.img`;
      const path = `${parent.directory.path}/${name}`;
      const tell: Tell = (content) => found({ ...content, file: path });
      const missing = look(wanted, older.runs, older.available ?? 0, next, tell);
      if (missing !== undefined) {
        if (missing.kind === "page") return lost("page", `its ${file} lacks it`, missing.page);
        return older.available === undefined
          ? lost("gone", `it has no ${name}`, missing.page)
          : lost("short", `its ${name} ends early`, missing.page);
      }
      wanted = next;
    }
  }
}

type Tell = (content: Omit<Content, "file">) => void;

interface Older {
  runs: StoredRun[];
  pagesId: number;
  /** Bytes of its pages image; undefined when it is not there. */
  available: number | undefined;
}

function read(directory: ImageDirectory, file: string): Older | { fault: Fault } {
  const format = formatOf(file)!;
  const result = directory.read(file, (source) => readFrames(source, format));
  if (!result.ok) return { fault: result.fault };
  if (!result.value.ok) return { fault: result.value.fault };
  const { entries } = result.value;
  const pagesId = valuesOf(format, entries, pagemap_head)[0]!.pages_id;
  const runs = [...runsOf(valuesOf(format, entries, pagemap_entry))];
  const available = directory.size(`pages-${pagesId}.img`);
  return { runs, pagesId, available };
}

/**
 * Look `wanted` up in a parent's runs; what that one has from its own parent is added to `next`. `found` is told of pages
 * that are in its pages image.
 */
function look(
  wanted: readonly Run[],
  runs: readonly StoredRun[],
  available: number,
  next: Run[],
  found: Tell,
): { kind: "page" | "data"; page: number } | undefined {
  let at = 0;
  for (const { page: first, pages } of wanted) {
    for (let page = first; page < first + pages;) {
      for (let run = runs[at]; run !== undefined && run.page + run.pages <= page; run = runs[at])
        at += 1;
      const run = runs[at];
      if (run === undefined || run.page > page) return { kind: "page", page };
      const count = Math.min(first + pages, run.page + run.pages) - page;
      if (run.flags & PE_PARENT) {
        next.push({ page, pages: count, flags: PE_PARENT });
      } else {
        if (run.flags & PE_LAZY && !(run.flags & PE_PRESENT)) return { kind: "data", page };
        const { packed } = run;
        const offset = packed ? run.offset : run.offset + (page - run.page) * pageSize();
        const end = packed ? run.offset + run.bytes : offset + count * pageSize();
        if (end > available) return { kind: "data", page };
        found({ page, pages: count, offset, packed });
      }
      page += count;
    }
  }
  return undefined;
}
