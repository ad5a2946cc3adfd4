/** Numbers in a message, and what they are in the images that it is of. */
import type { LogLine } from "../criu/log.ts";
import type { Checkpoint } from "../image/index.ts";
import { type Bytes, fromBytes } from "../sys/text.ts";

/** What ids in a message stand for, by the images: `id 0x4d` is a file, a pid is a task. */
export function aboutOf(checkpoint: Checkpoint, cause: LogLine): string[] {
  const about: string[] = [];
  const task = checkpoint.tasks.find(({ pid }) => pid === cause.pid);
  if (task !== undefined)
    about.push(`task ${task.pid}: ${task.core?.thread_core?.comm ?? task.core?.tc?.comm ?? "?"}`);
  for (const [, id] of cause.message.matchAll(/\bid:?[ =](0x[0-9a-f]+|\d+)\b/g)) {
    const file = checkpoint.openFiles.get(Number(id));
    const name = file?.reg?.name ?? (file?.usk && socketName(file.usk.name));
    if (name) about.push(`id ${id}: ${name}`);
  }
  return about;
}

const socketName = (name: Bytes): string =>
  fromBytes(name).replace(/^\0/, "@").replace(/\0.*$/s, "");
