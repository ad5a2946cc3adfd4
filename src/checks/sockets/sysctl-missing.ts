import { netns_entry } from "../../image/tables/namespaces.ts";
import type { Check, Problem } from "../finding.ts";
import { netSysctls } from "./net-sysctls.ts";
import { filledIds } from "./net.ts";

export const sysctlMissing: Check = {
  title: "This kernel lacks a network setting that the tree had",
  reads: "sysctls in netns-*.img; /proc/sys/net, --weak-sysctls",
  why:
    "CRIU writes the saved settings of the network namespace, all by name. A kernel that is older or built otherwise may lack some; " +
    "--weak-sysctls leaves those out, which loses them, so recriu does not add it by itself.",
  proof: "images",
  answers: ["choice"],
  run(context) {
    if (context.request.weakSysctls) return [];
    return filledIds(context)
      .values()
      .flatMap((id): Problem[] => {
        const image = `netns-${id}.img`;
        const [entry] = context.checkpoint.values(image, netns_entry);
        if (entry === undefined) return [];
        const lacking = netSysctls(entry).filter(
          ({ directory, name }) => !context.host.exists(`/proc/sys/${directory}/${name}`),
        );
        if (lacking.length === 0) return [];
        const [{ directory, name }] = lacking as [(typeof lacking)[number]];
        return [
          {
            severity: "blocker",
            image,
            subject: lacking.map((one) => `${one.directory}/${one.name}`).join(" "),
            message: `this kernel has no ${lacking.map((one) => `${one.directory}/${one.name}`).join(", ")}`,
            criu_message: `sysctl: Can't open sysctl ${directory}/${name}: No such file or directory`,
            remedy: {
              kind: "option",
              text: "go on without the settings that are not there",
              option: "--weak-sysctls",
              automatic: false,
            },
          },
        ];
      });
  },
};
