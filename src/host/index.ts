/** Facts of this machine, each read once and on demand. Checks take a Host, so tests can hand them another. */
import type { Stats } from "node:fs";
import { access, F_OK } from "../sys/stat.ts";
import { changeable } from "../sys/trust.ts";
import { type Attributes, ownAttributes } from "../sys/attributes.ts";
import { breakpointsWork } from "../sys/breakpoints.ts";
import type { CgroupMount } from "./cgroups.ts";
import { listCgroupMounts, listControllers } from "./hierarchies.ts";
import { descriptorLimit, descriptorMost } from "./limits.ts";
import { linesOf } from "./lines.ts";
import { bytesOf, entryAt, librariesAt, plantedAt, identityOf } from "./paths.ts";
import {
  effectiveCapabilities,
  familyOf,
  isEnding,
  listProcesses,
  readStat,
  type Stat,
} from "./processes.ts";
import { bindAddress } from "../sys/sockets.ts";
import { isBridge, listAddresses, listInterfaces } from "./interfaces.ts";
import { listLocksWithHolders } from "./lock-holders.ts";
import type { HeldLock } from "./locks.ts";
import { listOwners, type Owner, reuse } from "./owners.ts";
import { findPackage, type Package } from "./packages.ts";
import { findProgram } from "./programs.ts";
import { type NumberHolder, numbersIn } from "./pid-namespace.ts";
import { openRoot, type Root } from "./root.ts";
import { type BoundFile, type InetSocket, listBoundFiles, listInetSockets } from "./sock-diag.ts";
import { listUnixSockets, type UnixSocket } from "./sockets.ts";
import { terminalOf, type Terminal } from "./terminal.ts";
import { front, started } from "../sys/front.ts";
import { ESRCH } from "../sys/errno.ts";
import { getLimit, getSecurebits, kill, PID_MAX_LIMIT } from "../sys/process.ts";
import { inNetwork, within } from "../sys/network.ts";
import { AT_FDCWD } from "../sys/linux.ts";
import { readAt } from "../sys/small-files.ts";
import { absolute } from "../sys/working-directory.ts";

export type { Package } from "./packages.ts";
export type { Stat } from "./processes.ts";
export { type Lookup, Root } from "./root.ts";
export type { InetSocket } from "./sock-diag.ts";

export interface Host {
  readonly effectiveUid: number;
  readonly capabilities: bigint;
  /** Of this process, which CRIU inherits: capabilities(7). */
  readonly securebits: number;
  /** Kernel release, uname(2). */
  readonly kernel: string;
  /** x64, arm64 … as Node names it. */
  readonly architecture: string;
  /** This process, and the one that it works for. */
  readonly recriu: ReadonlySet<number>;
  /** Those that would be there without recriu, and recriu itself where it stays while CRIU restores. */
  readonly processes: readonly Stat[];
  /** recriu's processes that are none of them. */
  readonly recriuPids: ReadonlySet<number>;
  /** Whether a process has ended or is on its way to its end: as it is now, not as it was listed. */
  ending(pid: number): boolean;
  /** What holds numbers in the pid namespace at `path`: none also where nothing is there. */
  numbersIn(path: string): ReadonlyMap<number, NumberHolder>;
  /** This process; CRIU will be in the same session and process group. */
  readonly self: Stat | undefined;
  /** This process is the init of its pid namespace: all in that is killed when it ends, pid_namespaces(7). */
  readonly isInit: boolean;
  /** Standard input, which CRIU inherits. */
  readonly stdin: Terminal;
  readonly unixSockets: readonly UnixSocket[];
  /** Unix sockets by their files; undefined when this kernel cannot tell. */
  readonly boundFiles: readonly BoundFile[] | undefined;
  /** Index by name; undefined when this namespace's cannot be read. */
  readonly interfaces: ReadonlyMap<string, number> | undefined;
  /** Those of the devices that are up, of 4 or 16 bytes. */
  readonly addresses: readonly Uint8Array[];
  /** Whether there is a bridge of that name. */
  isBridge(name: string): boolean;
  readonly locks: readonly HeldLock[];
  /** Sockets of an IP protocol, 6 for TCP. */
  inetSockets(protocol: number): readonly InetSocket[];
  /** The process that holds the socket with this inode number. */
  ownerOf(inode: number): Owner | undefined;
  /** What the owner of a socket lets others share; undefined when it cannot be asked. */
  reuseOf(owner: Owner | undefined): { address: boolean; port: boolean } | undefined;
  /** Whether a socket can be bound to an address (4 or 16 bytes) here: 0 or -errno. */
  bindAddress(address: Uint8Array): number;
  readonly cgroupMounts: readonly CgroupMount[];
  readonly controllers: ReadonlyMap<string, { hierarchy: number; enabled: boolean }>;
  /** A small file of /proc or /sys, or of a cgroup; undefined when it is not there. */
  read(path: string): string | undefined;
  /** The same in another network namespace, which stands at `network`; undefined also where that cannot be entered. */
  readInNetwork(network: string, path: string): string | undefined;
  exists(path: string): boolean;
  /** Whether a process or a thread has this number. */
  isNumberOfTask(number: number): boolean;
  /** A resource limit of this process, which CRIU inherits: prlimit(2). */
  limit(resource: number): { soft: bigint; hard: bigint } | undefined;
  /** The package of this machine that a file belongs to, or did when it was there; undefined where none is known. */
  packageOf(path: string): Package | undefined;
  /** Where execvp(3) finds a program: undefined when nowhere, the bare name when only CRIU will know. */
  program(name: string): string | undefined;
  /** A variable of the environment, which CRIU inherits. */
  variable(name: string): string | undefined;
  /** What this process hands down beside what /proc shows. */
  readonly attributes: Attributes;
  /** Whether hardware breakpoints are met; undefined where it cannot be told. */
  readonly breakpoints: boolean | undefined;
  /** What stands at a path itself, links not followed; undefined when nothing does. */
  entry(path: string): Stats | undefined;
  /** What a user has put in the place of a file that is to be written, in words; undefined when nothing. */
  planted(path: string): string | undefined;
  /** The same for two paths that lead to the same file, directory or namespace; undefined when it leads nowhere. */
  identity(path: string): string | undefined;
  /**
   * Whether this process may use what is there, by its effective ids, as CRIU will: eaccess(3), not access(2). 0 or -errno;
   * `mode` as constants.R_OK, W_OK, X_OK.
   */
  access(path: string, mode: number): number;
  /** How others than root and this process's user could change what is there: sys/trust.ts. */
  changeable(path: string): string | undefined;
  /** At most `length` bytes of a file from `offset`; undefined when it cannot be read. */
  bytes(path: string, offset: number, length: number): Uint8Array | undefined;
  /** Names of the libraries that a program asks for; none when it cannot be read. */
  libraries(path: string): readonly string[];
  /** The lines of a file of any size; none when it cannot be read. */
  lines(path: string): Iterable<string>;
  /** An absolute path to where `path` leads from the working directory. */
  absolute(path: string): string;
  /** The soft RLIMIT_NOFILE that CRIU inherits. */
  readonly descriptorLimit: number;
  /** The hard one. */
  readonly descriptorMost: number;
  root(path: string): { ok: true; root: Root } | { ok: false; problem: string };
}

/** A value computed when first asked for. */
function once<T>(compute: () => T): () => T {
  let value: { is: T } | undefined;
  return () => (value ??= { is: compute() }).is;
}

/** What CRIU inherits is that of the process that was started: this one may be in other cgroups. */
const ofStarted = (path: string): string =>
  front !== undefined && path.startsWith("/proc/self/")
    ? `/proc/${started}/${path.slice("/proc/self/".length)}`
    : path;

/** Images can ask for any number of files: of more than these each is read anew. */
const MOST_TEXTS = 10_000;

/**
 * This machine; `stays`: recriu itself is there while CRIU restores. `network`: where the network namespace stands that its sockets,
 * devices and settings are to be seen of; it was entered before.
 */
export function thisHost(stays = true, network?: string): Host {
  const there = <T>(look: () => T): T => within(network, look);
  const listed = once(listProcesses);
  const own = once(() => {
    const family = familyOf(process.pid, listed());
    if (stays) family.delete(process.pid);
    return family;
  });
  const processes = once(() => listed().filter(({ pid }) => !own().has(pid)));
  const unixSockets = once(() => there(listUnixSockets));
  // The files are everybody's.
  const boundFiles = once(() => {
    const [here, others] = [listBoundFiles(), network === undefined ? [] : there(listBoundFiles)];
    return here && others && [...here, ...others];
  });
  const interfaces = once(() => there(listInterfaces));
  const addresses = once(() => there(listAddresses));
  const locks = once(listLocksWithHolders);
  const owners = once(() => listOwners(processes()));
  const inet = new Map<number, readonly InetSocket[]>();
  const cgroupMounts = once(listCgroupMounts);
  const controllers = once(listControllers);
  const self = once(() => readStat("self"));
  const capabilities = once(effectiveCapabilities);
  const roots = new Map<string, ReturnType<typeof openRoot>>();
  const texts = new Map<string, string | undefined>();
  const read = (path: string): string | undefined => {
    if (!texts.has(path)) {
      if (texts.size >= MOST_TEXTS) texts.clear();
      const shown = ofStarted(path);
      const plainly = () => readAt(AT_FDCWD, path);
      // Of a process that has ended nothing is there to read.
      const look = () => (shown === path ? plainly() : readAt(AT_FDCWD, shown) || plainly());
      texts.set(path, path.startsWith("/proc/sys/net/") ? there(look) : look());
    }
    return texts.get(path);
  };
  return {
    effectiveUid: process.geteuid?.() ?? 0,
    architecture: process.arch,
    recriu: new Set([process.pid, started]),
    ending(pid) {
      const stat = readStat(pid);
      return stat === undefined || isEnding(stat);
    },
    get capabilities() {
      return capabilities();
    },
    get securebits() {
      return getSecurebits();
    },
    get kernel() {
      return read("/proc/sys/kernel/osrelease")?.trim() ?? "unknown";
    },
    get processes() {
      return processes();
    },
    get recriuPids() {
      return own();
    },
    numbersIn: (path) => numbersIn(path, processes()),
    get self() {
      return self();
    },
    isInit: started === 1,
    get stdin() {
      return terminalOf(0);
    },
    get unixSockets() {
      return unixSockets();
    },
    get boundFiles() {
      return boundFiles();
    },
    get interfaces() {
      return interfaces();
    },
    get addresses() {
      return addresses();
    },
    isBridge: (name) => there(() => isBridge(name)),
    get locks() {
      return locks();
    },
    inetSockets(protocol) {
      let found = inet.get(protocol);
      if (found === undefined) inet.set(protocol, (found = there(() => listInetSockets(protocol))));
      return found;
    },
    ownerOf: (inode) => owners().get(inode),
    reuseOf: reuse,
    bindAddress: (address) => there(() => bindAddress(address)),
    get cgroupMounts() {
      return cgroupMounts();
    },
    get controllers() {
      return controllers();
    },
    read,
    readInNetwork: (other, path) => inNetwork(other, () => readAt(AT_FDCWD, path)),
    exists: (path) => access(path, F_OK) === 0,
    isNumberOfTask: (number) => number > 0 && number <= PID_MAX_LIMIT && kill(number, 0) !== -ESRCH,
    limit(resource) {
      const limit = getLimit(0, resource);
      return typeof limit === "number" ? undefined : limit;
    },
    packageOf: findPackage,
    program: findProgram,
    variable: (name) => process.env[name],
    get attributes() {
      return ownAttributes();
    },
    get breakpoints() {
      return breakpointsWork();
    },
    entry: entryAt,
    planted: plantedAt,
    identity: identityOf,
    access,
    changeable,
    bytes: bytesOf,
    libraries: librariesAt,
    lines: linesOf,
    absolute,
    get descriptorLimit() {
      return descriptorLimit();
    },
    get descriptorMost() {
      return descriptorMost();
    },
    root(path) {
      let found = roots.get(path);
      if (found === undefined) roots.set(path, (found = openRoot(path)));
      return found;
    },
  };
}
