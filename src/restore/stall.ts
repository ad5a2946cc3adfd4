/** Whether CRIU gets anywhere, looked at from outside: it can wait for ever on a lock, or read on at the end of a file. */
import { childrenOf, descendantsOf, linkOf, procFile } from "../host/processes.ts";

/** Looks in the time that counts as a stall. */
const LOOKS = 4;

/**
 * Call `onStall` once, when CRIU and what it has made have made no task and read no byte for `seconds`: all that a restore
 * gives back it reads, the contents of files that it writes, too. Processor time is no progress, and neither are bytes
 * written, which each of them logs while it turns in a circle. What reads the same bytes again and again is not noticed. A
 * script that CRIU waits for takes the time that it takes. Returns a function that ends the watch.
 */
export function watchForStall(criu: number, seconds: number, onStall: () => void): () => void {
  if (seconds === 0) return () => {};
  let last = "";
  let same = 0;
  const look = () => {
    const now = runsScript(criu) ? "" : marks(criu);
    same = now !== "" && now === last ? same + 1 : 0;
    last = now;
    if (same < LOOKS) return;
    clearInterval(timer);
    onStall();
  };
  const timer = setInterval(look, (seconds * 1000) / LOOKS);
  return () => clearInterval(timer);
}

/** What changes when a restore goes on: the processes that are there, and how many bytes each has read (proc_pid_io(5)). */
function marks(criu: number): string {
  return [criu, ...descendantsOf(criu)]
    .map((pid) => `${pid} ${/^rchar: \d+$/m.exec(procFile(pid, "io") ?? "")?.[0]}`)
    .join("\n");
}

/** A child of CRIU that runs a shell's or another program's file: tasks begin as CRIU's own. */
function runsScript(criu: number): boolean {
  const recriu = linkOf(criu, "exe");
  return childrenOf(criu).some((pid) => {
    const exe = linkOf(pid, "exe");
    return exe !== undefined && exe !== recriu;
  });
}
