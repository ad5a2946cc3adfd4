/** The directory that CRIU works in: its log, its statistics, its yard of cgroups (crtools.c, log.c, cgroup.c). */
import { ENOENT, ENOTDIR, errorText } from "../../sys/errno.ts";
import { dirname } from "../../sys/path.ts";
import { sh } from "../../sys/shell.ts";
import { again } from "../again.ts";
import type { Check, Context, Problem, Remedy } from "../finding.ts";
import { constants } from "node:fs";

/** Why a file cannot be made in a directory; undefined when it can. */
export function unwritable({ host }: Context, directory: string): string | undefined {
  const problem = host.access(directory, constants.W_OK | constants.X_OK);
  return problem < 0 ? errorText(problem) : undefined;
}

/** A path as the user wrote it, and as CRIU names it. */
export const asGiven = ({ request: { typed } }: Context, path: string): string =>
  typed.get(path) ?? path;

/** Whether CRIU makes its yard for cgroups in the work directory (cgroup.c, prepare_cgroup_sfd). */
const makesYard = ({ checkpoint, request }: Context): boolean =>
  request.manageCgroups.value !== "ignore" &&
  request.cgroupYard === undefined &&
  (checkpoint.cgroup?.sets.length ?? 0) > 0;

/** Root alone writes here, and it is empty after a boot. */
const fallback = "/run";

/**
 * The work directory that recriu takes when the images' own cannot be written to. Nothing may have been asked for that
 * CRIU would look for, or put, somewhere else then.
 */
export function otherWorkDir(context: Context): string | undefined {
  const { request, host } = context;
  const relative = [...request.typed].some(
    ([path, typed]) => path !== request.imagesDir && !typed.startsWith("/"),
  );
  if (request.explicit.has("work-dir") || relative || request.lazyPages) return undefined;
  if (host.effectiveUid !== 0 || unwritable(context, fallback) !== undefined) return undefined;
  return makesYard(context) && unwritable(context, request.workDir) !== undefined
    ? fallback
    : undefined;
}

export const workDirUnwritable: Check = {
  title: "CRIU cannot write where it works",
  reads:
    "--work-dir (else --images-dir), --log-file, --manage-cgroups, cgroup.img; the directories' permissions and mounts",
  why:
    "CRIU works in the images directory unless told otherwise: its log, its statistics and a directory that it mounts cgroups in go there. " +
    "On read-only images a restore with cgroups fails for that alone.",
  proof: "criu",
  answers: ["option", "person"],
  run(context) {
    const { request } = context;
    const { workDir } = request;
    const shared = { image: "" } as const;
    const other: Remedy = {
      kind: "human",
      text: "work in a directory that can be written to; relative paths of other options lead there too",
      command: sh`mkdir -p /run/criu-work && recriu restore ${again(context)} --work-dir=/run/criu-work`,
    };
    const closed = notEnterable(context, workDir);
    if (closed !== undefined) {
      return [
        {
          ...shared,
          severity: "blocker",
          subject: workDir,
          message: `CRIU cannot work in ${workDir}: ${closed}`,
          criu_message: `Can't change directory to ${asGiven(context, workDir)}: ${closed}`,
          remedy: {
            kind: "human",
            ...(closed === errorText(ENOENT)
              ? {
                  text: "make it, or name another one by --work-dir",
                  command: sh`mkdir -p ${workDir}`,
                }
              : { text: "name another one by --work-dir", command: null }),
          },
        },
      ];
    }
    const findings: Problem[] = [];
    const { logFile } = request;
    if (logFile !== undefined && logFile !== "-") {
      const problem = unwritableFile(context, logFile);
      if (problem !== undefined)
        findings.push({
          ...shared,
          severity: "blocker",
          subject: logFile,
          message: `CRIU cannot write its log ${logFile}: ${problem}`,
          criu_message: `Can't create log file ${asGiven(context, logFile)}: ${problem}`,
          remedy:
            asGiven(context, logFile) === logFile
              ? {
                  kind: "human",
                  text: "log to another file, or leave --log-file out: then CRIU logs to stderr",
                }
              : other,
        });
    }
    const problem = unwritable(context, workDir);
    if (problem === undefined) return findings;
    if (makesYard(context)) {
      const automatic = otherWorkDir(context);
      findings.push({
        ...shared,
        severity: "blocker",
        subject: workDir,
        message: `CRIU makes a directory for cgroups in ${workDir}, which it cannot: ${problem}`,
        criu_message: `cg: Can't make temp cgyard dir: ${problem}`,
        remedy:
          automatic === undefined
            ? other
            : {
                kind: "option",
                text: `let CRIU work in ${automatic}`,
                option: `--work-dir=${automatic}`,
                automatic: true,
              },
      });
    }
    if (findings.length === 0)
      findings.push({
        ...shared,
        severity: "info",
        subject: workDir,
        message: `CRIU cannot write its statistics into ${workDir}: ${problem}; the restore does not need them`,
        criu_message: `Unable to open stats-restore: ${problem}`,
        remedy: other,
      });
    return findings;
  },
};

/** Why chdir(2) fails; undefined when it does not. */
function notEnterable({ host }: Context, directory: string): string | undefined {
  const opened = host.root(directory);
  if (!opened.ok && opened.problem === errorText(ENOTDIR)) return opened.problem;
  const problem = host.access(directory, constants.X_OK);
  return problem < 0 ? errorText(problem) : undefined;
}

/** Why a file cannot be opened for writing, made if need be; undefined when it can, or a dangling link leads elsewhere. */
function unwritableFile(context: Context, path: string): string | undefined {
  const { host } = context;
  if (!host.exists(path))
    return host.entry(path) === undefined ? unwritable(context, dirname(path)) : undefined;
  const problem = host.access(path, constants.W_OK);
  return problem < 0 ? errorText(problem) : undefined;
}
