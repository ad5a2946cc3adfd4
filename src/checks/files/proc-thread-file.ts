import { filesWith } from "../../image/index.ts";
import { typedOption } from "../../sys/shell.ts";
import type { Check, Problem } from "../finding.ts";
import { about } from "./file-content.ts";
import { openedName } from "./used-files.ts";

export const procThreadFile: Check = {
  title: "A file of a thread in /proc is open",
  reads: "paths in files.img; the threads in pstree.img",
  why: "CRIU opens files before it makes the threads: what /proc has only of a thread is not there yet. Of whole processes it is.",
  proof: "criu",
  run(context) {
    const { checkpoint, request } = context;
    const threads = new Map(checkpoint.tasks.map((task) => [task.pid, task.threads]));
    const handed = new Set(request.inheritFds.map(({ key }) => key));
    return filesWith(checkpoint, "reg").flatMap(({ reg }): Problem[] => {
      const path = /^\/proc\/(\d+)\/task\/(\d+)(\/|$)/.exec(reg.name);
      if (path === null || handed.has(openedName(reg))) return [];
      const [pid, tid] = [Number(path[1]), Number(path[2])];
      if (pid === tid || !threads.get(pid)?.some((thread) => thread.tid === tid)) return [];
      return [
        {
          ...about("blocker", {
            task: pid,
            image: `files.img id 0x${reg.id.toString(16)}`,
          }),
          subject: reg.name,
          message: `${reg.name} is open, and thread ${tid} does not exist yet when CRIU opens files`,
          criu_message: `Can't open file ${openedName(reg)} on restore: No such file or directory`,
          remedy: {
            kind: "human",
            text: "hand another file over in its place",
            command: typedOption(`--inherit-fd fd[9]:${openedName(reg)}`, " 9</dev/null"),
          },
        },
      ];
    });
  },
};
