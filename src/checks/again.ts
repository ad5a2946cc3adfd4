/** The words by which the same restore is called again, in commands that put it elsewhere. */
import { parseWords } from "../criu/index.ts";
import type { Context } from "./finding.ts";

/** For `recriu restore`: what the user said, to recriu and to CRIU. */
export const again = ({ settings, request }: Pick<Context, "request" | "settings">): string[] =>
  request.again === undefined ? [...settings.words, ...request.argv] : [...request.again];

/** The images of a pack, where it has been unpacked by tar(1). */
const UNPACKED = "checkpoint/images";

/** The directory of images as commands name it that are typed later: an archive is unpacked then. */
export const imagesLater = ({
  checkpoint,
  request,
  pagesUnread,
}: Pick<Context, "checkpoint" | "request" | "pagesUnread">): string =>
  pagesUnread || request.again !== undefined ? UNPACKED : checkpoint.dir;

const detaching = new Set(["restore-detached", "daemon", "restore-sibling"]);

/**
 * The same, but it stays until the tree has ended: where the tree goes when the caller ends, that must not be before. The
 * switch itself is left out; where it is in a cluster or a configuration file its opposite comes after it.
 */
export function againStaying({
  settings,
  request,
}: Pick<Context, "request" | "settings">): string[] {
  const parsed = parseWords(request.argv);
  if (!request.detached || !parsed.ok || request.again !== undefined)
    return again({ settings, request });
  // The members of a cluster have their words in common.
  const groups = new Map<readonly string[], string[]>();
  for (const { argv, name } of parsed.options)
    groups.set(argv, [...(groups.get(argv) ?? []), name]);
  const kept = [...groups].filter(([, names]) => !names.every((name) => detaching.has(name)));
  const stillSaid =
    request.configFiles.length > 0 ||
    kept.some(([, names]) => names.some((name) => detaching.has(name)));
  const words = kept.flatMap(([argv]) => argv);
  const opposite = ["--no-restore-detached", "--no-restore-sibling"];
  return [...settings.words, ...words, ...(stillSaid ? opposite : [])];
}

/** What has the restore as one word. */
export const QUOTING = "script -qec ";

/** Whether a remedy's command is a restore. Names from elsewhere stand in quotes where they have a space in them. */
export const callsRestore = (command: string): boolean =>
  /(?:^|\s)(?:re)?criu restore(?:\s|$)/.test(command.replace(/'[^']*'/g, "''")) ||
  command.startsWith(QUOTING);
