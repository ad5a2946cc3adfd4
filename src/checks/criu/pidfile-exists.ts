import { dirname } from "../../sys/path.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Context } from "../finding.ts";
import { asGiven, unwritable } from "./work-dir-unwritable.ts";

export const pidfileExists: Check = {
  title: "The pid file cannot be made",
  reads: "--pidfile; what stands at its path, and whether the process that it names is alive",
  why:
    "CRIU writes the pid file when the whole tree is restored, and only as a new file: one that is there already, of the last run or of a crash, " +
    "or a directory that is gone (/run is empty after a boot) fails the restore at its very end.",
  proof: "criu",
  answers: ["repair", "person"],
  run(context) {
    const { request, host } = context;
    const { pidfile } = request;
    if (pidfile === undefined) return [];
    const shared = {
      severity: "blocker",
      image: "",
      subject: pidfile,
    } as const;
    const fails = (problem: string) => `Can't open ${asGiven(context, pidfile)}: ${problem}`;
    if (host.entry(pidfile) !== undefined) {
      const pid = /^\s*(\d+)\s*$/.exec(textAt(context, pidfile))?.[1];
      const holder = host.processes.find((process) => process.pid === Number(pid));
      const names =
        pid === undefined
          ? "it names no process"
          : holder === undefined
            ? `process ${pid}, which it names, is gone`
            : `it names process ${pid} (${holder.comm}), which is alive`;
      return [
        {
          ...shared,
          message: `the pid file ${pidfile} is there already (${names}); CRIU does not overwrite one`,
          criu_message: fails("File exists"),
          remedy: {
            kind: "human",
            text:
              pid !== undefined && holder === undefined
                ? "it is a stale one: remove it"
                : "look at it, then move it away",
            command:
              pid !== undefined && holder === undefined
                ? sh`rm ${pidfile}`
                : sh`mv ${pidfile} ${pidfile}.aside`,
          },
        },
      ];
    }
    const directory = dirname(pidfile);
    const problem = unwritable(context, directory);
    if (problem === undefined) return [];
    const message = `the pid file ${pidfile} cannot be made: ${directory}: ${problem}`;
    if (host.exists(directory))
      return [
        {
          ...shared,
          message,
          criu_message: fails(problem),
          remedy: { kind: "human", text: "name a file elsewhere by --pidfile" },
        },
      ];
    return [
      {
        ...shared,
        message,
        criu_message: fails(problem),
        remedy: {
          kind: "repair",
          text: `make the directory ${directory}, mode 0755, owner 0:0`,
          command: sh`install -d -m 0755 -o 0 -g 0 ${directory}`,
          repair: {
            action: "mkdir",
            root: "/",
            path: directory,
            mode: 0o755,
            uid: 0,
            gid: 0,
          },
        },
      },
    ];
  },
};

/** The first bytes of a file as text; none when it cannot be read. */
export const textAt = ({ host }: Context, path: string): string =>
  Buffer.from(host.bytes(path, 0, 256) ?? []).toString("latin1");
