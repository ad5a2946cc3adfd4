/** What CRIU itself needs around it: its pid file, scripts that can be run, /tmp (log.c, action-scripts.c, mount.c). */
import { constants } from "node:fs";
import { dirname } from "../sys/path.ts";
import { errorText } from "../sys/errno.ts";
import type { Check, Context, Finding } from "./finding.ts";
import { asGiven, unwritable } from "./workdir.ts";
import { sh } from "../sys/shell.ts";

export const pidfileExists: Check = {
  id: "pidfile-exists",
  title: "The pid file cannot be made",
  reads: "--pidfile; what stands at its path, and whether the process that it names is alive",
  why:
    "CRIU writes the pid file when the whole tree is restored, and only as a new file: one that is there already, of the last run or of a crash, " +
    "or a directory that is gone (/run is empty after a boot) fails the restore at its very end.",
  proof: "criu",
  run(context) {
    const { request, host } = context;
    const { pidfile } = request;
    if (pidfile === undefined) return [];
    const shared = {
      id: "pidfile-exists",
      severity: "blocker",
      task: null,
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
          remedy: { kind: "human", text: "name a file elsewhere by --pidfile", command: null },
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
            id: "pidfile-exists",
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
const textAt = ({ host }: Context, path: string): string =>
  Buffer.from(host.bytes(path, 0, 256) ?? []).toString("latin1");

export const scriptNotExecutable: Check = {
  id: "script-not-executable",
  title: "An action script cannot be run",
  reads: "--action-script; the file, its mode and the interpreter that its first line names",
  why:
    "CRIU runs every action script at each of its points, the first before anything is restored, and takes one that cannot be started " +
    "for one that refuses.",
  proof: "criu",
  run: (context) =>
    context.request.actionScripts.flatMap((script): Finding[] => {
      const problem = notRunnable(context, script);
      if (problem === undefined) return [];
      return [
        {
          id: "script-not-executable",
          severity: "blocker",
          task: null,
          image: "",
          subject: script,
          message: `the action script ${script} cannot be run: ${problem}`,
          criu_message: `execvp("${asGiven(context, script)}", ...) failed: ${problem}`,
          remedy: {
            kind: "human",
            text:
              problem === "Permission denied"
                ? "make it executable"
                : "name a program that is there; CRIU looks for a relative path in its work directory",
            command:
              problem === "Permission denied" && context.host.exists(script)
                ? sh`chmod +x ${script}`
                : null,
          },
        },
      ];
    }),
};

/** What execvp(3) would say; undefined when it would start. */
function notRunnable(context: Context, script: string): string | undefined {
  const { host } = context;
  const program = script.includes("/") ? script : host.program(script);
  if (program === undefined) return "No such file or directory";
  if (!program.includes("/")) return undefined; // PATH leads where only CRIU will be
  const executable = host.access(program, constants.X_OK);
  if (executable < 0) return errorText(executable);
  if (host.root(program).ok) return "Permission denied"; // a directory
  const line = textAt(context, program).split("\n", 1)[0] ?? "";
  const interpreter = /^#![ \t]*([^ \t]+)/.exec(line)?.[1];
  if (interpreter === undefined || !interpreter.startsWith("/") || host.exists(interpreter))
    return undefined;
  return "No such file or directory";
}

export const tmpMissing: Check = {
  id: "tmp-missing",
  title: "CRIU cannot make its directories in /tmp",
  reads: "/tmp on this machine; what CRIU itself says of it when it starts",
  why: "CRIU tries mounts out in /tmp when it starts, and builds mount namespaces there, whatever TMPDIR says.",
  proof: "criu",
  run(context) {
    const { host, criu, namespaces, request } = context;
    const problem = unwritable(context, "/tmp");
    if (problem === undefined) return [];
    const refusal = request.unprivileged ? undefined : criu?.startRefusal();
    const starts = refusal === undefined || !refusal.includes("/tmp/");
    if (starts && !namespaces.own.mnt) return [];
    return [
      {
        id: "tmp-missing",
        severity: "blocker",
        task: null,
        image: "",
        subject: "/tmp",
        message: `CRIU makes directories in /tmp, which it cannot: ${problem}`,
        criu_message: starts
          ? `mnt: Unable to create a temporary directory: ${problem}`
          : refusal.replace(/\.[A-Za-z0-9]{6}:/, ".XXXXXX:"),
        remedy: host.exists("/tmp")
          ? {
              kind: "human",
              text: "make it writable, or mount a tmpfs there",
              command: sh`mount -t tmpfs -o mode=1777 tmpfs /tmp`,
            }
          : {
              kind: "repair",
              text: "make the directory /tmp, mode 1777, owner 0:0",
              command: sh`install -d -m 1777 -o 0 -g 0 /tmp`,
              repair: {
                id: "tmp-missing",
                action: "mkdir",
                root: "/",
                path: "/tmp",
                mode: 0o1777,
                uid: 0,
                gid: 0,
              },
            },
      },
    ];
  },
};
