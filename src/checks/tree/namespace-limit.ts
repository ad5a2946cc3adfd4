import type { Check, Problem } from "../finding.ts";
import { raised } from "../settings.ts";
import { made } from "./namespaces.ts";

export const namespaceLimit: Check = {
  title: "This machine allows no new namespace of a kind that the tree has",
  reads: "namespaces in ids-*.img and inventory.img, timens-0.img; /proc/sys/user/max_*_namespaces",
  why:
    "A limit of 0 forbids every new namespace of its kind. Every tree gets a time namespace, even one that had none at the dump, so " +
    "that its clocks go on where they stood.",
  proof: "images",
  answers: ["host", "person"],
  run(context) {
    const { checkpoint, host, request } = context;
    const joined = new Set(request.joinNs.map(({ ns }) => ns));
    const wanted = new Set(made(context).map(({ name }) => name as string));
    // A clock that is set forward or back for the tree takes a namespace too.
    if (checkpoint.files.has("timens-0.img") && host.exists("/proc/self/timens_offsets"))
      wanted.add("time");
    if (request.unprivileged) wanted.delete("time");
    return [...wanted].values().flatMap((name): Problem[] => {
      const file = `/proc/sys/user/max_${name}_namespaces`;
      if (joined.has(name) || host.read(file)?.trim() !== "0") return [];
      return [
        {
          severity: "blocker",
          task: checkpoint.root?.pid ?? null,
          image: `ids-${checkpoint.root?.pid}.img`,
          subject: file,
          message: `the tree needs a new ${name} namespace, and ${file} is 0`,
          criu_message:
            name === "time"
              ? "timens: Unable to create a new time namespace: No space left on device"
              : name === "net"
                ? "Can't unshare net-namespace: No space left on device"
                : `Can't fork for ${checkpoint.root?.pid}: No space left on device`,
          remedy: raised(`user/max_${name}_namespaces`, { from: 0, to: 1024, stays: false }),
        },
      ];
    });
  },
};
