/** Terminals: which of them CRIU can make again, and who has to give it the others (tty.c). */
import type { Check, Context, Finding } from "./finding.ts";
import { preorder, runsAsShellJob, treeOf } from "./pstree.ts";
import { isMaster, isPty, terminals, type Tty, unpairedSlaves } from "./terminals.ts";

const image = (tty: Tty) => `tty-info.img id 0x${tty.info.id.toString(16)}`;

export const ttyShellJob: Check = {
  id: "tty-shell-job",
  title: "A terminal's other end is outside of the tree",
  reads: "tty-info.img, files.img, --shell-job",
  why:
    "The tree runs on a terminal that belongs to a terminal emulator, sshd or tmux outside of the images. CRIU cannot make that again; with " +
    "--shell-job the terminal on CRIU's standard input takes its place, one for the whole tree. recriu does not add the option itself: " +
    "only the caller can say which terminal the tree shall have.",
  proof: "criu",
  run({ checkpoint, request }) {
    const unpaired = unpairedSlaves(terminals(checkpoint, request));
    const [first, second] = unpaired;
    if (first === undefined || (request.shellJob && second === undefined)) return [];
    const shared = { id: "tty-shell-job", severity: "blocker", task: null } as const;
    const index = (tty: Tty) => tty.info.id >> 1;
    if (second !== undefined)
      return [
        {
          ...shared,
          image: image(second),
          subject: second.path ?? "terminal",
          message: `the tree runs on ${unpaired.length} terminals of outside; CRIU can exchange only one`,
          criu_message: request.shellJob
            ? `Only one slave external peer is allowed (index ${index(second)})`
            : `Found slave peer index ${index(first)} without correspond master peer`,
          remedy: {
            kind: "human",
            text: "dump again with --external tty[RDEV:DEV] for each, and hand each over by --inherit-fd",
            command: null,
          },
        },
      ];
    return [
      {
        ...shared,
        image: image(first),
        subject: first.path ?? "terminal",
        message: `the tree runs on the terminal ${first.path ?? index(first)}, whose other end is not in the images`,
        criu_message: `Found slave peer index ${index(first)} without correspond master peer`,
        remedy: {
          kind: "option",
          text: "restore it on the terminal that it shall have",
          command: null,
          option: "--shell-job",
          automatic: false,
        },
      },
    ];
  },
};

/** Major numbers of /dev/pts/N. */
const isPts = (device: number) => device >> 8 >= 136 && device >> 8 <= 143;

export const ttyStdin: Check = {
  id: "tty-stdin",
  title: "--shell-job has no terminal to give to the tree",
  reads: "tty-info.img, pstree.img, --shell-job; standard input and controlling terminal of recriu",
  why:
    "With --shell-job the tree's terminal is exchanged for CRIU's standard input. That must be a terminal, and, for a tree whose root leads no " +
    "session, the controlling terminal of CRIU's session: only then may the tree's process group be put into its foreground.",
  proof: "criu",
  run({ checkpoint, request, host }) {
    const [tty] = unpairedSlaves(terminals(checkpoint, request));
    const [root] = checkpoint.pstree;
    if (tty === undefined || root === undefined || !request.shellJob) return [];
    const finding = (message: string, criu_message: string): Finding => ({
      id: "tty-stdin",
      severity: "blocker",
      task: root.pid,
      image: image(tty),
      subject: "standard input",
      message,
      criu_message,
      remedy: {
        kind: "human",
        text: "call it on a terminal, or let script(1) make one",
        command: `script -qec 'recriu restore ${request.argv.join(" ")}' /dev/null`,
      },
    });
    const { stdin, self } = host;
    if (!stdin.terminal)
      return [
        finding(
          `standard input is no terminal, and is to take the place of ${tty.path}`,
          "Don't have tty to inherit session from, aborting",
        ),
      ];
    if (root.sid === root.pid || self === undefined || self.tty === stdin.device) return [];
    if (!isPts(stdin.device)) return []; // /dev/tty and /dev/console stand for others
    return [
      finding(
        "standard input is a terminal, but not the controlling one of this session",
        "Inappropriate ioctl for device",
      ),
    ];
  },
};

export const ttyNoTask: Check = {
  id: "tty-no-task",
  title: "The session that a terminal controls is not in the images",
  reads: "tty-info.img, pstree.img, --shell-job",
  why:
    "Only the leader of a session can take a controlling terminal. The tree holds a terminal's master end, or a console, of a session whose leader is " +
    "outside of the images or dead. For a console or serial line --shell-job leaves the session to the caller.",
  proof: "criu",
  run(context) {
    const { checkpoint, request } = context;
    const ttys = terminals(checkpoint, request).filter(({ kind }) => kind !== "ctty");
    if (ttys.length === 0) return [];
    const tree = treeOf(context, runsAsShellJob(context));
    if (!tree.ok || (!request.shellJob && unpairedSlaves(ttys).length > 0)) return [];
    const first = new Map<number, number>();
    for (const { sid, pid } of preorder(tree.root)) if (!first.has(sid)) first.set(sid, pid);
    const linked = linkedSlaves(ttys);
    const leaders = new Set<number>();
    return ttys.flatMap((tty): Finding[] => {
      const { sid } = tty.info;
      const slave = !isMaster(tty, request);
      // Of several terminals of a session CRIU lets the first one count, and never a slave that has its master.
      if (sid === 0 || leaders.has(sid) || linked.has(tty)) return [];
      leaders.add(sid);
      if (slave || tty.info.termios === undefined || first.get(sid) === sid) return [];
      const line = tty.kind === "vt" || tty.kind === "serial";
      return [
        {
          id: "tty-no-task",
          severity: "blocker",
          task: null,
          image: image(tty),
          subject: tty.path ?? "terminal",
          message: `the terminal ${tty.path ?? ""} controls session ${sid}, whose leader is not in the images`,
          criu_message: `No task found with sid ${sid}`,
          remedy: line
            ? {
                kind: "option",
                text: "leave the session of the terminal to the caller",
                command: null,
                option: "--shell-job",
                automatic: false,
              }
            : {
                kind: "human",
                text: "dump again with the leader of that session in the tree",
                command: null,
              },
        },
      ];
    });
  },
};

/** Slaves that CRIU has linked with another end of their terminal: it links the ends in their order, two by two. */
function linkedSlaves(ttys: readonly Tty[]): Set<Tty> {
  const single = new Map<number, Tty>();
  const slaves = new Set<Tty>();
  for (const tty of ttys.filter(isPty)) {
    const index = tty.info.pty!.index;
    const other = single.get(index);
    if (other === undefined) {
      single.set(index, tty);
      continue;
    }
    single.delete(index);
    for (const end of [tty, other]) if (end.kind === "slave") slaves.add(end);
  }
  return slaves;
}

/** So many terminals CRIU opens to reach the index that it wants. */
const ATTEMPTS = 32;

export const ttyIndexBusy: Check = {
  id: "tty-index-busy",
  title: "A pseudoterminal's number cannot be had",
  reads: "tty-info.img, files.img; the names in /dev/pts",
  why:
    "A program knows its terminal as /dev/pts/N, so N must come back. The kernel always gives the lowest free number: CRIU opens one after another until it has N, " +
    "and gives up when N is somebody's, or more than 31 above the lowest free one. This also holds for a terminal that was hung up.",
  proof: "criu",
  run({ checkpoint, request, host, namespaces }) {
    if (namespaces.own.mnt) return []; // its devpts is made with it, or is a mount of its own
    const wanted = new Map<number, Tty>();
    const ttys = terminals(checkpoint, request).filter(isPty);
    for (const tty of ttys)
      if (tty.kind === "master" || tty.info.termios === undefined)
        if (tty.path !== undefined && /^\/dev\/(ptmx|pts\/\w+)$/.test(tty.path))
          wanted.set(tty.info.pty!.index, tty);
    if (wanted.size === 0) return [];
    const opened = host.root("/");
    const names = opened.ok ? opened.root.list("/dev/pts") : [];
    const taken = new Set(names.filter((name) => /^\d+$/.test(name)).map(Number));
    const lowest = (also: (index: number) => boolean) => {
      let index = 0;
      while (taken.has(index) || also(index)) index++;
      return index;
    };
    const lowestNow = lowest(() => false);
    // The others of the tree may have been opened by then.
    const lowestThen = lowest((index) => wanted.has(index));
    return [...wanted].flatMap(([index, tty]): Finding[] => {
      const busy = taken.has(index);
      if (!busy && index - lowestNow < ATTEMPTS) return [];
      const certain = busy || index - Math.min(index, lowestThen) >= ATTEMPTS;
      return [
        {
          id: "tty-index-busy",
          severity: certain ? "blocker" : "warning",
          task: null,
          image: image(tty),
          subject: `/dev/pts/${index}`,
          message: busy
            ? `/dev/pts/${index} is somebody else's terminal now`
            : `/dev/pts/${index} is too far above the lowest free one, ${lowestNow}: CRIU tries ${ATTEMPTS}`,
          criu_message: `with specified index ${index}`,
          remedy: busy
            ? {
                kind: "human",
                text: "close that terminal: end the programs on it and the one that made it",
                command: `fuser -v /dev/pts/${index}`,
              }
            : {
                kind: "human",
                text: `occupy the numbers from ${lowestNow} to ${index - ATTEMPTS} while it is restored`,
                command: null,
              },
        },
      ];
    });
  },
};

export const ttyExternal: Check = {
  id: "tty-external",
  title: "A terminal has to be handed to CRIU",
  reads: "tty-info.img, --inherit-fd",
  why:
    "The tree was dumped with --external tty[RDEV:DEV]: the terminal belongs to somebody else, and CRIU wants it as an open descriptor under the " +
    "same name. Which terminal that shall be, only the caller knows.",
  proof: "criu",
  run({ checkpoint, request }) {
    const handed = new Set(request.inheritFds.map((fd) => fd.key));
    return terminals(checkpoint, request)
      .filter(({ wasExternal, key }) => wasExternal && !handed.has(key))
      .map((tty) => ({
        id: "tty-external",
        severity: "blocker",
        task: null,
        image: image(tty),
        subject: tty.key,
        message: `no descriptor was given for the terminal ${tty.key}, which is external`,
        criu_message:
          tty.kind === "external" ? null : "Deprecated functionality (TTY w/o regfile) rejected.",
        remedy: {
          kind: "option",
          text: "open the terminal that takes its place, and name its descriptor",
          command: `recriu restore --inherit-fd 'fd[5]:${tty.key}' … 5<> /dev/pts/N`,
          option: `--inherit-fd fd[N]:${tty.key}`,
          automatic: false,
        },
      }));
  },
};

export const ttyDeviceMissing: Check = {
  id: "tty-device-missing",
  title: "The device of a terminal is gone",
  reads: "tty-info.img, files.img; the device on this machine or under --root",
  why: "Consoles and serial lines are opened by their path again; they are no pseudoterminals, which CRIU makes.",
  proof: "criu",
  run: ({ checkpoint, request, namespaces }: Context) =>
    terminals(checkpoint, request).flatMap((tty): Finding[] => {
      if (!["console", "vt", "serial"].includes(tty.kind) || tty.path === undefined) return [];
      const place = namespaces.place(tty.path, tty.mntId);
      const found = place.known ? place.root.look(place.path) : undefined;
      if (!place.known || found === undefined || found.ok || !found.missing) return [];
      return [
        {
          id: "tty-device-missing",
          severity: "blocker",
          task: null,
          image: image(tty),
          subject: place.hostPath,
          message: `${place.hostPath} (a terminal of the tree): ${found.problem}`,
          criu_message: `Can't open tty ${tty.kind} 0x${tty.file.toString(16)}`,
          remedy: {
            kind: "human",
            text: "make the device again, with the numbers that it had",
            command: `mknod -m 0620 ${place.hostPath} c ${tty.info.rdev >> 8} ${tty.info.rdev & 0xff}`,
          },
        },
      ];
    }),
};
