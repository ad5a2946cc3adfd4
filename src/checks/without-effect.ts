/** Options that confine the tree, and that CRIU passes over without a word when the images give them nothing to do. */
import { sh } from "../sys/shell.ts";
import { ignored } from "./cgroup-tree.ts";
import type { Check, Finding } from "./finding.ts";
import { runningLsm } from "./lsm.ts";
import { threadsWithCreds } from "./rights.ts";

export const rootIgnored: Check = {
  id: "root-ignored",
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
    if (root === undefined || ids === undefined || namespaces.own.mnt || bundle !== undefined)
      return [];
    if (host.identity(root) === host.identity("/")) return [];
    const where = request.joinNs.some(({ ns }) => ns === "mnt")
      ? "the mount namespace of --join-ns"
      : "this machine's own file systems";
    return [
      {
        id: "root-ignored",
        severity: "blocker",
        task: checkpoint.root!.pid,
        image: `ids-${checkpoint.root!.pid}.img`,
        subject: root,
        message: `the tree has no mount namespace of its own: CRIU would ignore ${sh`--root ${root}`} and restore it in ${where}`,
        criu_message: null,
        remedy: {
          kind: "human",
          text: "if it is to run there, leave --root out; a container's images have a mount namespace",
          command: null,
        },
      },
    ];
  },
};

export const optionIgnored: Check = {
  id: "option-ignored",
  title: "An option that confines the tree would have no effect",
  reads:
    "--empty-ns, --cgroup-root, --lsm-profile, --skip-mnt; namespaces, cgroups and labels in the images",
  why:
    "CRIU passes over these without a word: --empty-ns net for a tree without a network namespace of its own (it gets that of the restore), --cgroup-root " +
    "with --manage-cgroups=ignore or without cgroups in the images, --lsm-profile for tasks that had no label at the dump, and --skip-mnt, which only a dump heeds.",
  proof: "harm",
  run(context) {
    const { checkpoint, namespaces, request } = context;
    const found = (
      option: string,
      message: string,
      text: string,
      severity: Finding["severity"] = "warning",
    ): Finding => ({
      id: "option-ignored",
      severity,
      task: null,
      image: "",
      subject: option,
      message,
      criu_message: null,
      remedy: { kind: "human", text, command: null },
    });
    const findings: Finding[] = [];
    if (request.emptyNs.length > 0 && !namespaces.own.net)
      findings.push(
        found(
          "--empty-ns net",
          "the tree has no network namespace of its own: --empty-ns net has no effect, it gets the network that the restore is run in",
          "run the restore in an empty one, its loopback up: unshare --net, ip link set lo up",
        ),
      );
    if (request.cgroupRoot.length > 0 && ignored(context))
      findings.push(
        found(
          "--cgroup-root",
          request.manageCgroups.value === "ignore"
            ? "with --manage-cgroups=ignore --cgroup-root has no effect: the tree stays in the cgroups that the restore is run in"
            : "the images have no cgroups: --cgroup-root has no effect, the tree stays in those that the restore is run in",
          "run the restore in the cgroups that the tree is to be in",
        ),
      );
    const profile = request.lsmProfile;
    const runs = runningLsm(context).toLowerCase();
    if (profile?.startsWith(`${runs}:`) && runs !== "none") {
      const threads = threadsWithCreds(checkpoint);
      const without = threads.find(({ creds }) => !creds.lsm_profile);
      if (without !== undefined)
        findings.push({
          ...found(
            `--lsm-profile ${profile}`,
            `thread ${without.thread.tid} had no security label at the dump: --lsm-profile ${profile} has no effect on it, it comes back unconfined`,
            "run the restore itself under the profile, which the tree then inherits: aa-exec, runcon",
            threads.some(({ creds }) => creds.lsm_profile) ? "warning" : "blocker",
          ),
          task: without.task,
          image: `core-${without.thread.tid}.img`,
        });
    }
    if (request.explicit.has("skip-mnt") && namespaces.own.mnt)
      findings.push(
        found(
          "--skip-mnt",
          "--skip-mnt has no effect on a restore: CRIU mounts all that is in the images",
          "dump again with --skip-mnt",
        ),
      );
    return findings;
  },
};
