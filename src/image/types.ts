/** Names for what the images hold. */
import type { cgroup_entry } from "./tables/cgroup.ts";
import type {
  fdinfo_entry,
  file_entry,
  file_lock_entry,
  fs_entry,
  ghost_file_entry,
  reg_file_entry,
  remap_file_path_entry,
  tty_info_entry,
} from "./tables/files.ts";
import type { inventory_entry } from "./tables/inventory.ts";
import type { mm_entry } from "./tables/memory.ts";
import type { pidns_entry } from "./tables/namespaces.ts";
import type {
  core_entry,
  pstree_entry,
  seccomp_entry,
  task_kobj_ids_entry,
} from "./tables/process.ts";
import type { inet_sk_entry, sk_packet_entry, unix_sk_entry } from "./tables/sockets.ts";
import type { Infer } from "./schema.ts";

export type InventoryEntry = Infer<typeof inventory_entry>;
export type PstreeEntry = Infer<typeof pstree_entry>;
export type CoreEntry = Infer<typeof core_entry>;
export type TaskKobjIdsEntry = Infer<typeof task_kobj_ids_entry>;
export type MmEntry = Infer<typeof mm_entry>;
export type FsEntry = Infer<typeof fs_entry>;
export type FdinfoEntry = Infer<typeof fdinfo_entry>;
export type FileEntry = Infer<typeof file_entry>;
export type RemapFilePathEntry = Infer<typeof remap_file_path_entry>;
export type FileLockEntry = Infer<typeof file_lock_entry>;
export type GhostFileEntry = Infer<typeof ghost_file_entry>;
export type SkPacketEntry = Infer<typeof sk_packet_entry>;
export type CgroupEntry = Infer<typeof cgroup_entry>;
export type TtyInfoEntry = Infer<typeof tty_info_entry>;
export type SeccompEntry = Infer<typeof seccomp_entry>;
export type PidnsEntry = Infer<typeof pidns_entry>;
export type RegFileEntry = Infer<typeof reg_file_entry>;
export type UnixSkEntry = Infer<typeof unix_sk_entry>;
export type InetSkEntry = Infer<typeof inet_sk_entry>;
