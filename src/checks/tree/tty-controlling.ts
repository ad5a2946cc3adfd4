/** /dev/tty kept open: it can be opened only by a task with a terminal in its session (tty.c, open_simple_tty; tty(4)). */
import type { Task } from "../../image/index.ts";
import { sh } from "../../sys/shell.ts";
import { again, againStaying } from "../again.ts";
import type { Check, Context, Problem, Remedy } from "../finding.ts";
import { livingTasks } from "../paths.ts";
import { imageOf, isMaster, terminals, type Tty } from "./terminals.ts";

/** Whether the tree's root leads this session, or another task of it. */
const leads = ({ checkpoint }: Context, sid: number): boolean =>
  checkpoint.tasks.some(({ pid }) => pid === sid);

/** Whether a session of the tree will have a terminal: CRIU gives it one by a master end, or one that is handed over. */
const hasTerminal = (context: Context, ttys: readonly Tty[], sid: number): boolean =>
  leads(context, sid)
    ? ttys.some(
        (tty) =>
          tty.kind !== "ctty" &&
          tty.info.sid === sid &&
          (isMaster(tty, context.request) || context.request.orphanPtsMaster),
      )
    : context.host.self === undefined || context.host.self.tty !== 0;

function remedyFor(context: Context, ttys: readonly Tty[], sid: number): Remedy {
  const { request } = context;
  if (!leads(context, sid))
    return {
      kind: "human",
      text: "call recriu restore on a terminal, or let script(1) make one",
      command: sh`script -qec ${sh`recriu restore ${againStaying(context)}`} /dev/null`,
    };
  const slave = ttys.find(({ kind, info }) => kind === "slave" && info.sid === sid);
  const text =
    "hand over the terminal on standard input: the tree's session takes it, away from the session that has it now";
  if (slave === undefined)
    return {
      kind: "human",
      text: "dump again with a terminal whose other end is in the tree",
    };
  const inherit = `fd[0]:${slave.key}`;
  return request.shellJob
    ? {
        kind: "human",
        text: `${text}; without --shell-job, which wants standard input for itself`,
        command: sh`recriu restore ${again(context)} --no-shell-job --inherit-fd ${[inherit]}`,
      }
    : { kind: "option", text, option: `--inherit-fd ${inherit}`, automatic: false };
}

/** The tasks that have /dev/tty open in a session that will have no terminal, each with the descriptor's file. */
export function withoutTerminal(context: Context): { task: Task; tty: Tty; ttys: Tty[] }[] {
  const { checkpoint, request } = context;
  const ttys = terminals(checkpoint, request);
  return ttys
    .filter(({ kind }) => kind === "ctty")
    .flatMap((tty) => {
      const holds = ({ fds }: Task) => fds.some(({ id }) => id === tty.file);
      const task = livingTasks(checkpoint).find(
        (one) => holds(one) && !hasTerminal(context, ttys, one.sid),
      );
      return task === undefined ? [] : [{ task, tty, ttys }];
    });
}

export const ttyControlling: Check = {
  title: "A task keeps /dev/tty open, and its session will have no terminal",
  reads:
    "tty-info.img, files.img, fdinfo-*.img, pstree.img; --inherit-fd, --shell-job; the controlling terminal of recriu",
  why:
    "/dev/tty is the controlling terminal of the process that opens it, and a process without one cannot open it. Where the leader of a session was dumped without the other " +
    "end of its terminal, --shell-job gives it the terminal on standard input, but not as its controlling one. A terminal that is handed over by --inherit-fd becomes that.",
  proof: "criu",
  answers: ["choice", "person"],
  run: (context) =>
    withoutTerminal(context).map(({ task, tty, ttys }): Problem => ({
      severity: "blocker",
      task: task.pid,
      image: imageOf(tty),
      subject: tty.path ?? "/dev/tty",
      message: `task ${task.pid} has ${tty.path ?? "/dev/tty"} open, and session ${task.sid} will have no controlling terminal`,
      criu_message: `tty: Can't open tty ctty 0x${tty.file.toString(16)}`,
      remedy: remedyFor(context, ttys, task.sid),
    })),
};
