import { netns_entry } from "../../image/tables/namespaces.ts";
import { sh } from "../../sys/shell.ts";
import { again } from "../again.ts";
import type { Check, Problem } from "../finding.ts";
import { namespaceIds } from "./net.ts";

export const externalNetns: Check = {
  title: "A network namespace from outside is not handed to CRIU",
  reads: "ext_key in netns-*.img; --inherit-fd",
  why: "The tree's network namespace was dumped as an external one, under a name. The restore has to be given one under that name, as an open descriptor.",
  proof: "criu",
  run: (context) =>
    namespaceIds(context)
      .values()
      .flatMap((id): Problem[] => {
        const image = `netns-${id}.img`;
        const key = context.checkpoint.values(image, netns_entry)[0]?.ext_key;
        if (key === undefined || context.request.inheritFds.some((fd) => fd.key === key)) return [];
        return [
          {
            severity: "blocker",
            image,
            subject: key,
            message: `the tree's network namespace is the external one of the name ${key}, and no --inherit-fd gives it`,
            criu_message: `Unable to find an external netns: ${key}`,
            remedy: {
              kind: "human",
              text: "open the namespace, one of `ip netns`, and hand it over",
              command: sh`recriu restore ${again(context)} --inherit-fd ${`fd[9]:${key}`} 9</run/netns/NAME`,
            },
          },
        ];
      }),
};
