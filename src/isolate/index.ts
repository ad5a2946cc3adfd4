/**
 * CRIU, and all that it makes, in namespaces of their own, below an init of recriu's (docs/isolation.md). Until the tree may
 * run all of it ends with the init, and that with recriu.
 */
import { closeSync, constants as files, readSync, writeSync } from "node:fs";
import { constants } from "node:os";
import type { PrivateDir, PutFile } from "../checks/index.ts";
import {
  type Exit,
  type IsolationKind,
  type Network,
  pathOfNetwork,
  type Request,
  type Settings,
  type Through,
} from "../criu/index.ts";
import { readStat } from "../host/processes.ts";
import type { Checkpoint } from "../image/index.ts";
import { errorText } from "../sys/errno.ts";
import { memoryFile, openEntry, pipe } from "../sys/files.ts";
import { initProgram, type Said, WORD, wordOf } from "../sys/init-program.ts";
import { AT_FDCWD, SIGKILL } from "../sys/linux.ts";
import { kill, readable } from "../sys/process.ts";
import { directorySteps } from "./directories.ts";
import { type Pair, readyNetwork } from "./network.ts";
import { numberBefore, outside } from "./numbers.ts";
import { bindSteps, checkBound, copiesOf } from "./over.ts";
import { withoutPidfile } from "./pidfile.ts";
import { flagsOf, INIT, preparations } from "./steps.ts";

/** How long, in ms, it may take until CRIU is forked. */
const PATIENCE_MS = 10_000;
const NS_LAST_PID = "/proc/sys/kernel/ns_last_pid";

export { writePidfile } from "./pidfile.ts";

export interface Isolated extends Disposable {
  readonly through: Through;
  /** What CRIU is asked in them. */
  readonly request: Request;
  /** The init, as a process of this machine; undefined before it is there. */
  readonly init: number | undefined;
  /** What joins the tree to this machine, where that was asked for. */
  readonly pair: Pair | undefined;
  /** The process of this machine that has this number inside; NaN: none. */
  outside(number: number): number;
  /** CRIU is there and has made nothing yet: put files in the place of others, where the tree needs that. Throws what is in the way. */
  bind(): void;
  /** The tree may run, its root being this number inside: from here on it does not end with recriu. */
  letRun(root: number): void;
}

interface Isolating {
  readonly kinds: readonly IsolationKind[];
  readonly network: Network | null;
  readonly dirs: readonly PrivateDir[];
  readonly over: readonly PutFile[];
  readonly replaceIp: Settings["replaceIp"];
  readonly checkpoint: Checkpoint;
  readonly request: Request;
  /** Descriptors that are to be reached inside by the paths of `pathInside`, in that order. */
  readonly shown: readonly number[];
}

/** The first number behind those that CRIU is given, for `control`, and then `status`, and what is shown. */
const firstFor = ({ fds }: Request): number => Math.max(2, ...fds) + 1;

/** The path, inside, of the descriptor that is the nth of those shown. */
export const pathInside = (request: Request, nth: number): string =>
  `/proc/1/fd/${firstFor(request) + 2 + nth}`;

/** Ready what CRIU is to be started through. Throws what is in the way. */
export function isolate(isolating: Isolating): Isolated {
  const { kinds, network, dirs, over, replaceIp, checkpoint, request, shown } = isolating;
  const asked = withoutPidfile(request);
  using making = new DisposableStack();
  const open = (fd: number, what: string) => {
    if (fd < 0) throw new Error(`${what}: ${errorText(fd)}`);
    const one = making.use(new DisposableStack());
    one.adopt(fd, closeSync);
    return { fd, close: () => one.dispose() };
  };
  const ends = (what: string) => {
    const made = pipe();
    if (typeof made === "number") throw new Error(`no pipe can be made for ${what}`);
    return { read: open(made[0], what), write: open(made[1], what) };
  };
  const [control, status] = [ends("control"), ends("status")];
  // The network is one that is there, or is made with the others.
  const path = network === null || typeof network === "string" ? [] : [pathOfNetwork(network)];
  const joined = path.map((each) => open(openEntry(AT_FDCWD, each, files.O_RDONLY), each));
  const made = joined.length === 0 ? kinds : kinds.filter((kind) => kind !== "net");
  const before = numberBefore(checkpoint);
  const lastPid =
    before === undefined
      ? []
      : [open(openEntry(AT_FDCWD, NS_LAST_PID, files.O_WRONLY), NS_LAST_PID)];
  const copies = over.length === 0 ? undefined : copiesOf(over);
  const memory = copies && open(copies.fd, "memory");
  const bound = copies && ends("bound files");
  const handed = [
    ...joined,
    ...lastPid,
    ...(memory ? [memory] : []),
    ...(bound ? [bound.write] : []),
  ];
  const given = [control.read.fd, status.write.fd, ...shown, ...handed.map(({ fd }) => fd)];
  const first = firstFor(request);
  const own = given.map((_, index) => first + index);
  const last = own.at(-1)!;
  const numberIn = ({ fd }: { fd: number }) => first + given.indexOf(fd);
  const prepared = preparations(
    kinds,
    own,
    joined[0] && numberIn(joined[0]),
    before === undefined ? undefined : { fd: numberIn(lastPid[0]!), value: before },
    directorySteps(dirs),
  );
  const program = open(memoryFile(INIT), "no file in memory can be made (vm.memfd_noexec?)");
  const steps = prepared.map(({ step }) => step);
  const fds = { control: first, status: first + 1, first, last };
  const later = copies ? bindSteps(copies.files, numberIn(memory!), numberIn(bound!.write)) : [];
  writeSync(program.fd, initProgram({ namespaces: flagsOf(made), steps, later, fds }));

  let init: number | undefined;
  let pair: Pair | undefined;
  let criu = NaN;
  let running = false;
  let problem: string | undefined;
  const failed = ({ about, toCome, value }: Said): string | undefined =>
    about === "step"
      ? `in the namespaces: ${prepared.at(-toCome - 1)?.what}: ${errorText(value)}`
      : about === "made" && value < 0
        ? `no namespaces can be made: ${errorText(value)}`
        : undefined;
  const hear = (wanted: Said["about"]): number => {
    const word = Buffer.alloc(WORD);
    const end = performance.now() + PATIENCE_MS;
    for (let heard = ""; ; heard = "something else") {
      if (readable([status.read.fd], Math.max(0, end - performance.now())).length === 0)
        throw new Error(`the init of the namespaces says ${heard || "nothing"}`);
      if (readSync(status.read.fd, word) < WORD)
        throw new Error("the init of the namespaces has ended");
      const said = wordOf(word);
      const why = failed(said);
      if (why !== undefined) throw new Error(why);
      if (said.about === wanted) return said.value;
    }
  };
  const inside = (number: number) => (init === undefined ? NaN : (outside(init, number) ?? NaN));
  const tell = (number: number) =>
    void writeSync(control.write.fd, Uint8Array.from(Buffer.from(Int32Array.of(number).buffer)));
  const owned = making.move();
  return {
    get init() {
      return init;
    },
    get pair() {
      return pair;
    },
    request: asked,
    outside: inside,
    bind() {
      if (copies === undefined) return;
      tell(0);
      for (const each of [...copies.files, { path: "all" }]) {
        const told = readable([bound!.read.fd], PATIENCE_MS).length > 0;
        if (!told || readSync(bound!.read.fd, Buffer.alloc(1)) === 0)
          throw new Error(`${each.path}: the file that was taken along cannot be bound over it`);
      }
      checkBound(copies.files, init!);
    },
    letRun(root) {
      criu = readStat(inside(root))?.ppid ?? criu;
      running = true;
      tell(root);
    },
    through: {
      command: [`/proc/${process.pid}/fd/${program.fd}`],
      fds: new Map(given.map((fd, index) => [first + index, fd])),
      started() {
        for (const theirs of [control.read, status.write, program, ...handed]) theirs.close();
        init = hear("made");
        if (made.includes("net"))
          pair = readyNetwork(checkpoint, request, replaceIp, network!, init);
        writeSync(control.write.fd, "g");
        criu = inside(hear("started"));
        const exited = endOf(status.read.fd).then(({ exit, why }) => {
          problem = why;
          return exit;
        });
        return {
          pid: criu,
          exited,
          // All that there is ends with the init; of a tree that runs only CRIU is the caller's.
          kill: (signal) => void kill(running ? criu : init!, running ? numberOf(signal) : SIGKILL),
          problem: () => problem,
        };
      },
    },
    [Symbol.dispose]: () => owned.dispose(),
  };
}

const numberOf = (signal: NodeJS.Signals | number): number =>
  typeof signal === "number" ? signal : constants.signals[signal];

/** What became of CRIU, as the init tells it; or that it tells nothing more. */
async function endOf(status: number): Promise<{ exit: Exit; why: string | undefined }> {
  let rest = Buffer.alloc(0);
  for await (const chunk of Bun.file(status).stream()) {
    rest = Buffer.concat([rest, chunk]);
    for (; rest.length >= WORD; rest = rest.subarray(WORD)) {
      const { about, value } = wordOf(rest);
      if (about === "ended") return { exit: exitOf(value), why: undefined };
      if (about === "unstarted")
        return {
          exit: { code: 127, signal: null },
          why: `CRIU cannot be executed: ${errorText(value)}`,
        };
    }
  }
  return {
    exit: { code: 128 + SIGKILL, signal: "SIGKILL" },
    why: "the init of the tree's namespaces was killed, and all in them with it",
  };
}

/** A status of wait(2). */
function exitOf(status: number): Exit {
  const signal = status & 0x7f;
  const name = Object.entries(constants.signals).find(([, number]) => number === signal)?.[0];
  return signal === 0
    ? { code: (status >> 8) & 0xff, signal: null }
    : { code: 128 + signal, signal: (name as NodeJS.Signals | undefined) ?? signal };
}
