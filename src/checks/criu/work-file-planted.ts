/** Files that CRIU writes in a directory of somebody else's (log.c, stats.c). */
import { basename, dirname, join } from "../../sys/path.ts";
import type { Check, Context, Problem } from "../finding.ts";

export const workFilePlanted: Check = {
  title: "A user has put something in the place of a file that CRIU writes",
  reads:
    "--log-file and stats-restore in the work directory: what stands there, and who may have put it there",
  why:
    "CRIU empties its log and its statistics and writes them anew, through whatever stands at their names: where others may write to " +
    "the directory, a link makes it overwrite a file that they could not, and a FIFO makes it wait.",
  proof: "harm",
  run: (context) =>
    written(context)
      .values()
      .flatMap((path): Problem[] => {
        const planted = context.host.planted(path);
        if (planted === undefined) return [];
        return [
          {
            severity: "blocker",
            image: "",
            subject: path,
            message: `CRIU would write to ${path}, which is ${planted}`,
            remedy: {
              kind: "human",
              text: "look at it and remove it, or give CRIU a work directory that belongs to root (--work-dir)",
            },
          },
        ];
      }),
};

/** With --log-pid every process has a log of its own, its pid behind the name. */
function written({ request, host }: Context): string[] {
  const { logFile, logPerPid, workDir } = request;
  const statistics = join(workDir, "stats-restore");
  if (logFile === undefined || logFile === "-") return [statistics];
  const directory = logPerPid ? host.root(dirname(logFile)) : undefined;
  const name = `${basename(logFile)}.`;
  const others = directory?.ok
    ? directory.root
        .list("/")
        .filter((each) => each.startsWith(name) && /^\d+$/.test(each.slice(name.length)))
    : [];
  return [statistics, logFile, ...others.map((each) => join(dirname(logFile), each))];
}
