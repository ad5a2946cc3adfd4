/** What this machine offers a restore. */
import {
  type Found,
  identify,
  isBeyondKnown,
  knows,
  NEWEST_KNOWN,
  type Refusal,
  startRefusal,
} from "../criu/index.ts";
import {
  criuHas,
  type KnownFault,
  knownFaults,
  showsOn,
  versionsOf,
} from "../criu/known-faults.ts";
import { readSettingsFile } from "../criu/settings.ts";
import type { Host } from "../host/index.ts";

/** What was looked at, and what it would mean for a restore if it were not as it should be. */
export interface Looked {
  readonly name: string;
  readonly state: "ok" | "warning" | "missing";
  readonly found: string;
  readonly means: string;
}

/** What is told of it: of what is well there is nothing to mean. */
export type Fact = { readonly name: string; readonly found: string } & (
  | { readonly state: "ok"; readonly means: null }
  | { readonly state: "warning" | "missing"; readonly means: string }
);

export const factOf = ({ name, found, state, means }: Looked): Fact =>
  state === "ok" ? { name, state, found, means: null } : { name, state, found, means };

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

/** Of the CRIU that was found, of `others` that may be taken instead, kernel, privileges and cgroups. */
export async function diagnose(
  criu: Found,
  others: readonly string[],
  host: Host,
): Promise<Looked[]> {
  return [
    ...(await criuFacts(criu, host)),
    ...(await Promise.all(others.map(otherFacts))).flat(),
    ...configFacts(),
    kernelFact(host),
    ...privilegeFacts(host),
    cgroupFact(host),
  ];
}

async function criuFacts(criu: Found, host: Host): Promise<Looked[]> {
  const passed = (criu.passed ?? []).map((found): Looked => ({
    name: "criu",
    state: "warning",
    found,
    means:
      "a CRIU that others can change is not looked for in PATH: it would be theirs to run as root",
  }));
  if (!criu.ok)
    return [
      ...passed,
      {
        name: "criu",
        state: "missing",
        found: criu.problem,
        means: "nothing can be restored; install criu, or name it by --criu",
      },
    ];
  const changed = host.changeable(criu.path);
  const { version, problem } = await identify(criu.path);
  const refusal = startRefusal(criu.path);
  return [
    ...passed,
    {
      name: "criu",
      state: version === undefined ? "missing" : changed === undefined ? "ok" : "warning",
      found: `${criu.path}, version ${version ?? "unknown"}`,
      means:
        version === undefined
          ? (problem ?? "it does not say which one it is")
          : `others can change it: ${changed}`,
    },
    ...(version === undefined ? [] : versionFacts(version, host.kernel)),
    {
      name: "criu check",
      ...checked(refusal),
    },
    ...(!knows(version, "breakpointsTried", false) && host.breakpoints === false
      ? [
          {
            name: "breakpoints",
            state: "warning" as const,
            found: "hardware breakpoints do not work",
            means: "CRIU before 4.2 hangs without CRIU_FAULT=130, which recriu sets for a restore",
          },
        ]
      : []),
  ];
}

function checked(refusal: Refusal): Pick<Looked, "state" | "found" | "means"> {
  if (refusal.kind === "none") return { state: "ok", found: "looks good", means: "" };
  return refusal.kind === "refused"
    ? { state: "missing", found: refusal.line, means: "this CRIU cannot restore on this kernel" }
    : {
        state: "warning",
        found: "no answer in ten seconds",
        means: "whether this CRIU can restore on this kernel is not known: run criu check",
      };
}

/** One that is taken where the first cannot restore a checkpoint. */
async function otherFacts(path: string): Promise<Looked[]> {
  const { version, problem } = await identify(path);
  const fact: Looked = {
    name: "criu",
    state: version === undefined ? "warning" : "ok",
    found: `${path}, version ${version ?? "unknown"}: for what the first cannot restore`,
    means: problem ?? "it does not say which one it is",
  };
  return version === undefined ? [fact] : [fact, ...beyondFacts(version)];
}

const beyondFacts = (version: string): Looked[] =>
  isBeyondKnown(version)
    ? [
        {
          name: "criu version",
          state: "warning",
          found: `${version} is newer than ${NEWEST_KNOWN}, the last that this recriu was tried with`,
          means:
            "what its options and images have beyond that is told (option-unknown, field-unknown), not looked at; called as criu, recriu steps aside for images of another version",
        },
      ]
    : [];

/** What is known of this CRIU on this kernel, and that nothing is. */
function versionFacts(version: string, kernel: string): Looked[] {
  const faults = knownFaults.filter(
    (fault: KnownFault) =>
      fault.concerns !== "every start" &&
      criuHas(fault, version) &&
      showsOn(fault, kernel) !== "no",
  );
  return [
    ...beyondFacts(version),
    ...faults.map((fault: KnownFault): Looked => ({
      name: "criu fault",
      state: "warning",
      found: `CRIU ${versionsOf(fault)}: ${fault.what}`,
      means: `what helps: ${fault.remedy} (${fault.sources.join(", ")})`,
    })),
  ];
}

/** Of recriu's own configuration file, where it is not what counts. */
function configFacts(): Looked[] {
  const { problem, ignored } = readSettingsFile();
  const found = problem ?? ignored;
  if (found === undefined) return [];
  const means =
    problem === undefined
      ? "give it and its directory to root, and take the right to write from others"
      : "recriu does not start as long as it does not know what it is to do";
  return [{ name: "recriu.conf", state: "warning", found, means }];
}

function kernelFact(host: Host): Looked {
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

function privilegeFacts(host: Host): Looked[] {
  const user: Looked = {
    name: "user",
    state: host.effectiveUid === 0 ? "ok" : "warning",
    found: `uid ${host.effectiveUid}`,
    means: "CRIU wants root, or --unprivileged",
  };
  const lacking = capabilities.filter(([bit]) => (host.capabilities & (1n << bit)) === 0n);
  return [
    user,
    ...lacking.map(([bit, name, means]): Looked => ({
      name,
      state: bit === 21n ? "missing" : "warning",
      found: "not in effect",
      means,
    })),
  ];
}

function cgroupFact(host: Host): Looked {
  const found = host.cgroupMounts.map((mount) =>
    mount.controllers[0] === "" ? "cgroup2" : mount.controllers.join(","),
  );
  const writable = host.cgroupMounts.every(({ readOnly }) => readOnly !== "hierarchy");
  return {
    name: "cgroups",
    state: found.length > 0 && writable ? "ok" : "warning",
    found: found.length > 0 ? found.join(" ") : "none mounted",
    means: "trees with cgroups of their own need --manage-cgroups=ignore, which recriu adds",
  };
}
