/** What is said first of a checkpoint: when it was written, of which container it is, how large it is, what the dump took. */
import type { Contents } from "../show/contents.ts";
import { count } from "./findings.ts";
import { harmless } from "./terminal.ts";

export function bytes(size: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  let [value, unit] = [size, 0];
  while (value >= 1024 && unit < units.length - 1) [value, unit] = [value / 1024, unit + 1];
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

export const day = (iso: string | null): string =>
  iso?.replace("T", " ").replace(/\..*$/, "") ?? "?";

/** `all`: tasks of the checkpoint; those that are shown may be fewer. */
export function headOf(contents: Contents, all: number): string[] {
  const { images, tasks, format, architecture, written, memory, size } = contents;
  const threads = tasks.reduce((sum, task) => sum + task.threads.length, 0);
  const counted =
    tasks.length === all
      ? `${count(all, "task")}, ${count(threads, "thread")}, ${bytes(memory)} of memory`
      : `${tasks.length} of ${count(all, "task")}; of all ${bytes(memory)} of memory`;
  const packed = contents.compressed ? ", compressed" : "";
  const upon = contents.incremental ? ", and more in its parent" : "";
  return [
    `${harmless(images)}: ${harmless(tasks[0]?.command ?? "no task")}`,
    ...containerLines(contents.container),
    `written ${day(written)} UTC, image format ${format ?? "unknown"}, ${architecture ?? "unknown architecture"}`,
    `${counted}${packed}${upon}; ${bytes(size)} on disk`,
    ...statisticsLines(contents.statistics),
  ];
}

const containerLines = (container: Contents["container"]): string[] =>
  containerParts(container).map(([name, what]) => `${name.padEnd(11)} ${harmless(what)}`);

/** What an archive says of its container: pairs of a name and a text. */
export function containerParts(container: Contents["container"]): [name: string, what: string][] {
  if (container === null) return [];
  const { engine, name, id, image, runtime, pod, namespace, addresses, macs, changed } = container;
  const made = [container.created, container.checkpointed];
  const parts: [string, (string | null)[]][] = [
    ["container", [name, id?.slice(0, 12) ?? null]],
    ["image", [image]],
    ["engine", [engine, runtime]],
    ["pod", [pod, namespace && `namespace ${namespace}`]],
    ["network", [...addresses, ...macs]],
    ["created", made.map((time, at) => time && (at === 0 ? time : `checkpointed ${time}`))],
    ["changed", [changed === null ? null : `${bytes(changed)} of its root file system`]],
  ];
  return parts.flatMap(([what, texts]): [string, string][] => {
    const text = texts.filter((each) => each !== null && each !== "").join(", ");
    return text === "" ? [] : [[what, text]];
  });
}

function statisticsLines(statistics: Contents["statistics"]): string[] {
  if (statistics === null) return [];
  const { freezing, frozen, memory_dump: dump, memory_write: write } = statistics;
  const ms = (microseconds: number) => `${(microseconds / 1000).toFixed(1)} ms`;
  return [
    `the dump froze the tree in ${ms(freezing)}, held it ${ms(frozen)} (memory: ${ms(dump)} to take, ${ms(write)} to write), and wrote ${statistics.pages_written} of ${statistics.pages_scanned} pages`,
  ];
}
