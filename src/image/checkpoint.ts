/**
 * A checkpoint as CRIU would read it: typed, and the same objects whenever they are asked for, which are not changed. It
 * never throws for bad images: what cannot be read is absent, and a Fault says why.
 */
import type { Content } from "./contents.ts";
import type { Fault } from "./fault.ts";
import type { TableOf } from "./formats.ts";
import type { MntEntry } from "./mounts.ts";
import type { StrangeField } from "./images.ts";
import type { Pagemap, StoredRun } from "./pagemap.ts";
import type { LostPages } from "./parents.ts";
import type { DownMarks } from "./routes.ts";
import type { Infer, Message } from "./schema.ts";
import type { Task } from "./task.ts";
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

/** A pages image: how many bytes its page maps put there, of how many bytes of memory, and how many it has (undefined: it is not there). */
export interface PagesUse {
  readonly file: string;
  readonly expected: number;
  readonly memory: number;
  readonly actual: number | undefined;
  readonly pagemaps: readonly string[];
}

/** A page map with pages that are compressed: here, or in an older checkpoint, from this one's directory (`parent/parent`). */
export interface PackedPages {
  readonly pagemap: string;
  readonly parent: string | undefined;
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
  useData<T>(file: string, use: (data: (entry: number) => Bytes) => T): T | undefined;
  /**
   * Tell every message of the images with its kind, until it answers false; of those kinds alone that are `wanted`. Where an
   * image has the same bytes as the one before it of its format, its messages are the same objects, and are not told again.
   */
  messages(
    tell: (value: any, of: Message<any>, file: string) => boolean | void,
    wanted?: (of: Message<any>) => boolean,
  ): void;
  /**
   * The entries of an image that need not be there and has no getter of its own: `netns-3.img`, `memfd.img` … Throws where
   * that kind of image has none of the table `of`; a name that the compiler knows does not pass its types then.
   */
  values<File extends string, M extends TableOf<File>>(file: File, of: M): readonly Infer<M>[];
  /** The marks of links that were down on the IPv4 routes of an image (`route-3.img`), so many at most. */
  downMarks(file: string, most: number): readonly DownMarks[];
  /** Bytes of a page, in which page maps count. */
  readonly pageSize: number;
  pages(): readonly PagesUse[];
  /** Bytes of a file in it; undefined where that is no regular file. */
  size(file: string): number | undefined;
  /** Bytes of a pages image that its file system keeps no room for. */
  holes(file: string): number;
  /** Whether an image that CRIU can do without is there and holds something. */
  holdsEntries(file: string): boolean;
  /** Page maps of living tasks and of shared memory, by file. */
  readonly pagemaps: ReadonlyMap<string, Pagemap>;
  /** What a page map holds, in its order, made as it is gone through; nothing when it cannot be read. */
  runs(pagemap: string): IteratorObject<StoredRun>;
  /** Whether a page map has any of the pages from number `first` to `end`, without that. */
  holdsPages(pagemap: string, first: number, end: number): boolean;
  /** Where the content of a page map's pages is, its parents' too, by address; lazy ones are left out when `lazy`. */
  contents(pagemap: string, lazy: boolean): Content[];
  /** The first page map with compressed pages, its parents' too; undefined where there is none. */
  readonly packed: PackedPages | undefined;
  /** Pages of an incremental checkpoint that its parents do not have, one entry a page map. `lazy`: lazy pages are not wanted. */
  lostPages(lazy: boolean): readonly LostPages[];
  /** Fields that CRIU up to the last known one does not write, in what was read so far. */
  readonly strange: readonly StrangeField[];
  /** What could not be read so far. */
  readonly faults: readonly Fault[];
  /** Read every image that CRIU would, so that `faults` is complete. Page data is not read. */
  readEverything(): readonly Fault[];
}
