import { ignored } from "../cgroups/cgroup-tree.ts";
import type { Check, Problem } from "../finding.ts";
import { threadsWithCreds } from "../rights/capabilities.ts";
import { runningLsm } from "../rights/lsm.ts";

export const optionIgnored: Check = {
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
      severity: Problem["severity"] = "warning",
    ): Problem => ({
      severity,
      image: "",
      subject: option,
      message,
      remedy: { kind: "human", text },
    });
    const findings: Problem[] = [];
    if (request.emptyNs.length > 0 && !namespaces.created.net)
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
    if (request.explicit.has("skip-mnt") && namespaces.created.mnt)
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
