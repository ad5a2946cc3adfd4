/** The lines of a journal: what each may be, and reading them with belief in none. */
import { namesOf } from "../sys/walk.ts";

const actions = [
  "mkdir",
  "file",
  "aside",
  "fifo",
  "socket",
  "cgroup",
  "ghost",
  "scratch",
  "sysctl",
  "shadow",
  "tree",
  "name",
] as const;

/**
 * aside: a file that has another's place was given the name `kept` in the same directory. mkdir, file, fifo: a directory, a file with all that is in it, or a FIFO that recriu is about to make (`inode` absent) or has made. socket, cgroup, ghost: what was not there before
 * CRIU began and what CRIU makes. sysctl: a setting of the kernel that CRIU or recriu raises. scratch: a directory in which CRIU makes temporary ones, and those `existing` before. shadow: a shadow
 * of the images, named `path` in `root`. tree: the restored tree of the images `path` exists, its root process `pid` since
 * `started`. name: a file that CRIU removes has a second one, `kept`. Other paths are inside the host directory `root`, without links.
 */
export interface Step {
  action: (typeof actions)[number];
  root: string;
  path: string;
  /** `dev:ino` of what was made. */
  inode?: string;
  /**
   * `dev:ino` of the directory that it was or will be made in; of scratch and shadow, of `root`. Where `below` names of
   * the path were not there yet (1: the entry itself alone), of the one that they are below.
   */
  parent?: string;
  below?: number;
  existing?: string[];
  /** The second name of a file that CRIU removes, or the new one of what was put aside, in the same directory. */
  kept?: string;
  /** Leftover.like of checks/finding.ts. */
  like?: string;
  /** Of a setting: it is given back when the tree runs, too. */
  briefly?: true;
  pid?: number;
  started?: string;
  /** A descriptor by which this process holds the root; never written down. */
  held?: number;
}

/** What a journal says. `problem`: the first line that says nothing, and why; the steps are those before it. */
export interface Written {
  images: string;
  steps: Step[];
  problem: string | undefined;
}

export function parseJournal(text: string): Written {
  const lines = text.replace(/\n$/, "").split("\n");
  const written: Written = { images: "", steps: [], problem: undefined };
  for (const [index, line] of lines.entries()) {
    const problem = readLine(line, index === 0, written);
    if (problem !== undefined) return { ...written, problem: `line ${index + 1}: ${problem}` };
  }
  return written;
}

function readLine(line: string, first: boolean, written: Written): string | undefined {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return "it is no JSON";
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) return "it is no object";
  if (first) {
    const { images } = value as { images?: unknown };
    if (typeof images !== "string") return "it names no images";
    written.images = images;
    return undefined;
  }
  const strange = Object.entries(fields).find(
    ([name, isRight]) => !isRight((value as Record<string, unknown>)[name]),
  );
  if (strange !== undefined) return `its ${strange[0]} is none that recriu writes`;
  const step = value as Step;
  const right = step.action === "shadow" ? isShadowName(step.path) : isPath(step.path);
  if (!right) return "its path is none that recriu writes";
  written.steps.push(step);
  return undefined;
}

const isText = (value: unknown): value is string =>
  typeof value === "string" && !value.includes("\0");
const isPath = (value: unknown): boolean =>
  isText(value) && value.startsWith("/") && !namesOf(value).includes("..");
const isShadowName = (name: string): boolean => /^\.recriu-[0-9a-f-]{36}$/.test(name);
const isInode = (value: unknown): boolean => isText(value) && /^\d+:\d+$/.test(value);
const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) > 0;
const orAbsent = (is: (value: unknown) => boolean) => (value: unknown) =>
  value === undefined || is(value);

const fields: Record<keyof Step, (value: unknown) => boolean> = {
  action: (value) => (actions as readonly unknown[]).includes(value),
  root: isPath,
  path: isText,
  inode: orAbsent((value) => value === "" || isInode(value)),
  parent: orAbsent(isInode),
  below: orAbsent(isCount),
  kept: orAbsent(
    (value) => isText(value) && /^(?:\.recriu-[0-9a-f]{16}|[^/]+\.before-restore)$/.test(value),
  ),
  like: orAbsent((value) => isText(value) && /^[\d:]+$/.test(value)),
  existing: orAbsent((value) => Array.isArray(value) && value.every(isText)),
  briefly: orAbsent((value) => value === true),
  pid: orAbsent(isCount),
  started: orAbsent((value) => isText(value) && /^\d+$/.test(value)),
  held: (value) => value === undefined,
};
