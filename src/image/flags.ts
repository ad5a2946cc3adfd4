/** Flags and kinds that stand in images as numbers (criu/include/image.h, images/*.proto), under CRIU's names or the ends of them. */

// VMA_AREA_… and VMA_…: status of vma_entry.
export const REGULAR = 1 << 0;
export const VSYSCALL = 1 << 2;
export const VDSO = 1 << 3;
export const FILE_PRIVATE = 1 << 6;
export const VMA_FILE_SHARED = 1 << 7;
export const ANON_SHARED = 1 << 8;
export const ANON_PRIVATE = 1 << 9;
export const SYSVIPC = 1 << 10;
export const VVAR = 1 << 12;
export const AIORING = 1 << 13;
export const MEMFD = 1 << 14;
export const GUARD = 1 << 16;
export const UPROBES = 1 << 17;

/** uflags of unix_sk_entry: its other end is outside of the tree. */
export const USK_EXTERN = 1 << 0;

// remap_type of remap_file_path_entry.
export const LINKED = 0;
export const GHOST = 1;
