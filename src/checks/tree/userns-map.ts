import { userns_entry } from "../../image/tables/namespaces.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Problem } from "../finding.ts";

export const usernsMap: Check = {
  title: "User ids of the tree's user namespace are not to be had here",
  reads: "uid_map and gid_map in userns-*.img; /proc/self/uid_map and gid_map",
  why:
    "A user namespace maps its ids to ids of the namespace around it. CRIU writes the old map; the kernel refuses ids that the namespace " +
    "in which CRIU runs does not have itself.",
  proof: "images",
  run(context) {
    const { checkpoint, host, namespaces, request } = context;
    if (!namespaces.created.user || request.joinNs.some(({ ns }) => ns === "user")) return [];
    const image = `userns-${checkpoint.root?.ids?.user_ns_id}.img`;
    const [entry] = checkpoint.values(image, userns_entry);
    return (["uid_map", "gid_map"] as const).values().flatMap((map): Problem[] => {
      const here = host.read(`/proc/self/${map}`);
      const ranges = here
        ?.trim()
        .split("\n")
        .map((row) => row.trim().split(/\s+/).map(Number));
      const holds = (from: number, count: number) =>
        (ranges ?? []).some(
          ([first = 0, , many = 0]) => from >= first && from + count <= first + many,
        );
      const lacking = entry?.[map].find(({ lower_first, count }) => !holds(lower_first, count));
      // Ranges side by side may hold together what none holds alone: only one range is a sure answer.
      if (ranges?.length !== 1 || lacking === undefined) return [];
      const { lower_first: from, count } = lacking;
      return [
        {
          severity: "blocker",
          task: checkpoint.root!.pid,
          image,
          subject: `${map} ${from}-${from + count - 1}`,
          message: `the tree's user namespace maps to the ids ${from} to ${from + count - 1}, which this one (/proc/self/${map}) does not have`,
          criu_message: `Unable to write into ${map}`,
          remedy: {
            kind: "human",
            text: "restore from the machine's first user namespace, or from one with these ids",
            command: sh`cat /proc/self/${map}`,
          },
        },
      ];
    });
  },
};
