/** The images themselves: what CRIU must be able to read before it can restore anything. */
import type { Fault } from "../../image/index.ts";
import type { Context, Problem } from "../finding.ts";

export function findingsOf(
  context: Context,
  id: string,
  kinds: readonly Fault["kind"][],
): Iterable<Problem> {
  // With --stream the images come through sockets of criu-image-streamer: there are no files.
  if (context.request.stream) return [];
  return context.checkpoint
    .readEverything()
    .values()
    .filter((fault) => kinds.includes(fault.kind))
    .map((fault) => ({
      id,
      severity: fault.kind === "absent" ? "warning" : "blocker",
      task: taskOf(fault.file),
      image: fault.offset === undefined ? fault.file : `${fault.file} at byte ${fault.offset}`,
      subject: fault.file,
      message: `${fault.file}: ${fault.problem}`,
      criu_message: fault.criu_message,
      remedy: {
        kind: "human",
        text: "copy the checkpoint again from where it was made and compare sizes; what an image lacks cannot be made up",
      },
    }));
}

/** core-12.img, mm-12.img … belong to task 12. */
export function taskOf(file: string): number | null {
  const match = /^(?:core|mm|pagemap|fs|ids)-(\d+)\.img$/.exec(file);
  return match === null ? null : Number(match[1]);
}
