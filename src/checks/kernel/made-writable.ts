/** Private mappings that CRIU makes writable for the moment, whatever they are to be (mem.c, premap_priv_vmas; restorer.c). */
import { criuHas, knownFault } from "../../criu/known-faults.ts";
import { ANON_PRIVATE, FILE_PRIVATE, REGULAR } from "../../image/flags.ts";
import { oncePer, type Task } from "../../image/index.ts";
import { MAP_HUGETLB, PROT_WRITE } from "../../sys/linux.ts";
import { join } from "../../sys/path.ts";
import type { Context } from "../finding.ts";
import type { Vma } from "./limits.ts";

const MAP_GROWSDOWN = 0x100;

const MAP_ANONYMOUS = 0x20;

/** vma_entry.status, criu/include/image.h. */
const EXT_PLUGIN = 1 << 27;

/** What CRIU puts content into. */
const isPrivate = ({ status, flags }: Vma): boolean =>
  (status & REGULAR) !== 0 &&
  (status & (FILE_PRIVATE | ANON_PRIVATE)) !== 0 &&
  (status & EXT_PLUGIN) === 0 &&
  (flags & MAP_HUGETLB) === 0;

/** What the kernel is asked for, and where: at another place first, or where it belongs. */
type Making = "elsewhere" | "in place";

/**
 * How a mapping is made writable at the restore; undefined where it never is. A mapping that child and parent have alike is
 * made in the parent, for both; and where pages cannot be read one after the other (of a parent checkpoint, lazily,
 * from a stream) CRIU makes every mapping elsewhere first.
 */
export function madeWritable(context: Context, task: Task, vma: Vma): Making | undefined {
  const { request, checkpoint, host, criu } = context;
  const pagemap = `pagemap-${task.pid}.img`;
  if (!isPrivate(vma)) return (vma.prot & PROT_WRITE) !== 0 ? "in place" : undefined;
  const elsewhere =
    request.lazyPages ||
    request.stream ||
    host.exists(join(checkpoint.dir, "parent", pagemap)) ||
    relatives(context, task).some((other) => alike(task, other, vma));
  if ((vma.prot & PROT_WRITE) !== 0) return elsewhere ? "elsewhere" : "in place";
  // From 4.3 on reservations are left as they are.
  if (elsewhere)
    return criuHas(knownFault("reservations"), criu?.version) ? "elsewhere" : undefined;
  const { pageSize: size } = checkpoint;
  const [first, end] = [Number(vma.start) / size, Number(vma.end) / size];
  const behind = criuHas(knownFault("pages-behind"), criu?.version) ? 1 : 0;
  return checkpoint.holdsPages(pagemap, first, end + behind) ? "in place" : undefined;
}

/** Of a thousand tasks each asks for its own. */
const families = new WeakMap<
  Context,
  { byPid: Map<number, Task>; children: Map<number, Task[]> }
>();

/** Parent and children in the tree. */
function relatives(context: Context, { pid, ppid }: Task): Task[] {
  const { tasks } = context.checkpoint;
  let family = families.get(context);
  if (family === undefined) {
    const byPid = new Map(tasks.map((task) => [task.pid, task]));
    family = { byPid, children: Map.groupBy(tasks, (task) => task.ppid) };
    families.set(context, family);
  }
  const parent = family.byPid.get(ppid);
  const children = family.children.get(pid) ?? [];
  return parent === undefined ? children : [parent, ...children];
}

/** Of ten thousands of mappings each is looked for. */
const byStart = oncePer((vmas: readonly Vma[]) => new Map(vmas.map((vma) => [vma.start, vma])));

/** Whether CRIU takes a mapping of one for the same as one of the other (check_cow_vmas). */
function alike(task: Task, other: Task, vma: Vma): boolean {
  if (other.mm === undefined || task.mm?.exe_file_id !== other.mm.exe_file_id) return false;
  const one = byStart(other.mm.vmas).get(vma.start);
  return (
    one !== undefined &&
    one.end === vma.end &&
    isPrivate(one) &&
    ((one.flags ^ vma.flags) & (MAP_GROWSDOWN | MAP_ANONYMOUS)) === 0 &&
    ((vma.flags & MAP_ANONYMOUS) !== 0 || one.shmid === vma.shmid)
  );
}
