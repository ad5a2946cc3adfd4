/** CRIU itself and the rights it needs. */
import { compareVersions, knows, since } from "../criu/index.ts";
import { criuHas, knownFault } from "../criu/known-faults.ts";
import { byName } from "../criu/option-names.ts";
import { isScratch } from "../criu/scratch.ts";
import { again } from "./again.ts";
import type { Check, Context, Leaving } from "./finding.ts";
import { otherWorkDir } from "./workdir.ts";
import { sh } from "../sys/shell.ts";

const CAP_SYS_ADMIN = 1n << 21n;
const CAP_CHECKPOINT_RESTORE = 1n << 40n;

/** Where CRIU makes them, with those that are there already. */
export function scratchLeavings(context: Context): Leaving[] {
  const { host, request } = context;
  return [otherWorkDir(context) ?? request.workDir, "/tmp"].flatMap((directory): Leaving[] => {
    const opened = host.root(directory);
    if (!opened.ok) return [];
    const known = opened.root.list("/").filter(isScratch);
    return [{ kind: "scratch", root: directory, path: "/", known }];
  });
}

export const criuMissing: Check = {
  id: "criu-missing",
  title: "CRIU is not on this machine",
  reads: "--criu, RECRIU_CRIU, PATH and the system's sbin directories",
  why: "recriu prepares and proves a restore; the restore itself is done by CRIU, which has to be installed.",
  proof: "harm",
  run({ criu, own, noCriu = "no criu was found" }) {
    if (criu !== undefined) return [];
    const by = own.from.criu;
    return [
      {
        id: "criu-missing",
        severity: "blocker",
        task: null,
        image: "",
        subject: own.criu ?? "criu",
        message: `there is no CRIU to run: ${noCriu}`,
        criu_message: null,
        remedy:
          by === undefined
            ? {
                kind: "human",
                text: "install it, or name it by --criu=PATH",
                command: sh`apt-get install criu || dnf install criu`,
              }
            : {
                kind: "human",
                text: `correct what ${by} says, or take it away: then recriu looks in PATH`,
                command: null,
              },
      },
    ];
  },
};

export const criuUnstartable: Check = {
  id: "criu-unstartable",
  title: "This CRIU cannot be started on this machine",
  reads: "how criu --version ends",
  why:
    "A file that may be executed need not run: its interpreter or loader is missing, its libraries are of another libc, or it was " +
    "made for another machine. A CRIU that does not even say its version restores nothing.",
  proof: "harm",
  run: ({ criu }) =>
    criu?.problem === undefined
      ? []
      : [
          {
            id: "criu-unstartable",
            severity: "blocker",
            task: null,
            image: "",
            subject: criu.path,
            message: `${criu.path} cannot be started: ${criu.problem}`,
            criu_message: null,
            remedy: {
              kind: "human",
              text: "install a CRIU that runs here, or name one by --criu=PATH",
              command: sh`apt-get install criu || dnf install criu`,
            },
          },
        ],
};

export const criuTooOld: Check = {
  id: "criu-too-old",
  title: "This CRIU is too old for this kernel or these images",
  reads:
    "criu --version; [vvar_vclock] in /proc/self/maps; allow_uprobes in inventory.img; the options given",
  why:
    "Kernels from 6.13 on have one more mapping beside the vDSO, and CRIU before 4.1 takes that for an error at every start. " +
    "Images of a newer CRIU can hold what an older one does not know. recriu knows CRIU 3.17 to 4.3.",
  proof: "criu",
  run({ criu, host, checkpoint, request }) {
    if (criu?.version === undefined) return [];
    const { version } = criu;
    const shared = { id: "criu-too-old", task: null, subject: criu.path } as const;
    const upgrade = (least: string) =>
      ({
        kind: "human",
        text: `install CRIU ${least} or later, or name one by --criu=PATH`,
        command: sh`criu --version`,
      }) as const;
    if (
      criuHas(knownFault("vvar-vclock"), version) &&
      (host.read("/proc/self/maps") ?? "").includes("[vvar_vclock]")
    ) {
      const refusal = criu.startRefusal();
      if (refusal !== undefined) {
        return [
          {
            ...shared,
            severity: "blocker",
            image: "",
            message: `CRIU ${version} cannot start on kernel ${host.kernel}: it does not know the [vvar_vclock] mapping`,
            criu_message: refusal,
            remedy: upgrade(since.vvarVclock),
          },
        ];
      }
    }
    const unknown = [...request.explicit].find((name) => {
      const first = byName(name)?.since;
      return first !== undefined && compareVersions(version, first) < 0;
    });
    if (unknown !== undefined)
      return [
        {
          ...shared,
          severity: "blocker",
          image: "",
          message: `CRIU ${version} does not know the option --${unknown}`,
          criu_message: `unrecognized option '--${unknown}'`,
          remedy: upgrade(byName(unknown)!.since!),
        },
      ];
    if (checkpoint.inventory?.allow_uprobes && !knows(version, "uprobes", true)) {
      return [
        {
          ...shared,
          severity: "warning",
          image: "inventory.img",
          message: `the tree was dumped with --allow-uprobes, which CRIU ${version} does not know`,
          criu_message: null,
          remedy: upgrade(since.uprobes),
        },
      ];
    }
    if (knows(version, "oldestKnown", true)) return [];
    return [
      {
        ...shared,
        severity: "warning",
        image: "",
        message: `CRIU ${version} is older than any that recriu is tested with`,
        criu_message: null,
        remedy: upgrade(since.oldestKnown),
      },
    ];
  },
};

export const privilege: Check = {
  id: "privilege",
  title: "The caller lacks the rights to restore",
  reads:
    "effective user id and capabilities of recriu, which CRIU inherits; what CRIU itself says of them when it starts; --unprivileged",
  why:
    "CRIU needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE. A caller who is not root it takes only with --unprivileged (from 3.18 on), and root with the latter alone " +
    "fails without that option at what takes CAP_SYS_ADMIN: namespaces that CRIU tries out, the tree's clocks. With it the clocks are this machine's. It is added " +
    "unless --unprivileged or --no-unprivileged was given.",
  proof: "criu",
  run({ checkpoint, criu, host, namespaces, own, request }) {
    const root = host.effectiveUid === 0;
    const shared = {
      id: "privilege",
      severity: "blocker",
      task: null,
      image: "",
      subject: `uid ${host.effectiveUid}`,
    } as const;
    const sudo = {
      kind: "human",
      text: root
        ? "run it with CAP_SYS_ADMIN, outside of this container or unit"
        : "run it as root",
      command: root ? null : sh`sudo recriu restore ${again({ own, request })}`,
    } as const;
    if ((host.capabilities & (CAP_SYS_ADMIN | CAP_CHECKPOINT_RESTORE)) === 0n) {
      return [
        {
          ...shared,
          message: "neither CAP_SYS_ADMIN nor CAP_CHECKPOINT_RESTORE is in effect",
          criu_message:
            "CRIU needs to have the CAP_SYS_ADMIN or the CAP_CHECKPOINT_RESTORE capability",
          remedy: sudo,
        },
      ];
    }
    const admin = (host.capabilities & CAP_SYS_ADMIN) !== 0n;
    const { user, ...others } = namespaces.own;
    // Of such a tree CRIU has to make namespaces, whatever it is told.
    const needsAdmin = !user && Object.values(others).includes(true);
    if (request.unprivileged ? admin || !needsAdmin : admin && root) return [];
    const unprivileged = knows(criu?.version, "unprivileged", false);
    return [
      {
        ...shared,
        message: root
          ? `CAP_SYS_ADMIN is not in effect, only CAP_CHECKPOINT_RESTORE${needsAdmin ? ", and the tree has namespaces of its own" : ""}`
          : "the caller is not root",
        criu_message: !root
          ? "Running as non-root requires '--unprivileged'"
          : needsAdmin
            ? null
            : (criu?.startRefusal() ?? refusalAtClocks(checkpoint)),
        remedy:
          needsAdmin || !unprivileged
            ? sudo
            : {
                kind: "option",
                text: "do without what takes more rights; the tree's clocks become this machine's",
                command: null,
                option: "--unprivileged",
                automatic: !request.explicit.has("unprivileged"),
              },
      },
    ];
  },
};

/** Where CRIU fails that has tried the kernel out before. */
const refusalAtClocks = ({ files }: Context["checkpoint"]): string | null =>
  files.has("timens-0.img")
    ? "timens: Unable to create a new time namespace: Operation not permitted"
    : null;
