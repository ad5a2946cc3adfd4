/** Directories of two users and of root's, for what a user of the machine puts on the way of a repair. */
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export const ALICE = 1000;
export const BOB = 1001;

/** All of it is in `base`: `home` is hers, `victim` root's. Before each test (`plant`) they are others. */
export let base: string;
export let home: string;
export let victim: string;

export function plant(): void {
  base = realpathSync(mkdtempSync(join(tmpdir(), "recriu-planted-")));
  chmodSync(base, 0o755);
  home = join(base, "alice");
  victim = join(base, "victim");
  dir("alice", ALICE);
  dir("victim", 0);
}

export const uproot = (): void => rmSync(base, { recursive: true, force: true });

export function dir(path: string, uid: number, mode = 0o755, gid = uid): void {
  mkdirSync(join(base, path), { recursive: true });
  chownSync(join(base, path), uid, gid);
  chmodSync(join(base, path), mode);
}

export function link(target: string, path: string, uid: number): void {
  symlinkSync(target, join(base, path));
  lchownSync(join(base, path), uid, uid);
}
