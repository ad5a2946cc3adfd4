/**
 * Where a `BUG at FILE:LINE` of CRIU's stands: the function, and the releases in which that line is in it. Data is in bugs.txt,
 * which `scripts/criu-places.ts` makes of CRIU's history.
 */
import table from "./bugs.txt" with { type: "text" };

export interface Bug {
  readonly name: string;
  /** `3.5 to 3.15` */
  readonly releases: string;
}

const message = /^(?:[\w -]{1,20}: )?BUG at \/?([\w./+-]{1,300}\.[ch]):(\d{1,6})\b/;

/** Undefined where the message is no such, or no release has a place like that. */
export function bugIn(text: string): Bug | undefined {
  const [, path, line] = message.exec(text) ?? [];
  if (path === undefined) return undefined;
  for (const row of table.split("\n")) {
    const [file = "", name = "", ...places] = row.split(" ");
    if (path !== file && !path.endsWith(`/${file}`)) continue;
    const releases = places.find((place) => place.startsWith(`${line}:`));
    if (releases === undefined) continue;
    const told = releases.slice(line!.length + 1).replaceAll("-", " to ");
    return { name, releases: told.replaceAll(",", ", ") };
  }
  return undefined;
}
