import type { Check } from "../finding.ts";

export const usernsAlone: Check = {
  title: "The tree has a user namespace, and no mount namespace of its own",
  reads: "namespaces in ids-*.img and inventory.img; --join-ns",
  why:
    "CRIU opens a /proc of its own from inside the tree. A process in a user namespace may do that only in a mount namespace that " +
    "belongs to this user namespace, and the tree is to come back in the machine's mount namespace.",
  proof: "criu",
  run({ checkpoint, namespaces, request }) {
    const joins = request.joinNs.some(({ ns }) => ns === "user" || ns === "mnt");
    if (!namespaces.created.user || namespaces.created.mnt || joins) return [];
    return [
      {
        severity: "blocker",
        task: checkpoint.root?.pid ?? null,
        image: `ids-${checkpoint.root?.pid}.img`,
        subject: "mount namespace",
        message:
          "the tree has a user namespace of its own, but lives in the machine's mount namespace",
        criu_message: "Unable to open the proc file system: Operation not permitted",
        remedy: {
          kind: "human",
          text: "no restore can do it: start the program with mount and pid namespaces of its own, too (unshare --user --mount --pid), and dump that",
        },
      },
    ];
  },
};
