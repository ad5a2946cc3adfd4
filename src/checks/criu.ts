/** CRIU itself and the rights it needs. */
import { compareVersions } from "../criu/index.ts";
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
  reads: "criu --version; [vvar_vclock] in /proc/self/maps; allow_uprobes in inventory.img",
  why:
    "Kernels from 6.13 on have one more mapping beside the vDSO, and CRIU before 4.1 takes that for an error at every start. " +
    "Images of a newer CRIU can hold what an older one does not know. recriu knows CRIU 3.17 to 4.2.",
  proof: "criu",
  run({ criu, host, checkpoint }) {
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
      compareVersions(version, "4.1") < 0 &&
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
            remedy: upgrade("4.1"),
          },
        ];
      }
    }
    if (checkpoint.inventory?.allow_uprobes && compareVersions(version, "4.2") < 0) {
      return [
        {
          ...shared,
          severity: "warning",
          image: "inventory.img",
          message: `the tree was dumped with --allow-uprobes, which CRIU ${version} does not know`,
          criu_message: null,
          remedy: upgrade("4.2"),
        },
      ];
    }
    if (compareVersions(version, "3.17") >= 0) return [];
    return [
      {
        ...shared,
        severity: "warning",
        image: "",
        message: `CRIU ${version} is older than any that recriu is tested with`,
        criu_message: null,
        remedy: upgrade("3.17"),
      },
    ];
  },
};

export const privilege: Check = {
  id: "privilege",
  title: "The caller lacks the rights to restore",
  reads: "effective user id and capabilities of recriu, which CRIU inherits",
  why: "CRIU needs CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE, and takes a caller that is not root only with --unprivileged.",
  proof: "criu",
  run({ host, own, request }) {
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
      text: "run it as root",
      command: sh`sudo recriu restore ${again({ own, request })}`,
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
    if (root || request.unprivileged) return [];
    return [
      {
        ...shared,
        message: "the caller is not root",
        criu_message: "Running as non-root requires '--unprivileged'",
        remedy: sudo,
      },
    ];
  },
};
