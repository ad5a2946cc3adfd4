/** A directory tree of this machine in which a checkpoint's paths are looked up, and out of which none can lead. */
import { closeSync, constants, readdirSync, type Stats } from "node:fs";
import { ENOENT, ENOTDIR, errorText } from "../sys/errno.ts";
import { connectDatagram } from "../sys/sockets.ts";
import { handleInRoot, openDirectory, openInRoot, statInRoot } from "../sys/files.ts";
import { access } from "../sys/stat.ts";
import { fromBytes } from "../sys/text.ts";
import { readBuildId } from "./elf.ts";

/** What a path is: its stat, or why it could not be looked up. `missing` = the path or a directory before it is not there. */
export type Lookup = { ok: true; stat: Stats } | { ok: false; missing: boolean; problem: string };

export class Root {
  /** Many descriptors and many checks ask for the same few files. */
  private readonly looked = new Map<string, Lookup>();
  private readonly builds = new Map<string, Uint8Array | undefined>();

  constructor(
    /** The host path this root stands at. */
    readonly path: string,
    private readonly fd: number,
  ) {}

  /** What `path` is, links followed inside this root; `follow` false: the link itself at its end. Looked up once. */
  look(path: string, follow = true): Lookup {
    const key = follow ? path : `\0${path}`;
    let found = this.looked.get(key);
    if (found === undefined) this.looked.set(key, (found = this.lookNow(path, follow)));
    return found;
  }

  private lookNow(path: string, follow: boolean): Lookup {
    const stat = statInRoot(this.fd, path, follow);
    if (typeof stat !== "number") return { ok: true, stat };
    return { ok: false, missing: stat === -ENOENT || stat === -ENOTDIR, problem: errorText(stat) };
  }

  /** Open for reading without waiting (a FIFO must not stop us): descriptor or -errno. */
  open(path: string): number {
    return openInRoot(this.fd, path, constants.O_RDONLY | constants.O_NONBLOCK);
  }

  /** A directory's descriptor for changes below it: descriptor or -errno. */
  openDirectory(path: string): number {
    return openInRoot(this.fd, path, constants.O_RDONLY | constants.O_DIRECTORY);
  }

  /** Whether this process may use `path` in a way: access(2) with R_OK, W_OK, X_OK of node:fs. 0 or -errno. */
  access(path: string, mode: number): number {
    return this.with(path, (handle) => access(`/proc/self/fd/${handle}`, mode));
  }

  /** Whether a datagram socket could be connected to the socket at `path` now: 0 or -errno. Nobody is told of it. */
  connect(path: string): number {
    return this.with(path, connectDatagram);
  }

  /** The build-id of the program or library at `path`; undefined when it has none. Read once. */
  buildId(path: string): Uint8Array | undefined {
    if (!this.builds.has(path)) {
      const fd = this.open(path);
      this.builds.set(path, fd < 0 ? undefined : readBuildId(fd));
    }
    return this.builds.get(path);
  }

  private with(path: string, use: (handle: number) => number): number {
    const handle = handleInRoot(this.fd, path);
    if (handle < 0) return handle;
    try {
      return use(handle);
    } finally {
      closeSync(handle);
    }
  }

  /** Names in a directory; none when it cannot be read. */
  list(path: string): string[] {
    const fd = handleInRoot(this.fd, path);
    if (fd < 0) return [];
    try {
      return readdirSync(`/proc/self/fd/${fd}`, { encoding: "buffer" }).map(fromBytes);
    } catch {
      return [];
    } finally {
      closeSync(fd);
    }
  }
}

/** The root at `path`, or why it cannot be one. */
export function openRoot(path: string): { ok: true; root: Root } | { ok: false; problem: string } {
  const fd = openDirectory(path);
  return fd < 0 ? { ok: false, problem: errorText(fd) } : { ok: true, root: new Root(path, fd) };
}
