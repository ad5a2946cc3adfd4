/** --cgroup-root and --cgroup-yard (cgroup.c). */
import type { Check, Problem } from "../finding.ts";
import { ignored, newRoots } from "./cgroup-tree.ts";

export const cgroupOption: Check = {
  title: "--cgroup-root or --cgroup-yard cannot be followed",
  reads: "cgroup.img; the options and the yard's directory",
  why:
    "A yard must be a directory in which the hierarchies are mounted already. A hierarchy of several controllers has one new root: " +
    "--cgroup-root cannot give two of them different ones.",
  proof: "criu",
  run(context) {
    const { checkpoint, request, host } = context;
    if (ignored(context) || checkpoint.cgroup!.sets.length === 0) return [];
    const shared = {
      severity: "blocker",
      image: "cgroup.img",
    } as const;
    const findings: Problem[] = [];
    const yard = request.cgroupYard;
    if (yard !== undefined && !host.exists(yard))
      findings.push({
        ...shared,
        subject: yard,
        message: `the yard ${yard} of --cgroup-yard is not there`,
        criu_message: "cg: Can't open cgyard: No such file or directory",
        remedy: {
          kind: "human",
          text: "name the directory in which the hierarchies are mounted, or leave --cgroup-yard away",
        },
      });
    for (const controller of checkpoint.cgroup!.controllers) {
      const { cnames } = controller;
      const roots = newRoots(context, controller);
      if (roots.length < 2) continue;
      findings.push({
        ...shared,
        subject: cnames.join(","),
        message: `the controllers ${cnames.join(",")} are one hierarchy and cannot have the roots ${roots.join(" and ")}`,
        criu_message: `cg: CG paths mismatch: ${roots[0]} ${roots[1]}`,
        remedy: {
          kind: "human",
          text: "give all of them one root: leave out all of these options but one",
        },
      });
    }
    return findings;
  },
};
