/** Terminals whose other end or session is outside of the tree (tty.c). */
import type { Check, Finding, Remedy } from "./finding.ts";
import { again, againStaying } from "./again.ts";
import { runsAsShellJob, treeOf } from "./jobs.ts";
import { preorder } from "./pstree-nodes.ts";
import {
  exchanges,
  imageOf,
  isMaster,
  isPty,
  terminals,
  type Tty,
  unpairedSlaves,
} from "./terminals.ts";
import { withoutTerminal } from "./tty-controlling.ts";
import { sh } from "../sys/shell.ts";

export const ttyShellJob: Check = {
  id: "tty-shell-job",
  title: "A terminal's other end is outside of the tree",
  reads: "tty-info.img, files.img, --shell-job, orphan_pts_master of a runtime's request",
  why:
    "The tree runs on a terminal that belongs to a terminal emulator, sshd or tmux outside of the images. CRIU cannot make that again; with " +
    "--shell-job the terminal on CRIU's standard input takes its place, one for the whole tree. recriu does not add the option itself: " +
    "only the caller can say which terminal the tree shall have.",
  proof: "criu",
  run(context) {
    const { checkpoint, request } = context;
    const unpaired = unpairedSlaves(terminals(checkpoint, request));
    const [first, second] = unpaired;
    if (first === undefined || (exchanges(request) && second === undefined)) return [];
    // With the terminal handed over, as /dev/tty wants it there, the option is not needed (tty-controlling).
    if (
      second === undefined &&
      withoutTerminal(context).some(({ task }) => task.sid === first.info.sid)
    )
      return [];
    const shared = { id: "tty-shell-job", severity: "blocker", task: null } as const;
    const index = (tty: Tty) => tty.info.id >> 1;
    if (second !== undefined)
      return [
        {
          ...shared,
          image: imageOf(second),
          subject: second.path ?? "terminal",
          message: `the tree runs on ${unpaired.length} terminals of outside; CRIU can exchange only one`,
          criu_message: exchanges(request)
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
        image: imageOf(first),
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
  run(context) {
    const { checkpoint, request, host } = context;
    const [tty] = unpairedSlaves(terminals(checkpoint, request));
    const [root] = checkpoint.pstree;
    if (root === undefined || !request.shellJob) return [];
    const finding = (message: string, criu_message: string, remedy?: Remedy): Finding => ({
      id: "tty-stdin",
      severity: "blocker",
      task: root.pid,
      image: tty === undefined ? "pstree.img" : imageOf(tty),
      subject: "standard input",
      message,
      criu_message,
      remedy: remedy ?? {
        kind: "human",
        text: request.detached
          ? "call it on a terminal; or let script(1) make one, without -d: when script ends, its terminal hangs up, and the tree with it"
          : "call it on a terminal, or let script(1) make one",
        command: sh`script -qec ${sh`recriu restore ${againStaying(context)}`} /dev/null`,
      },
    });
    if (request.inheritFds.some(({ fd }) => fd === 0))
      return [
        finding(
          "standard input is handed over by --inherit-fd, and --shell-job wants it too",
          "Can't send fd 0 into store: Bad file descriptor",
          tty === undefined
            ? {
                kind: "human",
                text: "leave --shell-job out: no terminal of the tree needs it",
                command: sh`recriu restore ${again(context)} --no-shell-job`,
              }
            : {
                kind: "human",
                text: "hand over what it is under another number, as --inherit-fd fd[9]:…",
                command: sh`exec 9<&0`,
              },
        ),
      ];
    if (tty === undefined) return [];
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
    const unpaired = unpairedSlaves(ttys);
    if (!tree.ok || (!exchanges(request) && unpaired.length > 0)) return [];
    const first = new Map<number, number>();
    for (const { sid, pid } of preorder(tree.root)) if (!first.has(sid)) first.set(sid, pid);
    const linked = linkedSlaves(ttys);
    const leaders = new Set<number>();
    return ttys.flatMap((tty): Finding[] => {
      const { sid } = tty.info;
      // With RPC's orphan_pts_master CRIU makes the other end, and the slave is its leader's to take.
      const orphan =
        request.orphanPtsMaster && unpaired.some(({ info }) => info.id === tty.info.id);
      const slave = !isMaster(tty, request) && !orphan;
      // Of several terminals of a session CRIU lets the first one count, and never a slave that has its master.
      if ((sid === 0 && (!orphan || request.shellJob)) || leaders.has(sid) || linked.has(tty))
        return [];
      leaders.add(sid);
      if (slave || tty.info.termios === undefined || first.get(sid) === sid) return [];
      const line = tty.kind === "vt" || tty.kind === "serial";
      return [
        {
          id: "tty-no-task",
          severity: "blocker",
          task: null,
          image: imageOf(tty),
          subject: tty.path ?? "terminal",
          message:
            sid === 0
              ? `the terminal ${tty.path ?? ""} controls no session, and its other end is not in the images`
              : `the terminal ${tty.path ?? ""} controls session ${sid}, whose leader is not in the images`,
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
