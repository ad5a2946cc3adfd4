/** A checkpoint on disk. */
export {
  type CgroupEntry,
  type Checkpoint,
  type CoreEntry,
  type FdinfoEntry,
  type FileEntry,
  type FileLockEntry,
  type FsEntry,
  type GhostFileEntry,
  type InventoryEntry,
  type MmEntry,
  openCheckpoint,
  type PagesUse,
  type PstreeEntry,
  type RemapFilePathEntry,
  type Task,
  type TaskKobjIdsEntry,
  type Thread,
  type TtyInfoEntry,
} from "./checkpoint.ts";
export { openImageDirectory } from "./directory.ts";
export { editedImage, type FieldEdit } from "./edit.ts";
export type { Fault } from "./fault.ts";
export { findMount, type FoundMount, type MntEntry, mountpointOf } from "./mounts.ts";
export {
  LOWEST_PRIORITY,
  type SavedScheduling,
  savedScheduling,
  wantedScheduling,
} from "./sched.ts";
export { PE_LAZY, PE_PRESENT, type Run } from "./pagemap.ts";
export type { LostPages } from "./parents.ts";
import type { reg_file_entry } from "./tables/files.ts";
import type { Infer } from "./schema.ts";
import type { inet_sk_entry, unix_sk_entry } from "./tables/sockets.ts";

export type { Infer } from "./schema.ts";
export type RegFileEntry = Infer<typeof reg_file_entry>;
export type UnixSkEntry = Infer<typeof unix_sk_entry>;
export type InetSkEntry = Infer<typeof inet_sk_entry>;
