/** What this machine offers a restore. */
import { findCriu, startRefusal, identify } from "../criu/index.ts";
import { type Host, thisHost } from "../host/index.ts";

export interface Fact {
  name: string;
  state: "ok" | "warning" | "missing";
  found: string;
  /** What it means for a restore when it is not ok. */
  means: string;
}

/** Capabilities that a restore uses, by bit (capabilities(7)), and what is lost without each. */
const capabilities: readonly [bit: bigint, name: string, means: string][] = [
  [21n, "CAP_SYS_ADMIN", "no restore but of the simplest trees (with CAP_CHECKPOINT_RESTORE)"],
  [24n, "CAP_SYS_RESOURCE", "raised resource limits and negative oom_score_adj do not come back"],
  [
    23n,
    "CAP_SYS_NICE",
    "real-time policies and negative nice values do not come back, and CRIU does not say so",
  ],
  [12n, "CAP_NET_ADMIN", "no TCP connections, no network namespaces"],
  [18n, "CAP_SYS_CHROOT", "no tasks with a root directory of their own"],
  [7n, "CAP_SETUID", "no tasks of other users"],
];

/** Ask for CRIU (`named`: --criu), kernel, privileges and cgroups. */
export async function diagnose(named: string | undefined): Promise<Fact[]> {
  const host = thisHost();
  return [...(await criuFacts(named)), kernelFact(host), ...privilegeFacts(host), cgroupFact(host)];
}

async function criuFacts(named: string | undefined): Promise<Fact[]> {
  const criu = findCriu(named, process.env);
  if (!criu.ok)
    return [
      {
        name: "criu",
        state: "missing",
        found: criu.problem,
        means: "nothing can be restored; install criu, or name it by --criu",
      },
    ];
  const { version, problem } = await identify(criu.path);
  const refusal = startRefusal(criu.path);
  return [
    {
      name: "criu",
      state: version === undefined ? "missing" : "ok",
      found: `${criu.path}, version ${version ?? "unknown"}`,
      means: problem ?? "it does not say which one it is",
    },
    {
      name: "criu check",
      state: refusal === undefined ? "ok" : "missing",
      found: refusal ?? "looks good",
      means: "this CRIU cannot restore on this kernel",
    },
  ];
}

function kernelFact(host: Host): Fact {
  return {
    name: "kernel",
    state: compareRelease(host.kernel, [5, 6]) ? "ok" : "warning",
    found: host.kernel,
    means: "before Linux 5.6 (pidfd_getfd) the options of sockets are not compared",
  };
}

function compareRelease(release: string, [major, minor]: [number, number]): boolean {
  const [a = 0, b = 0] = release.split(".").map(Number);
  return a > major || (a === major && b >= minor);
}

function privilegeFacts(host: Host): Fact[] {
  const user: Fact = {
    name: "user",
    state: host.effectiveUid === 0 ? "ok" : "warning",
    found: `uid ${host.effectiveUid}`,
    means: "CRIU wants root, or --unprivileged",
  };
  const lacking = capabilities.filter(([bit]) => (host.capabilities & (1n << bit)) === 0n);
  return [
    user,
    ...lacking.map(([bit, name, means]): Fact => ({
      name,
      state: bit === 21n ? "missing" : "warning",
      found: "not in effect",
      means,
    })),
  ];
}

function cgroupFact(host: Host): Fact {
  const found = host.cgroupMounts.map((mount) =>
    mount.controllers[0] === "" ? "cgroup2" : mount.controllers.join(","),
  );
  const writable = host.cgroupMounts.every((mount) => !mount.readOnly);
  return {
    name: "cgroups",
    state: found.length > 0 && writable ? "ok" : "warning",
    found: found.length > 0 ? found.join(" ") : "none mounted",
    means: "trees with cgroups of their own need --manage-cgroups=ignore, which recriu adds",
  };
}
