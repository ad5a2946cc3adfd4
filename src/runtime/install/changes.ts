/** Make a target's files and links as they shall be, and give back what was there. */
import { dirname } from "../../sys/path.ts";
import { type Content, contentOf, put, remove, removeEmpty, type Root } from "./files.ts";
import type { Target, Want } from "./targets.ts";

export interface Change {
  path: string;
  before: Content;
  after: Exclude<Content, null>;
}

/** An installed target: its changes in the order they were made, and every path that it needs, changed or not. */
interface Installed {
  target: Target;
  changes: Change[];
  paths: string[];
}

/** Where the record is kept, below `root`. */
const RECORD = "/var/lib/recriu/installed.json";

export const textOf = (content: Content): string | undefined =>
  content === null || "link" in content
    ? undefined
    : Buffer.from(content.base64, "base64").toString();

const equal = (a: Content, b: Content): boolean => {
  if (a === null || b === null) return a === b;
  if ("link" in a || "link" in b) return "link" in a && "link" in b && a.link === b.link;
  return a.base64 === b.base64;
};

type Planned = { ok: true; changes: Change[] } | { ok: false; problem: string };

/** What is to be written for these wants; nothing where all is as it shall be. */
export function plan(root: Root, wants: readonly Want[]): Planned {
  const changes: Change[] = [];
  for (const want of wants) {
    const path = `${root}${want.path}`;
    let before: Content;
    try {
      before = contentOf(root, want.path);
    } catch (error) {
      return { ok: false, problem: (error as Error).message };
    }
    if ("link" in want) {
      const after = { link: want.link };
      if (equal(before, after)) continue;
      // Somebody else's program is not replaced; a link to an older recriu is.
      if (before !== null && !("link" in before && /(?:^|\/)recriu[^/]*$/.test(before.link)))
        return {
          ok: false,
          problem: `${path} is there already, and is not recriu's; move it away`,
        };
      changes.push({ path: want.path, before, after });
      continue;
    }
    if (before !== null && "link" in before)
      return { ok: false, problem: `${path} is a link to ${before.link}; recriu edits only files` };
    const text = want.text(textOf(before));
    if (typeof text !== "string") return { ok: false, problem: `${path}: ${text.problem}` };
    const after = { base64: Buffer.from(text).toString("base64"), mode: before?.mode ?? 0o644 };
    if (!equal(before, after)) changes.push({ path: want.path, before, after });
  }
  return { ok: true, changes };
}

export function readRecord(root: Root): Installed[] {
  const text = textOf(contentOf(root, RECORD));
  return text === undefined ? [] : (JSON.parse(text) as Installed[]);
}

function writeRecord(root: Root, record: readonly Installed[]): void {
  if (record.length === 0) {
    remove(root, RECORD);
    removeEmpty(root, dirname(RECORD));
  } else
    put(root, RECORD, {
      base64: Buffer.from(JSON.stringify(record, null, 1)).toString("base64"),
      mode: 0o600,
    });
}

/** Carry changes out. The record, with what was there, is written before the first of them. */
export function install(
  root: Root,
  target: Target,
  wants: readonly Want[],
  changes: readonly Change[],
): void {
  const record = readRecord(root);
  const paths = wants.map(({ path }) => path);
  const recorded = record.find((entry) => entry.target === target);
  if (recorded === undefined) record.push({ target, changes: [...changes], paths });
  else recorded.changes.push(...changes);
  writeRecord(root, record);
  for (const { path, after } of changes) put(root, path, after);
}

/** Give back what was there before a target was installed. Returns what was changed since and is left, in words. */
export function uninstall(root: Root, target: Target): string[] {
  const record = readRecord(root);
  const entry = record.find((each) => each.target === target);
  const others = record.filter((each) => each !== entry);
  const left: string[] = [];
  const kept: Change[] = [];
  for (const change of entry?.changes.toReversed() ?? []) {
    const { path } = change;
    // What another target needs too is that one's from now on.
    const heir = others.find(({ paths }) => paths.includes(path));
    const now = contentOf(root, path);
    if (heir !== undefined) heir.changes.unshift(change);
    else if (equal(now, change.before)) continue;
    else if (!equal(now, change.after)) {
      left.push(`${root}${path} was changed since recriu wrote it; take recriu out of it by hand`);
      kept.unshift(change);
    } else if (change.before === null) remove(root, path);
    else put(root, path, change.before);
  }
  const rest = kept.length === 0 ? [] : [{ target, changes: kept, paths: [] }];
  writeRecord(root, [...others, ...rest]);
  return left;
}
