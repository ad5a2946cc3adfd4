/** A checkpoint on disk. */
export type { Checkpoint } from "./checkpoint.ts";
export { BESIDE, besideOf, FILES, PACKED, packedPiece, PIECE, piecesOf } from "./beside.ts";
export { openImageDirectory } from "./directory.ts";
export { type MappedPath, pathEdits, sealWithPaths, withPaths } from "./mapped-paths.ts";
export { asText, editedImage, type FieldEdit } from "./edit.ts";
export type { Fault } from "./fault.ts";
export {
  FL_FLOCK,
  FL_LEASE,
  FL_OFD,
  FL_POSIX,
  LEASE_BREAKING,
  locksLost,
  VMA_FILE,
} from "./locks.ts";
export {
  type Hashing,
  imagesIn,
  type Above,
  type Gpu,
  isPages,
  LEFT_OUT,
  leftOutIn,
  type Machine,
  type Manifest,
  MANIFEST,
  manifestOf,
  type NeededFile,
  type Seal,
  sealOf,
  type Signed,
  signatureOf,
  smallFile,
  type Sum,
  sumOf,
  sumsOf,
  type Taken,
  unlookedSeal,
} from "./manifest.ts";
export { parseManifest } from "./manifest-text.ts";
export {
  findMount,
  type FoundMount,
  hasMount,
  type MntEntry,
  mountpointOf,
  seesAllMounts,
} from "./mounts.ts";
export {
  LOWEST_PRIORITY,
  type SavedScheduling,
  savedScheduling,
  wantedScheduling,
} from "./sched.ts";
export { PE_LAZY, PE_PARENT, PE_PRESENT, type Run } from "./pagemap.ts";
export type { Content } from "./contents.ts";
export { dedupOf, punch } from "./dedup.ts";
export { oncePer, remembering } from "./once.ts";
export { type FileKind, filesWith } from "./files-with.ts";
export { openCheckpoint } from "./open.ts";
export { registersOf } from "./registers.ts";
export type { LostPages } from "./parents.ts";
export { type Task, type Thread, wasAdopted } from "./task.ts";
export { hasExpired, type TimerfdEntry } from "./timerfd.ts";
export type {
  CgroupEntry,
  CoreEntry,
  FileEntry,
  FileLockEntry,
  GhostFileEntry,
  InetSkEntry,
  MmEntry,
  PstreeEntry,
  RegFileEntry,
  RemapFilePathEntry,
  SkPacketEntry,
  TaskKobjIdsEntry,
  TtyInfoEntry,
  UnixSkEntry,
} from "./types.ts";
export type { Infer, Message } from "./schema.ts";
