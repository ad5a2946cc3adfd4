import { sh } from "../../sys/shell.ts";
import { againStaying } from "../again.ts";
import type { Check } from "../finding.ts";
import { livingTasks } from "../paths.ts";
import { CAP_AUDIT_CONTROL, capabilitiesOfCriu, has } from "./capabilities.ts";

/** The value of no login. */
const NO_LOGIN = 0xffffffff;

export const loginuidImmutable: Check = {
  title: "The login user of the tasks cannot be set",
  reads: "loginuid in core-*.img; /proc/self/loginuid and capabilities of recriu",
  why:
    "The audit system's login user is set once for each login, and changed only with CAP_AUDIT_CONTROL. CRIU finds out when it first runs and " +
    "remembers it in /run/criu.kdat: where it could then and cannot now it stops, and else the tasks keep the login user of CRIU.",
  proof: "criu",
  blocks: false,
  run(context) {
    const callers = Number(context.host.read("/proc/self/loginuid") ?? NO_LOGIN);
    const rights = capabilitiesOfCriu(context.host);
    if (callers === NO_LOGIN || rights === undefined || has(rights.permitted, CAP_AUDIT_CONTROL))
      return [];
    const task = livingTasks(context.checkpoint).find(
      ({ core }) => core?.tc?.loginuid !== undefined && core.tc.loginuid !== callers,
    );
    if (task === undefined) return [];
    const saved = task.core!.tc!.loginuid!;
    return [
      {
        severity: "warning",
        task: task.pid,
        image: `core-${task.pid}.img`,
        subject: `task ${task.pid}`,
        message: `task ${task.pid} had ${saved === NO_LOGIN ? "no login user" : `login user ${saved}`}; recriu has ${callers}, and no CAP_AUDIT_CONTROL to change it`,
        criu_message: "Setting loginuid for CT init task failed, CAP_AUDIT_CONTROL?",
        remedy: {
          kind: "human",
          text: "run it with CAP_AUDIT_CONTROL, or from a service that has no login user",
          // The service ends, and systemd ends all in it, with what it was started for.
          command: sh`systemd-run --pty --same-dir recriu restore ${againStaying(context)}`,
        },
      },
    ];
  },
};
