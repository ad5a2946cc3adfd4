/** What is done inside new namespaces before CRIU is started: system calls, in order, each with what it is for. */
import type { IsolationKind } from "../criu/index.ts";
import {
  CLONE_NEWIPC,
  CLONE_NEWNET,
  CLONE_NEWNS,
  CLONE_NEWPID,
  CLONE_NEWUTS,
  FD_CLOEXEC,
} from "../sys/linux.ts";
import type { Step } from "../sys/init-program.ts";

const x64 = process.arch === "x64";
export const SYS = {
  write: x64 ? 1 : 64,
  close: x64 ? 3 : 57,
  fcntl: x64 ? 72 : 25,
  setsid: x64 ? 112 : 157,
  prctl: x64 ? 157 : 167,
  mount: x64 ? 165 : 40,
  umount2: x64 ? 166 : 39,
  mkdirat: x64 ? 258 : 34,
  mknodat: x64 ? 259 : 33,
  fchownat: x64 ? 260 : 54,
  fchmodat: x64 ? 268 : 53,
  setns: x64 ? 308 : 268,
} as const;

/** Of mounts by descriptor: these have one number on all machines. */
export const MOUNT_FD = { open_tree: 428, move_mount: 429, openat2: 437 } as const;

/** MS_… of mount(2). */
export const MS = {
  RDONLY: 1,
  NOSUID: 2,
  NODEV: 4,
  NOEXEC: 8,
  REMOUNT: 0x20,
  BIND: 0x1000,
  REC: 0x4000,
  SLAVE: 0x80000,
} as const;

const F_SETFD = 2;
const PR_SET_NAME = 15;

/** The name of the init's program, by which it is known again. */
export const INIT = "recriu-init";

export interface Preparation {
  readonly what: string;
  readonly step: Step;
}

/** clone(2); a terminal's names are those of a mount. */
const CLONE: Record<IsolationKind, number> = {
  pid: CLONE_NEWPID,
  mount: CLONE_NEWNS,
  pty: 0,
  net: CLONE_NEWNET,
  ipc: CLONE_NEWIPC,
  uts: CLONE_NEWUTS,
};

/** CLONE_NEW… of these kinds. */
export const flagsOf = (kinds: readonly IsolationKind[]): number =>
  kinds.reduce((sum, kind) => sum | CLONE[kind], 0);

/**
 * In the namespaces of these kinds. `own` are the init's own descriptors; `network` is that of one to enter; `lastPid` is told to
 * the kernel by way of one; `directories` are made before there is another /proc.
 */
export function preparations(
  kinds: readonly IsolationKind[],
  own: readonly number[],
  network: number | undefined,
  lastPid: { readonly fd: number; readonly value: number } | undefined,
  directories: readonly Preparation[],
): Preparation[] {
  const mount = (type: string, at: string, flags: number, options: string | 0): Preparation => ({
    what: `${type} cannot be mounted at ${at}`,
    step: [SYS.mount, type, at, type, flags, options],
  });
  const value = Buffer.from(String(lastPid?.value));
  return [
    ...own.map((fd) => ({
      what: `descriptor ${fd} cannot be closed for CRIU`,
      step: [SYS.fcntl, fd, F_SETFD, FD_CLOEXEC] as const,
    })),
    ...(network === undefined
      ? []
      : [
          {
            what: "the network cannot be entered",
            step: [SYS.setns, network, CLONE_NEWNET] as const,
          },
        ]),
    { what: "no session can be made", step: [SYS.setsid] },
    { what: "the init cannot be named", step: [SYS.prctl, PR_SET_NAME, INIT] },
    // What is mounted on the machine later, or unmounted, is so inside, too; what is mounted inside stays there.
    {
      what: "mounts inside cannot be kept apart",
      step: [SYS.mount, "none", "/", "none", MS.REC | MS.SLAVE, 0],
    },
    ...directories,
    mount("proc", "/proc", MS.NOSUID | MS.NODEV | MS.NOEXEC, 0),
    ...(kinds.includes("pty")
      ? [mount("devpts", "/dev/pts", MS.NOSUID | MS.NOEXEC, "mode=620,ptmxmode=666,gid=5")]
      : []),
    ...(lastPid === undefined
      ? []
      : [
          {
            what: "the numbers of the tree cannot be kept free",
            step: [SYS.write, lastPid.fd, value, value.length] as const,
          },
        ]),
  ];
}
