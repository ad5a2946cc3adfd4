/** An open file as it is compared: once, by the first descriptor that is met of it. */
import { fstatSync } from "node:fs";
import type { ProcessFiles } from "../../host/process-files.ts";
import type { FileEntry } from "../../image/index.ts";
import { borrow } from "../../sys/descriptors.ts";
import { type Comparison, type DifferenceClass, ownUsers, type Subject } from "../facet.ts";

/** What a file entry can hold, one of them each. */
export type Kind = Exclude<keyof FileEntry, "type" | "id">;
export type Saved<K extends Kind> = NonNullable<FileEntry[K]>;

/** Compares what was saved of a kind; a reason instead of it says why that is not possible. */
export type Compare<K extends Kind> = (saved: Saved<K>, file: OpenFile) => void;

/** What was met before: a file, the ends of a pipe. */
export class Seen {
  private readonly places = new Map<string, string | undefined>();

  /** Whether it is the first time; it is not again. */
  first(what: string): boolean {
    const before = this.places.has(what);
    if (!before) this.places.set(what, undefined);
    return !before;
  }

  /** Where it was when it was first met; here, when that is now. */
  met(what: string, here: string | undefined): string | undefined {
    if (!this.places.has(what)) this.places.set(what, here);
    return this.places.get(what);
  }
}

/** A field of a file of /proc/PID/fdinfo, `name:	value`; undefined where there is none. */
export const fieldOf = (fdinfo: string, name: string): string | undefined =>
  new RegExp(`^${name}:\\s*(.*?)\\s*$`, "m").exec(fdinfo)?.[1];

export class OpenFile {
  private text: string | undefined;

  constructor(
    readonly subject: Subject,
    private readonly comparison: Comparison,
    readonly seen: Seen,
    /** The task by its pid in the images, and its pid on this machine. */
    readonly task: number,
    readonly pid: number,
    readonly fd: number,
    readonly proc: ProcessFiles,
  ) {}

  /** /proc/PID/fdinfo/FD (proc_pid_fdinfo(5)); "" when it cannot be read. Read when it is first asked for. */
  get fdinfo(): string {
    return (this.text ??= this.proc.read(`fdinfo/${this.fd}`) ?? "");
  }

  /** A field of it; undefined where this kernel shows none. */
  field(name: string): string | undefined {
    return fieldOf(this.fdinfo, name);
  }

  same(
    what: string,
    expected: string | number | bigint,
    found: string | number | bigint | undefined,
    unequal?: DifferenceClass,
  ): void {
    const now = found === undefined ? undefined : String(found);
    const name = `${what} of descriptor ${this.fd}`;
    this.comparison.same(this.task, name, String(expected), now, unequal);
  }

  leftOut(reason: string): void {
    this.comparison.leftOut(reason);
  }

  /** Its owner: user, or user and group, as far as they were saved. CRIU before 4.3 leaves it root's; then recriu sets it, at the gate. */
  sameOwner(what: string, saved: { uid?: number | undefined; gid?: number | undefined }): void {
    if (saved.uid === undefined) return;
    if (!ownUsers(this.subject.checkpoint)) return this.leftOut("ids in another user namespace");
    this.through((copy) => {
      const { uid, gid } = fstatSync(copy);
      const show = (user: number, group: number) =>
        saved.gid === undefined ? `${user}` : `${user}:${group}`;
      const late = this.subject.early ? "tolerated" : undefined;
      this.same(`owner of the ${what}`, show(saved.uid!, saved.gid!), show(uid, gid), late);
    });
  }

  /** Look at it through a copy; without one the values are left out. */
  through(use: (copy: number) => void): void {
    const done = borrow(this.pid, this.fd, (copy) => (use(copy), true));
    if (done === undefined) this.leftOut("the kernel hands out no copy (pidfd_getfd)");
  }
}

export const hex = (value: number | bigint): string => `0x${value.toString(16)}`;
