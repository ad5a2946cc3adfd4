import { sh } from "../../sys/shell.ts";
import type { Check } from "../finding.ts";
import { unwritable } from "./work-dir-unwritable.ts";

export const tmpMissing: Check = {
  title: "CRIU cannot make its directories in /tmp",
  reads: "/tmp on this machine; what CRIU itself says of it when it starts",
  why: "CRIU tries mounts out in /tmp when it starts, and builds mount namespaces there, whatever TMPDIR says.",
  proof: "criu",
  answers: ["repair", "person"],
  run(context) {
    const { host, criu, namespaces, request } = context;
    const problem = unwritable(context, "/tmp");
    if (problem === undefined) return [];
    const refusal = request.unprivileged ? undefined : criu?.startRefusal();
    const said =
      refusal?.kind === "refused" && refusal.line.includes("/tmp/") ? refusal.line : null;
    // Without an answer it is not known whether CRIU needs it to start.
    const isSeen = said !== null || namespaces.created.mnt;
    if (!isSeen && refusal?.kind !== "unanswered") return [];
    return [
      {
        severity: isSeen ? "blocker" : "warning",
        image: "",
        subject: "/tmp",
        message: `CRIU makes directories in /tmp, which it cannot: ${problem}`,
        criu_message:
          said?.replace(/\.[A-Za-z0-9]{6}:/, ".XXXXXX:") ??
          (isSeen ? `mnt: Unable to create a temporary directory: ${problem}` : null),
        remedy: host.exists("/tmp")
          ? {
              kind: "human",
              text: "make it writable, or mount a tmpfs there",
              command: sh`mount -t tmpfs -o mode=1777 tmpfs /tmp`,
            }
          : {
              kind: "repair",
              text: "make the directory /tmp, mode 1777, owner 0:0",
              command: sh`install -d -m 1777 -o 0 -g 0 /tmp`,
              repair: {
                action: "mkdir",
                root: "/",
                path: "/tmp",
                mode: 0o1777,
                uid: 0,
                gid: 0,
              },
            },
      },
    ];
  },
};
