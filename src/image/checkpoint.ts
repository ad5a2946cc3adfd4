/**
 * A checkpoint as CRIU would read it: typed, lazy, each image read once. It never throws for bad images: what cannot
 * be read is absent, and a Fault says why.
 */
import { openImageDirectory, type ImageDirectory } from "./directory.ts";
import type { Fault } from "./fault.ts";
import { formatOf } from "./formats.ts";
import { someHeldByNobody } from "./held.ts";
import { Images } from "./images.ts";
import type { MntEntry } from "./mounts.ts";
import { type Content, contentsOf, wantedRuns } from "./contents.ts";
import { type Pagemap, type Run, runsOf, sumPagemap } from "./pagemap.ts";
import { type LostPages, Parents } from "./parents.ts";
import { pageSize } from "../sys/process.ts";
import type { Infer, Message } from "./schema.ts";
import { LazyTask, plain, type Task } from "./task.ts";
import type {
  InventoryEntry,
  PstreeEntry,
  FileEntry,
  RemapFilePathEntry,
  FileLockEntry,
  GhostFileEntry,
  SkPacketEntry,
  CgroupEntry,
  TtyInfoEntry,
  SeccompEntry,
  PidnsEntry,
} from "./types.ts";

/** A pages image: how many bytes its page maps put there, and how many it has (undefined: it is not there). */
export interface PagesUse {
  file: string;
  expected: number;
  actual: number | undefined;
  pagemaps: string[];
}

export interface Checkpoint {
  /** As given. */
  readonly dir: string;
  /** Every name in it. */
  readonly files: ReadonlySet<string>;
  readonly inventory: InventoryEntry | undefined;
  /** pstree.img as it is: of zombies and hostile images `threads` is not to be believed. */
  readonly pstree: readonly PstreeEntry[];
  /** In the order of pstree.img: the root first, parents before children. */
  readonly tasks: readonly Task[];
  readonly root: Task | undefined;
  readonly openFiles: ReadonlyMap<number, FileEntry>;
  readonly remaps: readonly RemapFilePathEntry[];
  /** Ids of the files that those stand for: deleted, and back under another name. */
  readonly remapped: ReadonlySet<number>;
  readonly cgroup: CgroupEntry | undefined;
  readonly fileLocks: readonly FileLockEntry[];
  /** Terminals, of which `openFiles` has the descriptors (`tty`, by `tty_info_id`). */
  readonly ttys: readonly TtyInfoEntry[];
  readonly seccomp: SeccompEntry | undefined;
  pidNamespace(pidNsId: number): PidnsEntry | undefined;
  /** What waits in Unix sockets: an entry a packet. */
  readonly socketQueues: readonly SkPacketEntry[];
  /** What stands for a deleted file, by `remap_id`. */
  ghost(remapId: number): GhostFileEntry | undefined;
  /** Of its content: how many bytes there are, and where the last chunk of it ends in the file. */
  ghostContent(remapId: number): { bytes: number; end: bigint };
  mounts(mntNsId: number): readonly MntEntry[];
  /** Use the data behind the entries of an image, each by its number: what waited in pipes and sockets. Undefined where it cannot be read. */
  useData<T>(file: string, use: (data: (entry: number) => Uint8Array) => T): T | undefined;
  /** Every message of an image with its kind; nothing of raw data. */
  messages(file: string): readonly { of: Message<any>; value: any }[];
  /** The entries of an image that need not be there and has no getter of its own: `netns-3.img`, `memfd.img` … */
  values<M extends Message<any>>(file: string, of: M): readonly Infer<M>[];
  pages(): readonly PagesUse[];
  /** Bytes of a pages image that its file system keeps no room for. */
  holes(file: string): number;
  /** Whether an image that CRIU can do without is there and holds something. */
  holdsEntries(file: string): boolean;
  /** Page maps of living tasks and of shared memory, by file. */
  readonly pagemaps: ReadonlyMap<string, Pagemap>;
  /** What a page map holds, in its order; nothing when it cannot be read. */
  runs(pagemap: string): readonly Run[];
  /** Where the content of a page map's pages is, its parents' too, by address; lazy ones are left out when `lazy`. */
  contents(pagemap: string, lazy: boolean): Content[];
  /** Pages of an incremental checkpoint that its parents do not have, one entry a page map. `lazy`: lazy pages are not wanted. */
  lostPages(lazy: boolean): readonly LostPages[];
  /** What could not be read so far. */
  readonly faults: readonly Fault[];
  /** Read every image that CRIU would, so that `faults` is complete. Page data is not read. */
  readEverything(): readonly Fault[];
}

export type CheckpointResult = { ok: true; checkpoint: Checkpoint } | { ok: false; fault: Fault };

/** Open a directory of images. Fails only when there is no such directory. */
export function openCheckpoint(dir: string): CheckpointResult {
  const opened = openImageDirectory(dir);
  return opened.ok ? { ok: true, checkpoint: new LazyCheckpoint(opened.directory) } : opened;
}

const ghostImage = (remapId: number): string => `ghost-file-${remapId.toString(16)}.img`;

/** remap_type of a file that was unlinked and is kept in the images. */
export const REMAP_GHOST = 1;

/** Faults after which no more are looked for: a hostile pstree.img can make up a million threads. */
const ENOUGH = 1000;

class LazyCheckpoint implements Checkpoint {
  readonly dir: string;
  readonly files: ReadonlySet<string>;
  private readonly images: Images;
  private readonly cached = new Map<string, unknown>();

  constructor(private readonly directory: ImageDirectory) {
    this.dir = directory.path;
    this.files = directory.names;
    this.images = new Images(directory);
  }

  private once<T>(key: string, compute: () => T): T {
    if (!this.cached.has(key)) this.cached.set(key, compute());
    return this.cached.get(key) as T;
  }

  get faults(): readonly Fault[] {
    return this.images.faults;
  }

  get inventory(): InventoryEntry | undefined {
    return this.images.entries("inventory.img", "required")[0]?.value;
  }

  get cgroup(): CgroupEntry | undefined {
    return this.images.entries("cgroup.img", "optional")[0]?.value;
  }

  get fileLocks(): readonly FileLockEntry[] {
    return this.images.entries("filelocks.img", "optional").map((entry) => entry.value);
  }

  get socketQueues(): readonly SkPacketEntry[] {
    return this.images.entries("sk-queues.img", "optional").map((entry) => entry.value);
  }

  ghost(remapId: number): GhostFileEntry | undefined {
    return this.images.entries(ghostImage(remapId), "optional")[0]?.value;
  }

  ghostContent(remapId: number): { bytes: number; end: bigint } {
    const [ghost, ...chunks] = this.images.entries(ghostImage(remapId), "optional");
    return {
      bytes: [ghost, ...chunks].reduce((sum, entry) => sum + (entry?.payload.length ?? 0), 0),
      end: chunks.reduce((end, { value: { off, len } }) => (off + len > end ? off + len : end), 0n),
    };
  }

  get remaps(): readonly RemapFilePathEntry[] {
    return this.images.entries("remap-fpath.img", "optional").map((entry) => entry.value);
  }

  get remapped(): ReadonlySet<number> {
    return this.once("remapped", () => new Set(this.remaps.map(({ orig_id }) => orig_id)));
  }

  get ttys(): readonly TtyInfoEntry[] {
    return this.images.entries("tty-info.img", "optional").map((entry) => entry.value);
  }

  get seccomp(): SeccompEntry | undefined {
    return this.images.entries("seccomp.img", "optional")[0]?.value;
  }

  pidNamespace(pidNsId: number): PidnsEntry | undefined {
    return this.images.entries(`pidns-${pidNsId}.img`, "optional")[0]?.value;
  }

  mounts(mntNsId: number): readonly MntEntry[] {
    return this.images
      .entries(`mountpoints-${mntNsId}.img`, "optional")
      .map((entry) => entry.value);
  }

  get pstree(): readonly PstreeEntry[] {
    return this.once("pstree", () =>
      this.images.entries("pstree.img", "required").map((entry) => entry.value),
    );
  }

  messages(file: string): readonly { of: Message<any>; value: any }[] {
    const format = formatOf(file);
    if (format === undefined) return [];
    return this.images
      .entries(file, "optional")
      .map(({ value }, index) => ({ of: format.schema(index), value }));
  }

  useData<T>(file: string, use: (data: (entry: number) => Uint8Array) => T): T | undefined {
    const entries = this.images.entries(file, "optional");
    const read = this.directory.read(file, (source) =>
      use((entry) => {
        const { offset, length } = entries[entry]!.payload;
        return source.read(offset, length);
      }),
    );
    return read.ok ? read.value : undefined;
  }

  values<M extends Message<any>>(file: string, _of: M): readonly Infer<M>[] {
    return this.images.entries(file, "optional").map((entry) => entry.value);
  }

  get tasks(): readonly Task[] {
    return this.once("tasks", () => {
      const entries = this.images.entries.bind(this.images);
      return this.pstree.map((entry) => new LazyTask(entries, entry));
    });
  }

  get root(): Task | undefined {
    return this.tasks[0];
  }

  get openFiles(): ReadonlyMap<number, FileEntry> {
    return this.once("files", () => {
      const files = new Map<number, FileEntry>();
      for (const { value } of this.images.entries("files.img", "required"))
        files.set(value.id, value);
      return files;
    });
  }

  get pagemaps(): ReadonlyMap<string, Pagemap> {
    return this.once("pagemaps", () => {
      const sums = new Map<string, Pagemap>();
      for (const task of this.tasks)
        if (task.state !== "dead") this.sum(sums, `pagemap-${task.pid}.img`, "required");
      for (const file of this.files)
        if (/^pagemap-shmem-\d+\.img$/.test(file)) this.sum(sums, file, "optional");
      return sums;
    });
  }

  private sum(sums: Map<string, Pagemap>, file: string, need: "required" | "optional"): void {
    const sum = sumPagemap(this.images.entries(file, need));
    if (sum !== undefined) sums.set(file, sum);
  }

  holdsEntries(file: string): boolean {
    return this.images.entries(file, "optional").length > 0;
  }

  pages(): readonly PagesUse[] {
    return this.once("pages", () => {
      const uses = new Map<string, PagesUse>();
      for (const [pagemap, sum] of this.pagemaps) {
        const file = `pages-${sum.pagesId}.img`;
        const use = uses.get(file) ?? {
          file,
          expected: 0,
          actual: this.directory.size(file),
          pagemaps: [],
        };
        use.expected += sum.present * pageSize();
        use.pagemaps.push(pagemap);
        uses.set(file, use);
      }
      return [...uses.values()];
    });
  }

  holes(file: string): number {
    return this.directory.holes(file);
  }

  runs(pagemap: string): readonly Run[] {
    return this.once(`runs ${pagemap}`, () => runsOf(this.images.entries(pagemap, "optional")));
  }

  contents(pagemap: string, lazy: boolean): Content[] {
    const pagesId = this.pagemaps.get(pagemap)?.pagesId;
    if (pagesId === undefined) return [];
    return contentsOf(this.directory, pagemap, pagesId, this.runs(pagemap), lazy);
  }

  lostPages(lazy: boolean): readonly LostPages[] {
    return this.once(`lost ${lazy}`, () => {
      const parents = new Parents(this.directory);
      // Where there is no parent, only a page that should be in one is lost.
      const incremental = this.files.has("parent");
      return [...this.pagemaps].flatMap(([file, { parent }]) =>
        incremental || parent ? (parents.lost(file, wantedRuns(this.runs(file), lazy)) ?? []) : [],
      );
    });
  }

  readEverything(): readonly Fault[] {
    return this.once("everything", () => {
      void this.inventory;
      for (const task of this.tasks) {
        for (const thread of task.threads) {
          void thread.core;
          if (this.faults.length > ENOUGH) return this.faults;
        }
        void [task.ids, task.mm, task.fs, task.fds];
      }
      void this.openFiles;
      for (const { remap_type, remap_id } of this.remaps)
        if (remap_type === REMAP_GHOST) this.images.entries(ghostImage(remap_id), "required");
      for (const use of this.pages()) {
        if (use.actual !== undefined || use.expected === 0) continue;
        this.images.faults.push({
          file: use.file,
          offset: undefined,
          kind: "missing",
          problem: `${use.pagemaps.join(", ")} need it, and it is not there`,
          criu_message: `No ${use.file} image`,
        });
      }
      for (const file of this.files)
        if (formatOf(file) !== undefined) this.images.entries(file, "optional");
      // A hundred checks ask every task for the same: what is read is plain data from here on.
      this.cached.set("tasks", this.tasks.map(plain));
      this.images.forgetAbsent(() => !someHeldByNobody(this));
      return this.faults;
    });
  }
}
