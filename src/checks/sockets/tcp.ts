/** TCP connections (sk-tcp.c, soccr/soccr.c). */
import { filesWith, type InetSkEntry } from "../../image/index.ts";
import type { Context, Problem } from "../finding.ts";
import { bytesOf, closesConnections, isConnection, textOf } from "./inet-entries.ts";

/** Connections that CRIU brings back as they were, or refuses to; none when they are restored closed. */
export function connections(context: Context): InetSkEntry[] {
  if (closesConnections(context)) return [];
  return filesWith(context.checkpoint, "isk")
    .map(({ isk }) => isk)
    .filter(isConnection);
}

export const about = (severity: Problem["severity"], entry: InetSkEntry) => ({
  severity,
  image: `files.img id 0x${entry.id.toString(16)}`,
  subject: shown(entry),
});

export function shown(entry: InetSkEntry): string {
  const [source, destination] = [entry.src_addr, entry.dst_addr].map((words) =>
    bytesOf(entry.family, words),
  );
  if (source === undefined || destination === undefined) return `socket:[${entry.ino}]`;
  return `${textOf(source, entry.src_port)} - ${textOf(destination, entry.dst_port)}`;
}

export const streamOf = (entry: InetSkEntry): string => `tcp-stream-${entry.ino.toString(16)}.img`;
