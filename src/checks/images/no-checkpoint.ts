/** Directories that hold no checkpoint, or what a dump that failed left: there all other checks would speak of nothing. */
import { errorLines } from "../../criu/log.ts";
import { causeLine } from "../../criu/worth.ts";
import type { Host } from "../../host/index.ts";
import type { Checkpoint } from "../../image/index.ts";
import { join } from "../../sys/path.ts";
import { sh, type ShellCommand } from "../../sys/shell.ts";
import type { CheckId } from "../catalogue.ts";
import type { Check, Context, Finding, Problem } from "../finding.ts";

/** Written by a dump, as the last of all, and by a pre-dump. */
const INVENTORY = "inventory.img";

/** What CRIU says at a restore without it. */
const NO_INVENTORY = "Unexpected EOF on (empty-image)";

/** Of more directories below the one that was named, the others are not. */
const SHOWN = 3;

/** Lines of a log that are read; what a dump fails of stands before. */
const MOST_LINES = 2_000_000;

/** The findings after which no other check has anything to look at. */
export const alone: ReadonlySet<string> = new Set<CheckId>(["no-checkpoint", "dump-failed"]);

/** Whether the directory was no checkpoint's: there is this one thing to say. */
export const noneThere = ([first]: readonly Finding[]): boolean =>
  first?.severity === "blocker" && alone.has(first.id);

/** The directory's only finding: what it is instead of a checkpoint. */
export function instead(
  { checkpoint, host, request }: Context,
  id: "no-checkpoint" | "dump-failed",
): Problem[] {
  if (request.stream) return [];
  const lack = lackOf(checkpoint, host);
  if (lack?.id !== id) return [];
  const place = request.explicit.has("images-dir")
    ? checkpoint.dir
    : `the working directory (no --images-dir was given)`;
  return [
    {
      severity: "blocker",
      image: lack.missing,
      subject: checkpoint.dir,
      message: `${place} ${lack.message}`,
      criu_message: lack.missing === INVENTORY ? NO_INVENTORY : null,
      remedy: { kind: "human", text: lack.text, command: lack.command },
    },
  ];
}

interface Lack {
  id: "no-checkpoint" | "dump-failed";
  /** The image that is not there. */
  missing: string;
  /** Of the directory: `holds no image`. */
  message: string;
  /** What to do. */
  text: string;
  command: ShellCommand | null;
}

/** Why a directory holds no checkpoint; undefined where it may hold one. */
export function lackOf({ dir, files }: Checkpoint, host: Host): Lack | undefined {
  const wrong = (
    message: string,
    text: string,
    command: ShellCommand | null,
    missing = INVENTORY,
  ) => ({ id: "no-checkpoint", missing, message, text, command }) as const;
  const images = [...files].filter((name) => name.endsWith(".img"));
  if (files.has(INVENTORY)) {
    if (files.has("pstree.img") || !images.some((name) => /^pagemap-\d+\.img$/.test(name)))
      return undefined;
    if (images.some((name) => name.startsWith("core-"))) return undefined;
    return wrong(
      "holds the memory that a pre-dump saved, and no tasks",
      "name the directory of the dump itself; its link `parent` leads here",
      null,
      "pstree.img",
    );
  }
  if (images.length > 0 && !images.every((name) => name.startsWith("stats-")))
    return failed(dir, files, host);
  const below = [...files].sort().filter((name) => host.exists(join(dir, name, INVENTORY)));
  const [first] = below;
  if (first === undefined)
    return wrong("holds no image at all", "name the directory of a checkpoint by -D", null);
  const more = below.length > SHOWN ? ` and ${below.length - SHOWN} more` : "";
  return wrong(
    `holds no image itself, but ${below.slice(0, SHOWN).join(", ")}${more} below it ${below.length === 1 ? "holds a checkpoint" : "hold checkpoints"}`,
    "name that directory",
    sh`recriu preflight -D ${join(dir, first)}`,
  );
}

/** The log of the dump, if it lies with the images as it does by default, and what it says. */
function failed(dir: string, files: ReadonlySet<string>, host: Host): Lack {
  const lack = { id: "dump-failed", missing: INVENTORY } as const;
  const others = [...files].filter((name) => name.endsWith(".log") && !name.includes("restore"));
  const logs = ["dump.log", ...others.sort()];
  // A link or a pipe there is not the dump's own.
  const log = logs.map((name) => join(dir, name)).find((path) => host.entry(path)?.isFile());
  const partial = `lacks ${INVENTORY}, which a dump writes last`;
  if (log === undefined)
    return {
      ...lack,
      message: `${partial}: the dump failed, or the copy is not whole`,
      text: "look at the log of the dump; copy the checkpoint again, whole, or dump again",
      command: null,
    };
  const { cause, finished } = endOf(host.lines(log));
  const command = sh`recriu explain ${log}`;
  if (finished)
    return {
      ...lack,
      message: `${partial}; ${log} says that the dump succeeded, so the copy is not whole`,
      text: "copy the checkpoint again, whole",
      command: null,
    };
  return cause === undefined
    ? {
        ...lack,
        message: `${partial}; ${log} names no error: the dump was interrupted, or the copy is not whole`,
        text: "dump again, or copy the checkpoint again",
        command,
      }
    : {
        ...lack,
        message: `is of a dump that failed: ${cause}`,
        text: "mend that, and dump again: what it has not saved cannot be restored",
        command,
      };
}

/** The first error of a log that is a cause, and whether the dump came to its end. */
function endOf(log: Iterable<string>): { cause: string | undefined; finished: boolean } {
  let lines = 0;
  for (const text of log) {
    if (text.includes("Dumping finished successfully")) return { cause: undefined, finished: true };
    const cause = text.includes("Error") ? causeLine(errorLines(text)) : undefined;
    if (cause !== undefined) return { cause: cause.message, finished: false };
    if (++lines > MOST_LINES) break;
  }
  return { cause: undefined, finished: false };
}

export const noCheckpoint: Check = {
  title: "The directory holds no checkpoint",
  reads: "the names in the images directory and in those below it; --images-dir",
  why:
    "CRIU takes the working directory where no --images-dir is given, and an image that is not there for an empty one. A directory of checkpoints, or that of " +
    "a pre-dump, is none. Nothing else is looked at, as all else would be missing too. The exit code is 2.",
  proof: "criu",
  run: (context) => instead(context, "no-checkpoint"),
};
