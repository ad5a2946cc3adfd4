/** Namespaces of others that the restore is to go into, as CRIU understands their names (namespaces.c, check_ns_file). */
import type { Check, Problem } from "../finding.ts";

/** A larger number CRIU takes for the name of a file. */
const MOST = 65535;

export const joinNsMissing: Check = {
  title: "The namespace that --join-ns names is not there",
  reads: "--join-ns; the process or file that it names",
  why:
    "CRIU looks for a process of that number, or for a file. A number above 65535 it takes for a file, although processes have such numbers: the file in /proc that " +
    "stands for the namespace does for all.",
  proof: "criu",
  answers: ["choice", "person"],
  waits: true,
  run: ({ host, request }) =>
    request.joinNs.values().flatMap(({ ns, target }): Problem[] => {
      const number = /^[+]?\d+$/.test(target) ? Number(target) : undefined;
      const process = number !== undefined && host.exists(`/proc/${number}`);
      const asPid = number !== undefined && number > 0 && number <= MOST;
      if (asPid ? process : host.exists(target)) return [];
      return [
        {
          severity: "blocker",
          image: "",
          subject: target,
          message: process
            ? `CRIU takes ${target} of --join-ns for a file, as it is above ${MOST}`
            : `--join-ns names ${target}, and there is no such ${asPid ? "process" : "file"}`,
          criu_message: asPid
            ? `Invalid join_ns pid: /proc/${target} not found`
            : `Can't access join-ns file ${target}: No such file or directory`,
          remedy: process
            ? {
                kind: "option",
                text: "name the file that stands for it, in place of the number",
                option: `--join-ns ${ns}:/proc/${number}/ns/${ns}`,
                automatic: false,
              }
            : { kind: "human", text: "name one that is there" },
        },
      ];
    }),
};
