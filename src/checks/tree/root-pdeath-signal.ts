import { SIGKILL } from "../../sys/linux.ts";
import type { Check } from "../finding.ts";
import { LAST_SIGNAL } from "../../sys/linux.ts";

export const rootPdeathSignal: Check = {
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
        severity: signal === SIGKILL ? "blocker" : "warning",
        task: root.pid,
        image: `core-${root.pid}.img`,
        subject: `task ${root.pid}`,
        message: `the root ${root.pid} will get signal ${signal} right after the restore, when its parent ends`,
        remedy: {
          kind: "human",
          text: "restore it without --restore-detached (-d), and let that stay its parent",
        },
      },
    ];
  },
};
