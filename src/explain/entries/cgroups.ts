/** Control groups. */
import type { Entry } from "../entry.ts";

export const cgroups: readonly Entry[] = [
  {
    pattern:
      /cg: (?:Can't move (?:.* )?into|Can't mount controller dir|Can't make cgroup dir|Cgroup dir .* doesn't exist)/,
    check: "cgroup-missing",
    cause: "the cgroups of the dump cannot be had on this machine",
    remedy: "--manage-cgroups=ignore leaves the tree in the cgroup that the restore is run from",
    since: "3.17",
    issues: ["#1793", "PR #1800", "#1524", "#453"],
    example: "cg: Can't move into unified//demo/cgroup.procs (-1/-1): Operation not supported",
    from: "staged",
  },
  {
    pattern: /cg: (?:bad cgroup path: (?<path>\S+):|Failed writing (?<value>.*) to (?<file>\S+))/,
    check: "cgroup-property",
    cause: "a setting of a cgroup is refused: $<path>$<file>",
    remedy:
      "make the cgroup beforehand: CRIU leaves the settings of one that is there alone; or --manage-cgroups=ignore",
    issues: ["#16"],
    example: "cg: Failed writing 0-63 to cpuset//demo/cpuset.cpus: Invalid argument",
    from: "staged",
  },
  {
    pattern: /cg: (?:No set (?<set>\S+) found|No cg_controller_entry found)/,
    check: "cgroup-set-missing",
    remedy: "--manage-cgroups=ignore",
    example: "cg: No set 77 found",
    from: "staged",
  },
  {
    pattern: /cgroupd: Can't move thread/,
    check: "cgroup-thread",
    remedy: "--manage-cgroups=ignore",
    example: "cgroupd: Can't move thread 12 into pids//demo",
    from: "source",
  },
  {
    pattern: /couldn't set cgns prefix|couldn't unshare cgns/,
    check: "cgroup-namespace",
    remedy: "--manage-cgroups=ignore, which leaves the cgroup namespace out",
    example: "cg: couldn't set cgns prefix pids//demo/cgroup.procs",
    from: "source",
  },
  {
    pattern: /cg: (?:Can't open cgyard|CG paths mismatch)/,
    check: "cgroup-option",
    remedy:
      "--cgroup-yard names a directory with cgroups mounted; of --cgroup-root one for each controller",
    example: "cg: Can't open cgyard: No such file or directory",
    from: "staged",
  },
];
