/** How a task dies, or died: the signal at its parent's death, and the code that a zombie left (cr-restore.c). */
import { SIGKILL } from "../sys/linux.ts";
import type { Check, Context, Finding } from "./finding.ts";
import { livingTasks } from "./paths.ts";

/** The last signal: signal(7). */
const LAST_SIGNAL = 64;

export const rootDeathSignal: Check = {
  id: "root-pdeath-signal",
  title: "The root gets a signal as soon as CRIU ends",
  reads: "pdeath_sig in the root's core-*.img, --restore-detached, --restore-sibling",
  why:
    "The root asked for a signal at the death of its parent (PR_SET_PDEATHSIG). After a detached restore that parent is CRIU, which ends at once; " +
    "with --restore-sibling it is the caller of CRIU, and recriu ends too. Without --restore-detached CRIU stays until the tree has ended.",
  proof: "harm",
  run({ checkpoint, request }) {
    const { root } = checkpoint;
    const signal = root?.core?.thread_core?.pdeath_sig ?? 0;
    if (root === undefined || root.state === "dead" || signal === 0 || signal > LAST_SIGNAL)
      return [];
    if (!request.detached) return [];
    return [
      {
        id: "root-pdeath-signal",
        severity: signal === SIGKILL ? "blocker" : "warning",
        task: root.pid,
        image: `core-${root.pid}.img`,
        subject: `task ${root.pid}`,
        message: `the root ${root.pid} will get signal ${signal} right after the restore, when its parent ends`,
        criu_message: null,
        remedy: {
          kind: "human",
          text: "restore it without --restore-detached (-d), and let that stay its parent",
          command: null,
        },
      },
    ];
  },
};

export const deathSignalInvalid: Check = {
  id: "pdeath-signal-invalid",
  title: "The signal at the parent's death is no signal",
  reads: "pdeath_sig in core-*.img",
  why: "CRIU refuses a number above 64; no kernel lets a thread have one, so the image is damaged.",
  proof: "criu",
  run: ({ checkpoint }) =>
    livingTasks(checkpoint).flatMap((task) =>
      task.threads.flatMap(({ tid, core }): Finding[] =>
        (core?.thread_core?.pdeath_sig ?? 0) <= LAST_SIGNAL
          ? []
          : [
              {
                id: "pdeath-signal-invalid",
                severity: "blocker",
                task: task.pid,
                image: `core-${tid}.img`,
                subject: `thread ${tid}`,
                message: `thread ${tid} has ${core!.thread_core!.pdeath_sig} for the signal at its parent's death`,
                criu_message: "Pdeath signal is too big",
                remedy: {
                  kind: "human",
                  text: "take an intact copy of the image, or dump again",
                  command: null,
                },
              },
            ],
      ),
    ),
};

export const zombieExitCode: Check = {
  id: "zombie-exit-code",
  title: "A zombie's exit code is too large for CRIU",
  reads: "task_state and exit_code in core-*.img",
  why:
    "A zombie is made again by a task that exits with its code, of which CRIU keeps seven bits: a code of 128 or more comes back " +
    "128 smaller, and 128 as success. The parent, which has not waited for it yet, will be told the wrong one.",
  proof: "harm",
  run: ({ checkpoint }: Context) =>
    checkpoint.tasks.flatMap((task): Finding[] => {
      const status = task.core?.tc?.exit_code ?? 0;
      const code = (status >> 8) & 0xff;
      if (task.state !== "dead" || (status & 0x7f) !== 0 || code < 128) return [];
      return [
        {
          id: "zombie-exit-code",
          severity: "warning",
          task: task.pid,
          image: `core-${task.pid}.img`,
          subject: `task ${task.pid}`,
          message: `the zombie ${task.pid} ended with ${code}; its parent ${task.ppid} will be told ${code & 0x7f}`,
          criu_message: null,
          remedy: {
            kind: "human",
            text: "let the parent wait for it before the dump, if the code matters",
            command: null,
          },
        },
      ];
    }),
};
