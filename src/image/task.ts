/** A task of a checkpoint and its threads; their images are read when first asked for. */
import type { Images } from "./images.ts";
import { fdinfo_entry, fs_entry } from "./tables/files.ts";
import { mm_entry, vma_entry } from "./tables/memory.ts";
import { core_entry, creds_entry, rlimit_entry, task_kobj_ids_entry } from "./tables/process.ts";
import type {
  CoreEntry,
  FdinfoEntry,
  FsEntry,
  MmEntry,
  PstreeEntry,
  TaskKobjIdsEntry,
} from "./types.ts";

export interface Thread {
  readonly tid: number;
  readonly core: CoreEntry | undefined;
}

/** task_core_entry.task_state (criu/include/pstree.h). */
type TaskState = "alive" | "dead" | "stopped" | "unknown";

export interface Task {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  readonly state: TaskState;
  /** The leader first. */
  readonly threads: readonly Thread[];
  readonly core: CoreEntry | undefined;
  readonly ids: TaskKobjIdsEntry | undefined;
  /** Of a zombie there is no memory, no directory and no descriptor. */
  readonly mm: MmEntry | undefined;
  readonly fs: FsEntry | undefined;
  readonly fds: readonly FdinfoEntry[];
}

/**
 * Whether the root had adopted this child of its: in the session of others, it was born deeper. CRIU has it born by a
 * helper, and it comes back as a child of the pid namespace's init.
 */
export const wasAdopted = ({ root }: { root: Task | undefined }, task: Task): boolean =>
  task.ppid === root?.pid && ![task.pid, root.pid, root.sid].includes(task.sid);

const states: Record<number, TaskState> = { 1: "alive", 2: "dead", 3: "stopped" };

/** What a getter found takes its place: a hundred checks ask every task for the same, and get plain data of one object. */
function keep<T extends object>(object: object, found: T): T {
  for (const [name, value] of Object.entries(found))
    Object.defineProperty(object, name, { value, enumerable: true });
  return found;
}

export class LazyTask implements Task {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  readonly threads: readonly LazyThread[];

  constructor(
    private readonly images: Images,
    entry: PstreeEntry,
  ) {
    ({ pid: this.pid, ppid: this.ppid, pgid: this.pgid, sid: this.sid } = entry);
    // CRIU takes the first thread for the leader whatever its number; that of a zombie was never filled in.
    const tids = new Set([entry.pid, ...entry.threads.slice(1)]);
    this.threads = [...tids].map((tid) => new LazyThread(images, tid, entry.pid));
  }

  get core(): CoreEntry | undefined {
    return keep(this, { core: this.threads[0]!.core }).core;
  }

  get state(): TaskState {
    return keep(this, { state: states[this.core?.tc?.task_state ?? 0] ?? "unknown" }).state;
  }

  get ids(): TaskKobjIdsEntry | undefined {
    return keep(this, this.read()).ids;
  }

  get mm(): MmEntry | undefined {
    return keep(this, this.read()).mm;
  }

  get fs(): FsEntry | undefined {
    return keep(this, this.read()).fs;
  }

  get fds(): readonly FdinfoEntry[] {
    return keep(this, this.read()).fds;
  }

  private read(): Pick<Task, "ids" | "mm" | "fs" | "fds"> {
    const { images, pid } = this;
    if (this.state === "dead") return { ids: undefined, mm: undefined, fs: undefined, fds: [] };
    const [ids] = images.values(`ids-${pid}.img`, task_kobj_ids_entry, "required");
    const [fs] = images.values(`fs-${pid}.img`, fs_entry, "required");
    let [mm] = images.values(`mm-${pid}.img`, mm_entry, "required");
    // Of old images they have one of their own, and so have rights and limits below: CRIU takes them from there.
    if (mm?.vmas.length === 0)
      mm = { ...mm, vmas: images.values(`vmas-${pid}.img`, vma_entry, "optional") };
    const fds = ids && images.values(`fdinfo-${ids.files_id}.img`, fdinfo_entry, "usual");
    return { ids, mm, fs, fds: fds ?? [] };
  }
}

class LazyThread implements Thread {
  constructor(
    private readonly images: Images,
    readonly tid: number,
    private readonly pid: number,
  ) {}

  get core(): CoreEntry | undefined {
    const [saved] = this.images.values(`core-${this.tid}.img`, core_entry, "required");
    return keep(this, { core: this.completed(saved) }).core;
  }

  private completed(core: CoreEntry | undefined): CoreEntry | undefined {
    const { thread_core, tc } = core ?? {};
    const { images, pid } = this;
    const creds =
      thread_core !== undefined && thread_core.creds === undefined
        ? images.values(`creds-${pid}.img`, creds_entry, "optional")[0]
        : undefined;
    const rlimits =
      tc !== undefined && tc.rlimits === undefined
        ? images.values(`rlimit-${pid}.img`, rlimit_entry, "optional")
        : [];
    if (creds !== undefined) core = { ...core!, thread_core: { ...thread_core!, creds } };
    if (rlimits.length > 0) core = { ...core!, tc: { ...tc!, rlimits: { rlimits } } };
    return core;
  }
}
