/** A directory tree of this machine in which a checkpoint's paths are looked up, and out of which none can lead. */
import { AT_FDCWD, MOST_LINKS } from "../sys/linux.ts";
import { closeSync, constants, type Stats, statfsSync } from "node:fs";
import { join } from "../sys/path.ts";
import { ENOENT, ENOTDIR, errorText } from "../sys/errno.ts";
import { connectDatagram } from "../sys/sockets.ts";
import { handleInRoot, openDirectory, openInRoot, statInRoot } from "../sys/files.ts";
import { type Regular, readRegular } from "../sys/regular.ts";
import { linkAt, namesAt } from "../sys/small-files.ts";
import { sha256Of } from "../sys/sha256.ts";
import { access } from "../sys/stat.ts";
import { readBuildId } from "./elf.ts";

/** What a path is: its stat, or why it could not be looked up. `missing` = the path or a directory before it is not there. */
export type Lookup = { ok: true; stat: Stats } | { ok: false; missing: boolean; problem: string };

/** File systems that are the kernel's own and no storage, by the numbers of statfs(2). */
const ofKernel: Readonly<Record<number, string>> = {
  0x9fa0: "proc",
  0x62656572: "sysfs",
  0x64626720: "debugfs",
  0x74726163: "tracefs",
  0x73636673: "securityfs",
  0x27e0eb: "cgroup",
  0x63677270: "cgroup2",
  0x62656570: "configfs",
  0xde5e81e4: "efivarfs",
  0xcafe4a11: "bpf",
  0x6165676c: "pstore",
  0x42494e4d: "binfmt_misc",
};

/** Images can name any number of paths: of more than these each is looked up anew. */
const MOST = 10_000;

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
    if (found === undefined) {
      if (this.looked.size >= MOST) this.looked.clear();
      this.looked.set(key, (found = this.lookNow(path, follow)));
    }
    return found;
  }

  private lookNow(path: string, follow: boolean): Lookup {
    const stat = statInRoot(this.fd, path, follow);
    if (typeof stat !== "number") return { ok: true, stat };
    return { ok: false, missing: stat === -ENOENT || stat === -ENOTDIR, problem: errorText(stat) };
  }

  /** Open the regular file at `path` for reading, for the caller to close; nothing else is opened. */
  open(path: string): Regular {
    const place = handleInRoot(this.fd, path);
    return place < 0 ? { ok: false, errno: place, problem: errorText(place) } : readRegular(place);
  }

  /** A directory's descriptor for changes below it: descriptor or -errno. */
  openDirectory(path: string): number {
    return openInRoot(this.fd, path, constants.O_RDONLY | constants.O_DIRECTORY);
  }

  /** Whether this process may use `path` in a way: as `Host.access`. */
  access(path: string, mode: number): number {
    return this.with(path, (handle) => access(`/proc/self/fd/${handle}`, mode));
  }

  /** Whether a datagram socket could be connected to the socket at `path` now: 0 or -errno. The other side does not notice. */
  connect(path: string): number {
    return this.with(path, connectDatagram);
  }

  /** The build-id of the program or library at `path`; undefined when it has none. Read once. */
  buildId(path: string): Uint8Array | undefined {
    if (!this.builds.has(path)) {
      const opened = this.open(path);
      this.builds.set(path, opened.ok ? readBuildId(opened.fd) : undefined);
    }
    return this.builds.get(path);
  }

  /** The sha256 of the regular file at `path`; undefined where it cannot be read to its end. */
  sha256(path: string): string | undefined {
    const opened = this.open(path);
    if (!opened.ok) return undefined;
    try {
      return sha256Of(opened.fd, opened.stat.size);
    } catch {
      return undefined;
    } finally {
      closeSync(opened.fd);
    }
  }

  /**
   * Where `path` leads, links followed (`follow` false: but the one at its end), as a path of this machine; what of it is
   * not there yet stands at its end. Undefined where that cannot be told: a link of /proc, too many links, no permission.
   */
  real(path: string, follow = true, links = 0): string | undefined {
    const handle = handleInRoot(this.fd, path, follow);
    if (handle >= 0) {
      try {
        return linkAt(AT_FDCWD, `/proc/self/fd/${handle}`);
      } finally {
        closeSync(handle);
      }
    }
    // Not joined: `..` behind a link is another directory than the text says.
    const [, parent, name] = /^(.*?)\/+([^/]+)\/*$/s.exec(path) ?? [];
    if (handle !== -ENOENT || name === undefined || name === ".." || links > MOST_LINKS)
      return undefined;
    const target = follow ? this.target(path) : undefined;
    if (target !== undefined)
      return this.real(target.startsWith("/") ? target : `${parent}/${target}`, true, links + 1);
    const above = this.real(parent === "" ? "/" : parent!, true, links);
    return above === undefined ? undefined : join(above, name);
  }

  /** What the link at the end of `path` holds; undefined when there is no link. */
  private target(path: string): string | undefined {
    const handle = handleInRoot(this.fd, path, false);
    if (handle < 0) return undefined;
    const target = linkAt(handle, "");
    closeSync(handle);
    return target === "" ? undefined : target;
  }

  /** The kernel's own file system (proc, sysfs …) that `path` is in; undefined for others, and where that cannot be told. */
  kernelFs(path: string): string | undefined {
    const handle = handleInRoot(this.fd, path);
    if (handle < 0) return undefined;
    try {
      return ofKernel[statfsSync(`/proc/self/fd/${handle}`).type >>> 0];
    } catch {
      return undefined;
    } finally {
      closeSync(handle);
    }
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

  /** Whether `path` is a directory with nothing in it; false where that cannot be told. */
  isEmpty(path: string): boolean {
    return this.with(path, (handle) => namesAt(handle, ".")?.length ?? -1) === 0;
  }

  /** Names in a directory; none when it cannot be read. */
  list(path: string): string[] {
    let names: string[] = [];
    this.with(path, (handle) => {
      names = namesAt(AT_FDCWD, `/proc/self/fd/${handle}`) ?? [];
      return 0;
    });
    return names;
  }
}

/** The root at `path`, or why it cannot be one. */
export function openRoot(path: string): { ok: true; root: Root } | { ok: false; problem: string } {
  const fd = openDirectory(path);
  return fd < 0 ? { ok: false, problem: errorText(fd) } : { ok: true, root: new Root(path, fd) };
}
