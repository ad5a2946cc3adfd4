/**
 * What /proc/PID says of one process (proc(5)). The directory is kept open: so all that is read is of this process and
 * of none that gets its number later, and the way to it is walked once.
 */
import { openEntry } from "../sys/files.ts";
import { AT_FDCWD, O_PATH } from "../sys/linux.ts";
import { closeHandle, handleOn, linkAt, namesAt, readAt } from "../sys/small-files.ts";
import { walk } from "../sys/walk.ts";

export class ProcessFiles {
  private handle: number;
  private readonly before: string;

  constructor(readonly pid: number) {
    this.handle = handleOn(`/proc/${pid}`);
    // Where no more files can be opened, the whole way each time.
    this.before = this.handle < 0 ? `/proc/${pid}/` : "";
  }

  /** A file: `status`, `task/12/comm`, `fdinfo/3`; undefined when it, or the process, is not there. */
  read(name: string): string | undefined {
    return readAt(this.directory, this.before + name);
  }

  /** Where a link points (`exe`, `cwd`, `root`, `fd/3`, `ns/mnt`); undefined when gone or not allowed. */
  link(name: string): string | undefined {
    return linkAt(this.directory, this.before + name);
  }

  /**
   * Where `path` leads in the process's root, as `link` shows it, through links that no other user has made; undefined:
   * nowhere, or not to be seen.
   */
  leads(path: string): string | undefined {
    const root = handleOn(`/proc/${this.pid}/root`);
    if (root < 0) return undefined;
    const way = walk(root, path, { named: true, file: true });
    closeHandle(root);
    if (!way.ok) return undefined;
    const found = way.missing.length === 0 ? way.fd : openEntry(way.fd, way.missing[0]!, O_PATH);
    const name = found < 0 ? undefined : linkAt(AT_FDCWD, `/proc/self/fd/${found}`);
    for (const fd of new Set([way.fd, found])) if (fd >= 0) closeHandle(fd);
    return way.missing.length > 1 ? undefined : name;
  }

  /** The numbers of its descriptors; undefined when it is gone or they are not shown. */
  descriptors(): number[] | undefined {
    return namesAt(this.directory, `${this.before}fd`)?.map(Number);
  }

  close(): void {
    if (this.handle >= 0) closeHandle(this.handle);
    this.handle = -1;
  }

  private get directory(): number {
    return this.handle < 0 ? AT_FDCWD : this.handle;
  }
}
