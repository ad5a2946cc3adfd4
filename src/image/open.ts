/** Opens a checkpoint: each image is read when it is first asked for, and once. */
import type { Checkpoint, PackedPages, PagesUse } from "./checkpoint.ts";
import type { Content } from "./contents.ts";
import { openImageDirectory, type ImageDirectory } from "./directory.ts";
import type { Fault } from "./fault.ts";
import type { TableOf } from "./formats.ts";
import { hasUnreferencedFile } from "./unreferenced.ts";
import { Images, type Need, type StrangeField } from "./images.ts";
import type { MntEntry } from "./mounts.ts";
import { Memory } from "./memory.ts";
import { remembering } from "./once.ts";
import type { Pagemap, StoredRun } from "./pagemap.ts";
import type { LostPages } from "./parents.ts";
import { pageSize } from "../sys/process.ts";
import { type DownMarks, downMarks } from "./routes.ts";
import type { Infer } from "./schema.ts";
import { cgroup_entry } from "./tables/cgroup.ts";
import {
  file_entry,
  file_lock_entry,
  ghost_chunk_entry,
  ghost_file_entry,
  remap_file_path_entry,
  tty_info_entry,
} from "./tables/files.ts";
import { inventory_entry } from "./tables/inventory.ts";
import { mnt_entry, pidns_entry } from "./tables/namespaces.ts";
import { pstree_entry, seccomp_entry } from "./tables/process.ts";
import { sk_packet_entry } from "./tables/sockets.ts";
import { LazyTask, type Task } from "./task.ts";
import type { Bytes } from "./text.ts";
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

type CheckpointResult = { ok: true; checkpoint: Checkpoint } | { ok: false; fault: Fault };

/** Open a directory of images; `leftOut` are as if they were there. Fails only when there is no such directory. */
export function openCheckpoint(dir: string, leftOut?: ImageDirectory["leftOut"]): CheckpointResult {
  const opened = openImageDirectory(dir, leftOut);
  return opened.ok ? { ok: true, checkpoint: new LazyCheckpoint(opened.directory) } : opened;
}

const ghostImage = (remapId: number) => `ghost-file-${remapId.toString(16)}.img` as const;

/** remap_type of a file that was unlinked and is kept in the images. */
const REMAP_GHOST = 1;

class LazyCheckpoint implements Checkpoint {
  readonly dir: string;
  readonly files: ReadonlySet<string>;
  readonly pageSize = pageSize();
  private readonly images: Images;
  private readonly memory: Memory;
  private readonly once = remembering();

  constructor(private readonly directory: ImageDirectory) {
    this.dir = directory.path;
    this.files = directory.names;
    this.images = new Images(directory);
    this.memory = new Memory(directory, this.images, () => this.tasks);
  }

  get faults(): readonly Fault[] {
    return this.images.faults;
  }

  values<File extends string, M extends TableOf<File>>(
    file: File,
    of: M,
    need: Need = "optional",
  ): readonly Infer<M>[] {
    return this.images.values(file, of, need);
  }

  get inventory(): InventoryEntry | undefined {
    return this.values("inventory.img", inventory_entry, "required")[0];
  }

  get cgroup(): CgroupEntry | undefined {
    return this.values("cgroup.img", cgroup_entry)[0];
  }

  get fileLocks(): readonly FileLockEntry[] {
    return this.values("filelocks.img", file_lock_entry);
  }

  get socketQueues(): readonly SkPacketEntry[] {
    return this.values("sk-queues.img", sk_packet_entry);
  }

  ghost(remapId: number): GhostFileEntry | undefined {
    return this.values(ghostImage(remapId), ghost_file_entry)[0];
  }

  ghostContent(remapId: number): { bytes: number; end: bigint } {
    const image = ghostImage(remapId);
    const chunks = this.values(image, ghost_chunk_entry);
    return {
      bytes: this.images
        .all(image, "optional")
        .reduce((sum, { payload }) => sum + payload.length, 0),
      end: chunks.reduce((end, { off, len }) => (off + len > end ? off + len : end), 0n),
    };
  }

  get remaps(): readonly RemapFilePathEntry[] {
    return this.values("remap-fpath.img", remap_file_path_entry);
  }

  get remapped(): ReadonlySet<number> {
    return this.once("remapped", () => new Set(this.remaps.map(({ orig_id }) => orig_id)));
  }

  get ttys(): readonly TtyInfoEntry[] {
    return this.values("tty-info.img", tty_info_entry);
  }

  get seccomp(): SeccompEntry | undefined {
    return this.values("seccomp.img", seccomp_entry)[0];
  }

  pidNamespace(pidNsId: number): PidnsEntry | undefined {
    return this.values(`pidns-${pidNsId}.img`, pidns_entry)[0];
  }

  mounts(mntNsId: number): readonly MntEntry[] {
    return this.values(`mountpoints-${mntNsId}.img`, mnt_entry);
  }

  get pstree(): readonly PstreeEntry[] {
    return this.values("pstree.img", pstree_entry, "required");
  }

  messages(...[tell, wanted = () => true]: Parameters<Checkpoint["messages"]>): void {
    this.images.messages(this.files.keys(), tell, wanted);
  }

  useData<T>(file: string, use: (data: (entry: number) => Bytes) => T): T | undefined {
    const entries = this.images.all(file, "optional");
    const read = this.directory.read(file, (source) =>
      use((entry) => {
        const { offset, length } = entries[entry]!.payload;
        return source.read(offset, length);
      }),
    );
    return read.ok ? read.value : undefined;
  }

  downMarks(file: string, most: number): readonly DownMarks[] {
    const read = this.directory.read(file, (source) => downMarks(source, most));
    return read.ok ? read.value : [];
  }

  get tasks(): readonly Task[] {
    return this.once("tasks", () => this.pstree.map((entry) => new LazyTask(this.images, entry)));
  }

  get root(): Task | undefined {
    return this.tasks[0];
  }

  get openFiles(): ReadonlyMap<number, FileEntry> {
    return this.once("files", () => {
      const files = new Map<number, FileEntry>();
      for (const file of this.values("files.img", file_entry, "required")) {
        // Of an open TUN device a dump writes two entries of one number: the file that it is opened by, and what it is then.
        const reg = file.tunf && files.get(file.id)?.reg;
        files.set(file.id, reg === undefined ? file : { ...file, reg });
      }
      return files;
    });
  }

  holdsEntries(file: string): boolean {
    return this.images.all(file, "optional").length > 0;
  }

  get pagemaps(): ReadonlyMap<string, Pagemap> {
    return this.memory.pagemaps;
  }

  pages(): readonly PagesUse[] {
    return this.memory.pages();
  }

  size(file: string): number | undefined {
    return this.directory.size(file);
  }

  holes(file: string): number {
    return this.directory.holes(file);
  }

  runs(pagemap: string): IteratorObject<StoredRun> {
    return this.memory.runs(pagemap);
  }

  holdsPages(pagemap: string, first: number, end: number): boolean {
    return this.memory.holdsPages(pagemap, first, end);
  }

  contents(pagemap: string, lazy: boolean): Content[] {
    return this.memory.contents(pagemap, lazy);
  }

  get packed(): PackedPages | undefined {
    return this.memory.packed;
  }

  lostPages(lazy: boolean): readonly LostPages[] {
    return this.memory.lostPages(lazy);
  }

  get strange(): readonly StrangeField[] {
    return [...this.images.strange.values()];
  }

  readEverything(): readonly Fault[] {
    return this.once("everything", () => {
      void this.inventory;
      for (const task of this.tasks) {
        for (const thread of task.threads) {
          void thread.core;
          if (this.images.isBeyondCare) return this.faults;
        }
        void [task.ids, task.mm, task.fs, task.fds];
      }
      void this.openFiles;
      for (const { remap_type, remap_id } of this.remaps) {
        if (remap_type === REMAP_GHOST)
          this.values(ghostImage(remap_id), ghost_file_entry, "required");
        if (this.images.isBeyondCare) return this.faults;
      }
      for (const use of this.pages()) {
        if (use.actual !== undefined || use.expected === 0) continue;
        this.images.fault({
          file: use.file,
          offset: undefined,
          kind: "missing",
          problem: `${use.pagemaps.join(", ")} need it, and it is not there`,
          criu_message: `No ${use.file} image`,
        });
      }
      for (const file of this.files) this.images.read(file);
      this.images.forgetAbsent(() => !hasUnreferencedFile(this));
      return this.faults;
    });
  }
}
