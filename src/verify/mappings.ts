/** Memory mappings: that every saved one is there, with its protection, sharing, file and offset, and no others; how much is locked. */
import type { ProcessFiles } from "../host/process-files.ts";
import { GUARD, UPROBES, VDSO, VSYSCALL, VVAR } from "../image/flags.ts";
import { type Checkpoint, type MmEntry, VMA_FILE } from "../image/index.ts";
import { MAP_HUGETLB, MAP_SHARED, PROT_WRITE } from "../sys/linux.ts";
import { asSaved, type Facet } from "./facet.ts";

/** The kernel's own, which move or grow from one kernel to the next. */
const KERNELS = VSYSCALL | VDSO | VVAR | UPROBES;
/** A guard is no mapping but a mark in one. */
const NOT_COMPARED = KERNELS | GUARD;

const PROT_READ = 1;
const PROT_EXEC = 4;
const MAP_LOCKED = 0x2000;

/** Addresses and offsets are whole pages, which a number holds exactly up to 2^64. */
interface Range {
  start: number;
  end: number;
}

interface Mapping extends Range {
  /** `rw-p` as /proc/PID/maps writes it. */
  how: string;
  /** Path and offset of a file's mapping; "" otherwise. */
  file: string;
  offset: number;
}

export const mappings: Facet = {
  id: "mappings",
  final: "state",
  moving: true,
  compare({ checkpoint, live }, { same, alike }) {
    // Forked tasks have the same image, and the kernel says the same of them: then it is taken apart once.
    let last: Apart | undefined;
    for (const { task, proc, status } of live.tasks.values()) {
      const { mm } = task;
      if (mm === undefined) continue;
      const maps = proc.read("maps") ?? "";
      if (last?.mm !== mm || last.maps !== maps) {
        const { locked, saved } =
          last?.mm === mm
            ? last
            : { locked: `${lockedIn(mm)} kB`, saved: shown(savedMappings(checkpoint, mm)) };
        const now = shown(liveMappings(maps, kernelsOwn(mm)));
        last = { mm, maps, locked, saved, now, isSame: isSame(saved, now) };
      }
      same(task.pid, "memory that is locked", last.locked, status().get("VmLck"));
      if (last.isSame) {
        alike(last.saved.length);
        continue;
      }
      const found = new Map(last.now.map((mapping) => [mapping.start, mapping]));
      for (const mapping of last.saved) {
        const { start, text } = mapping;
        same(task.pid, "mapping", text, textOf(proc, mapping, found.get(start)));
        found.delete(start);
      }
      for (const { text } of found.values())
        same(task.pid, "a mapping that was not saved", "none", text);
    }
  },
};

/** What was saved of a task's mappings, and what /proc/PID/maps shows. */
interface Apart {
  mm: MmEntry;
  maps: string;
  locked: string;
  saved: readonly Shown[];
  now: readonly Shown[];
  isSame: boolean;
}

const isSame = (saved: readonly Shown[], now: readonly Shown[]): boolean =>
  saved.length === now.length && saved.every(({ text }, at) => text === now[at]!.text);

/** Kilobytes that mlock(2) holds: the kernel counts no huge pages there. */
const lockedIn = ({ vmas }: MmEntry): number =>
  vmas
    .filter(({ status }) => (status & NOT_COMPARED) === 0)
    .filter(({ flags }) => (flags & (MAP_LOCKED | MAP_HUGETLB)) === MAP_LOCKED)
    .reduce((sum, { start, end }) => sum + Number(end - start) / 1024, 0);

interface Shown extends Mapping {
  text: string;
}

const shown = (sorted: Mapping[]): Shown[] =>
  merge(sorted).map((mapping) => ({ ...mapping, text: show(mapping) }));

/** What is found in the place of a saved mapping, as it is to be held against that. */
const textOf = (proc: ProcessFiles, saved: Shown, found: Shown | undefined): string | undefined =>
  found === undefined || found.text === saved.text || found.file === saved.file
    ? found?.text
    : show({ ...found, file: asSaved({ proc }, saved.file, found.file)! });

function savedMappings(checkpoint: Checkpoint, mm: MmEntry): Mapping[] {
  return mm.vmas
    .filter((vma) => (vma.status & NOT_COMPARED) === 0)
    .map((vma) => {
      const letter = (bit: number, char: string) => (vma.prot & bit ? char : "-");
      const how = `${letter(PROT_READ, "r")}${letter(PROT_WRITE, "w")}${letter(PROT_EXEC, "x")}${vma.flags & MAP_SHARED ? "s" : "p"}`;
      const id = Number(vma.shmid);
      const file =
        vma.status & VMA_FILE && !checkpoint.remapped.has(id)
          ? asInMaps(checkpoint.openFiles.get(id)?.reg?.name ?? "")
          : "";
      const offset = file === "" ? 0 : Number(vma.pgoff);
      return { start: Number(vma.start), end: Number(vma.end), how, file, offset };
    });
}

/** Where the images have the kernel's own mappings. */
const kernelsOwn = (mm: MmEntry): Range[] =>
  mm.vmas
    .filter((vma) => vma.status & KERNELS)
    .map(({ start, end }) => ({ start: Number(start), end: Number(end) }));

const kernelsNames = new Set(["[vdso]", "[vvar]", "[vvar_vclock]", "[vsyscall]", "[uprobes]"]);

const row = /^([0-9a-f]+)-([0-9a-f]+) (\S{4}) ([0-9a-f]+) \S+ +(\d+) *(.*)$/s;

/** A name as /proc/PID/maps shows it: proc_pid_maps(5). */
const asInMaps = (name: string): string => name.replaceAll("\n", "\\012");

function liveMappings(maps: string, criuRanges: readonly Range[]): Mapping[] {
  return maps.split("\n").flatMap((line): Mapping[] => {
    const match = row.exec(line);
    if (match === null || kernelsNames.has(match[6]!)) return [];
    const start = Number.parseInt(match[1]!, 16);
    const end = Number.parseInt(match[2]!, 16);
    if (criuRanges.some((vma) => start >= vma.start && end <= vma.end)) return [];
    // Deleted files, shared memory and memfds have names that say nothing.
    const named =
      match[6]!.startsWith("/") &&
      !match[6]!.endsWith(" (deleted)") &&
      !match[6]!.startsWith("/memfd:");
    return [
      {
        start,
        end,
        how: match[3]!,
        file: named ? match[6]! : "",
        offset: named ? Number.parseInt(match[4]!, 16) : 0,
      },
    ];
  });
}

/** Neighbours that are one to the program: the kernel merges and splits them as it likes. */
function merge(sorted: Mapping[]): Mapping[] {
  const merged: Mapping[] = [];
  for (const mapping of sorted) {
    const last = merged.at(-1);
    const continues =
      last !== undefined &&
      last.end === mapping.start &&
      last.how === mapping.how &&
      last.file === mapping.file &&
      (mapping.file === "" || last.offset + (last.end - last.start) === mapping.offset);
    if (continues) last.end = mapping.end;
    else merged.push({ ...mapping });
  }
  return merged;
}

const hex = (value: number): string => value.toString(16);

const show = ({ start, end, how, file, offset }: Mapping): string =>
  `${hex(start)}-${hex(end)} ${how}${file === "" ? "" : ` ${file} at ${hex(offset)}`}`;
