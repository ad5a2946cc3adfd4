import { sh } from "../../sys/shell.ts";
import type { Check } from "../finding.ts";

export const rootIgnored: Check = {
  title: "--root is given, and the tree would not live there",
  reads:
    "mnt_ns_id of the root task in ids-*.img and of CRIU in inventory.img; --root, the container's configuration",
  why:
    "CRIU uses --root only for a tree that was dumped with a mount namespace of its own. Without one it says nothing and restores the tree " +
    "into the file systems that it sees itself, this machine's: what was to be a container has this machine's files, with all the rights that the " +
    "images give it. Under recriu-runc and recriu-crun the bundle says whether that is meant: bundle-namespace.",
  proof: "harm",
  run({ checkpoint, namespaces, request, host, bundle }) {
    const { root } = request;
    const ids = checkpoint.root?.ids;
    if (root === undefined || ids === undefined || namespaces.created.mnt || bundle !== undefined)
      return [];
    if (host.identity(root) === host.identity("/")) return [];
    const where = request.joinNs.some(({ ns }) => ns === "mnt")
      ? "the mount namespace of --join-ns"
      : "this machine's own file systems";
    return [
      {
        severity: "blocker",
        task: checkpoint.root!.pid,
        image: `ids-${checkpoint.root!.pid}.img`,
        subject: root,
        message: `the tree has no mount namespace of its own: CRIU would ignore ${sh`--root ${root}`} and restore it in ${where}`,
        remedy: {
          kind: "human",
          text: "if it is to run there, leave --root out; a container's images have a mount namespace",
        },
      },
    ];
  },
};
