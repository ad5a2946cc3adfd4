import { errorText } from "../../sys/errno.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { textAt } from "./pidfile-exists.ts";
import { asGiven } from "./work-dir-unwritable.ts";
import { constants } from "node:fs";

export const scriptNotExecutable: Check = {
  title: "An action script cannot be run",
  reads: "--action-script; the file, its mode and the interpreter that its first line names",
  why:
    "CRIU runs every action script at each of its points, the first before anything is restored, and takes one that cannot be started " +
    "for one that refuses.",
  proof: "criu",
  run: (context) =>
    context.request.actionScripts.values().flatMap((script): Problem[] => {
      const problem = notRunnable(context, script);
      if (problem === undefined) return [];
      return [
        {
          severity: "blocker",
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
