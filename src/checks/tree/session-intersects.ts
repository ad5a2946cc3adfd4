import { sh } from "../../sys/shell.ts";
import { again as sameCall } from "../again.ts";
import type { Check, Problem } from "../finding.ts";
import { failing, shared } from "./sessions.ts";

export const sessionIntersects: Check = {
  title: "CRIU's own session or group is a number of the images",
  reads: "pstree.img, --shell-job; session and group of recriu, in which CRIU runs",
  why:
    "With --shell-job the tree moves into the session of CRIU. When a task, thread, session or group of the images has the same " +
    "number, it can no longer be told from CRIU's, and CRIU stops. Another session has another number.",
  proof: "criu",
  isolate: "pid",
  run: (context) =>
    failing(context, "intersects").map(({ message, criu_message }): Problem => ({
      ...shared,
      subject: String(context.host.self?.session),
      message,
      criu_message,
      remedy: {
        kind: "human",
        text: "run the restore in a session of its own",
        command: sh`setsid --wait recriu restore ${sameCall(context)}`,
      },
    })),
};
