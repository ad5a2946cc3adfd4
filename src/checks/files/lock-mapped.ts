import { locksLost } from "../../image/index.ts";
import type { Check, Problem } from "../finding.ts";

export const lockMapped: Check = {
  title: "A file lock is lost because the file is mapped too",
  reads: "filelocks.img, mm-PID.img, with --file-locks",
  why:
    "CRIU takes the locks of a task again and then closes the files that it opened for the task's mappings. A process that closes any descriptor " +
    "of a file gives up all its fcntl(2) locks on that file, so they are gone, and CRIU exits 0. Databases that map their files (SQLite in a browser) " +
    "lose them. The program goes on as if it had them: no other program may use its files until it has been started anew.",
  proof: "harm",
  blocks: false,
  run({ checkpoint, request }) {
    if (!request.fileLocks) return [];
    return [...Map.groupBy(locksLost(checkpoint), ({ pid }) => pid)].map(
      ([pid, locks]): Problem => {
        const task = checkpoint.tasks.find((one) => one.pid === pid);
        const names = locks.map(({ fd }) => {
          const id = task?.fds.find((open) => open.fd === fd)?.id;
          return (
            (id === undefined ? undefined : checkpoint.openFiles.get(id)?.reg?.name) ??
            `descriptor ${fd}`
          );
        });
        const [first, ...others] = [...new Set(names)];
        const more = others.length === 0 ? "" : ` and ${others.length} more`;
        return {
          severity: "warning",
          task: pid,
          image: "filelocks.img",
          subject: first!,
          message: `task ${pid} will have lost its lock on ${first}${more}: it maps ${others.length === 0 ? "that file" : "those files"}, too`,
          remedy: {
            kind: "human",
            text: "let no other program use these files until this one has been started anew",
          },
        };
      },
    );
  },
};
