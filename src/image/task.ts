/** A task of a checkpoint and its threads, whose images are read when they are first asked for. */
import type { Entry } from "./frame.ts";
import type {
  CoreEntry,
  FdinfoEntry,
  FsEntry,
  MmEntry,
  PstreeEntry,
  TaskKobjIdsEntry,
} from "./types.ts";

export interface Thread {
  tid: number;
  readonly core: CoreEntry | undefined;
}

/** task_core_entry.task_state (criu/include/pstree.h). */
type TaskState = "alive" | "dead" | "stopped" | "unknown";

export interface Task {
  pid: number;
  ppid: number;
  pgid: number;
  sid: number;
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

/** The entries of an image; `need` as in Checkpoint. */
type Entries = (file: string, need: "required" | "usual" | "optional") => readonly Entry[];

const states: Record<number, TaskState> = { 1: "alive", 2: "dead", 3: "stopped" };

export class LazyTask implements Task {
  readonly pid: number;
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  readonly threads: readonly LazyThread[];
  private images: Images | undefined;

  constructor(
    private readonly entries: Entries,
    entry: PstreeEntry,
  ) {
    ({ pid: this.pid, ppid: this.ppid, pgid: this.pgid, sid: this.sid } = entry);
    // CRIU takes the first thread for the leader whatever its number; that of a zombie was never filled in.
    const tids = new Set([entry.pid, ...entry.threads.slice(1)]);
    this.threads = [...tids].map((tid) => new LazyThread(entries, tid, entry.pid));
  }

  private read(): Images {
    if (this.images !== undefined) return this.images;
    const { entries, pid } = this;
    const none: Images = { ids: undefined, mm: undefined, fs: undefined, fds: [] };
    if (this.state === "dead") return (this.images = none);
    const first = (file: string) => entries(file, "required")[0]?.value;
    const ids = first(`ids-${pid}.img`) as TaskKobjIdsEntry | undefined;
    const fs = first(`fs-${pid}.img`);
    let mm = first(`mm-${pid}.img`) as MmEntry | undefined;
    // Of old images they have one of their own, and so have rights and limits below: CRIU takes them from there.
    if (mm?.vmas.length === 0)
      mm = { ...mm, vmas: entries(`vmas-${pid}.img`, "optional").map((entry) => entry.value) };
    const fdinfo = ids && entries(`fdinfo-${ids.files_id}.img`, "usual");
    return (this.images = { ids, mm, fs, fds: fdinfo?.map((entry) => entry.value) ?? [] });
  }

  get core(): CoreEntry | undefined {
    return this.threads[0]!.core;
  }

  get state(): TaskState {
    return states[this.core?.tc?.task_state ?? 0] ?? "unknown";
  }

  get ids(): TaskKobjIdsEntry | undefined {
    return this.read().ids;
  }

  get mm(): MmEntry | undefined {
    return this.read().mm;
  }

  get fs(): FsEntry | undefined {
    return this.read().fs;
  }

  get fds(): readonly FdinfoEntry[] {
    return this.read().fds;
  }
}

/** A task whose images are all read, without what reads them. */
export const plain = ({
  pid,
  ppid,
  pgid,
  sid,
  state,
  threads,
  core,
  ids,
  mm,
  fs,
  fds,
}: Task): Task => ({
  pid,
  ppid,
  pgid,
  sid,
  state,
  threads: threads.map((thread) => ({ tid: thread.tid, core: thread.core })),
  core,
  ids,
  mm,
  fs,
  fds,
});

type Images = Pick<Task, "ids" | "mm" | "fs" | "fds">;

class LazyThread implements Thread {
  private image: { core: CoreEntry | undefined } | undefined;

  constructor(
    private readonly entries: Entries,
    readonly tid: number,
    private readonly pid: number,
  ) {}

  get core(): CoreEntry | undefined {
    this.image ??= {
      core: this.completed(this.entries(`core-${this.tid}.img`, "required")[0]?.value),
    };
    return this.image.core;
  }

  private completed(core: CoreEntry | undefined): CoreEntry | undefined {
    const { thread_core, tc } = core ?? {};
    const old = (file: string) =>
      this.entries(`${file}-${this.pid}.img`, "optional").map(({ value }) => value);
    const creds =
      thread_core !== undefined && thread_core.creds === undefined ? old("creds")[0] : undefined;
    const rlimits = tc !== undefined && tc.rlimits === undefined ? old("rlimit") : [];
    if (creds !== undefined) core = { ...core!, thread_core: { ...thread_core!, creds } };
    if (rlimits.length > 0) core = { ...core!, tc: { ...tc!, rlimits: { rlimits } } };
    return core;
  }
}
