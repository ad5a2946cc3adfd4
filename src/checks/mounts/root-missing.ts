import type { Check } from "../finding.ts";

export const rootMissing: Check = {
  title: "The directory of --root cannot be the tree's root",
  reads: "namespaces in inventory.img and ids-*.img; the directory of --root",
  why: "CRIU binds the directory of --root as the root of the new mount namespace. It has to be there and to be a directory; a mount point it need not be.",
  proof: "criu",
  waits: true,
  run(context) {
    const root = context.request.root;
    if (!context.namespaces.created.mnt || root === undefined) return [];
    const opened = context.host.root(root);
    if (opened.ok) return [];
    return [
      {
        severity: "blocker",
        task: context.checkpoint.root?.pid ?? null,
        image: "mountpoints-*.img",
        subject: root,
        message: `the root ${root} of --root cannot be used: ${opened.problem}`,
        criu_message: `Unable to mount ${root}`,
        remedy: {
          kind: "human",
          text: "mount or unpack the root file system there",
        },
      },
    ];
  },
};
