import type { Check } from "../finding.ts";
import { made } from "./namespaces.ts";

export const timeNamespace: Check = {
  title: "This kernel has no time namespaces, and the tree had one",
  reads: "time_ns_id in ids-*.img and inventory.img; /proc/self/timens_offsets",
  why: "A tree in a time namespace sees clocks of its own. CRIU cannot give it those on a kernel before 5.6, or built without CONFIG_TIME_NS.",
  proof: "images",
  run(context) {
    const { checkpoint, host, request } = context;
    if (
      !made(context).some(({ name }) => name === "time") ||
      request.unprivileged ||
      request.joinNs.some(({ ns }) => ns === "time") ||
      host.exists("/proc/self/timens_offsets")
    )
      return [];
    return [
      {
        severity: "blocker",
        task: checkpoint.root!.pid,
        image: `timens-${checkpoint.root!.ids!.time_ns_id}.img`,
        subject: "/proc/self/timens_offsets",
        message: "the tree had a time namespace, and this kernel has none",
        criu_message: "timens: Unable to create a new time namespace",
        remedy: {
          kind: "human",
          text: "restore on Linux 5.6 or later with CONFIG_TIME_NS",
        },
      },
    ];
  },
};
