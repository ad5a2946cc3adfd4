import { asText, type Infer } from "../../image/index.ts";
import { netns_entry, userns_entry } from "../../image/tables/namespaces.ts";
import type { Check, Problem } from "../finding.ts";
import { filledIds } from "./net.ts";
import { NO_GROUP } from "./ping-group-range.ts";

/** Whether an id exists in the tree's user namespace. */
const isInside = (ids: Infer<typeof userns_entry>["gid_map"] | undefined, id: number): boolean =>
  (ids ?? []).some(({ first, count }) => id >= first && id < first + count);

export const usernsPingRange: Check = {
  title: "CRIU writes groups that the tree's user namespace does not have",
  reads: "ipv4_sysctl in netns-*.img, gid_map in userns-*.img",
  why:
    "CRIU 4.1 saves net.ipv4.ping_group_range with the numbers of this machine, and every CRIU writes what is in the images inside the tree's user namespace: in " +
    "one that maps few groups the kernel takes not even the usual `1 0`, which means no group. recriu does not show CRIU that one, as a new network has it anyway. " +
    "CRIU 4.2 leaves it out of its dumps and translates others.",
  proof: "criu",
  answers: ["edit", "person"],
  run(context) {
    const { checkpoint, namespaces } = context;
    if (!namespaces.created.user) return [];
    const users = `userns-${checkpoint.root?.ids?.user_ns_id}.img`;
    const groups = checkpoint.values(users, userns_entry)[0]?.gid_map;
    return filledIds(context)
      .values()
      .flatMap((id): Problem[] => {
        const image = `netns-${id}.img`;
        const [setting] = checkpoint.values(image, netns_entry)[0]?.ipv4_sysctl ?? [];
        const range = setting?.sarg?.trim().split(/\s+/) ?? [];
        const lacking = range.map(Number).find((group) => !isInside(groups, group));
        if (lacking === undefined) return [];
        const nobody = range.join(" ") === NO_GROUP;
        const why = "no group, as in every new network";
        const from = asText(setting);
        return [
          {
            severity: "blocker",
            task: checkpoint.root?.pid ?? null,
            image,
            subject: `group ${lacking}`,
            message: `CRIU will write the group ${lacking} to ping_group_range inside a user namespace that does not have it`,
            criu_message: "Failed to write net/ipv4/<sysctls>",
            remedy: nobody
              ? {
                  kind: "edit",
                  text: "leave the setting out: a new network has the same",
                  edits: [
                    {
                      file: image,
                      entry: 0,
                      field: "ipv4_sysctl.0",
                      from,
                      to: null,
                      why,
                    },
                  ],
                }
              : {
                  kind: "human",
                  text: "dump again with CRIU 4.2 or later, which translates the groups",
                },
          },
        ];
      });
  },
};
