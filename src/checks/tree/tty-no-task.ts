import type { Check, Problem } from "../finding.ts";
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

export const ttyNoTask: Check = {
  title: "The session that a terminal controls is not in the images",
  reads: "tty-info.img, pstree.img, --shell-job",
  why:
    "Only the leader of a session can take a controlling terminal. The tree holds a terminal's master end, or a console, of a session whose leader is " +
    "outside of the images or dead. For a console or serial line --shell-job leaves the session to the caller.",
  proof: "criu",
  answers: ["choice", "person"],
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
    return ttys.values().flatMap((tty): Problem[] => {
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
          severity: "blocker",
          image: imageOf(tty),
          subject: tty.path ?? "terminal",
          message:
            sid === 0
              ? `the terminal ${tty.path ?? ""} controls no session, and its other end is not in the images`
              : `the terminal ${tty.path ?? ""} controls session ${sid}, and its leader is not in the images`,
          criu_message: `No task found with sid ${sid}`,
          remedy: line
            ? {
                kind: "option",
                text: "leave the session of the terminal to the caller",
                option: "--shell-job",
                automatic: false,
              }
            : {
                kind: "human",
                text: "dump again with the leader of that session in the tree",
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
