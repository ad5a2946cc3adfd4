/** Files that were taken along under several names (hard links): what is at the other names now. */
import { type Manifest, type NeededFile, oncePer } from "../../image/index.ts";
import { join } from "../../sys/path.ts";
import type { Context } from "../finding.ts";
import type { HostPlace } from "../paths.ts";

/** What a file's names are on this machine, as paths of its root. */
export interface Names {
  /** The one at which it is as it was sealed: a name more of it is what is missing. */
  readonly same: string | undefined;
  readonly missing: readonly string[];
  /** Another file is there by now, or what it is could not be seen. */
  readonly others: readonly string[];
}

/** Of a file that had more they are not looked at: a manifest can have any number. */
const MOST = 64;

const byInode = oncePer(({ files }: Manifest) =>
  Map.groupBy(files, ({ taken }) => taken?.inode ?? ""),
);

/** By root and file: each of its names asks. */
const seen = oncePer<Context, Map<string, Names>>(() => new Map());

/** The names of a file that was taken along under more than one; undefined where it was not. */
export function namesOf(
  context: Context,
  manifest: Manifest,
  file: NeededFile,
  { root, path }: HostPlace,
): Names | undefined {
  const { inode, sha256 } = file.taken ?? {};
  if (inode === undefined || path !== file.path) return undefined;
  const names = byInode(manifest)
    .get(inode)!
    .filter(({ mode, taken }) => taken!.sha256 === sha256 && mode === file.mode)
    .map((each) => each.path);
  if (names.length < 2 || names.length > MOST) return undefined;
  const key = `${root.path}\0${inode}\0${sha256}\0${file.mode}`;
  const found = seen(context).get(key) ?? look(names, file, root);
  seen(context).set(key, found);
  return found;
}

function look(names: readonly string[], file: NeededFile, root: HostPlace["root"]): Names {
  const missing: string[] = [];
  const others: string[] = [];
  let same: { name: string; inode: string } | undefined;
  for (const name of names) {
    const found = root.look(name, false);
    if (!found.ok) {
      (found.missing ? missing : others).push(name);
      continue;
    }
    const { dev, ino } = found.stat;
    const inode = `${dev}:${ino}`;
    if (inode === same?.inode) continue;
    if (same === undefined && isAsSealed(name, file, root)) same = { name, inode };
    else others.push(name);
  }
  return { same: same?.name, missing, others };
}

function isAsSealed(name: string, { size, mode, taken }: NeededFile, root: HostPlace["root"]) {
  const found = root.look(name, false);
  if (!found.ok || !found.stat.isFile()) return false;
  const { stat } = found;
  const isLike =
    stat.size === size &&
    (stat.mode & 0o7777) === mode &&
    stat.uid === taken!.uid &&
    stat.gid === taken!.gid;
  return isLike && root.sha256(name) === taken!.sha256;
}

/** The same in words, behind what is said of the one that is put at `path`. */
export function namesText({ same, missing, others }: Names, { root, path }: HostPlace): string {
  const shown = (names: readonly string[]) => {
    const rest = names.filter((name) => name !== path).map((name) => join(root.path, name));
    return `${rest.slice(0, 3).join(", ")}${rest.length > 3 ? ` and ${rest.length - 3} more` : ""}`;
  };
  const [gone, other] = [shown(missing), shown(others)];
  return [
    ...(same === undefined
      ? []
      : [
          `; as a name more of ${join(root.path, same)} (a hard link) where both are on one file system; by the command it is a file of its own`,
        ]),
    ...(gone === ""
      ? []
      : [`; as one file with ${gone} (hard links), where that is put back, too`]),
    ...(other === "" ? [] : [`; no more as one file with ${other}, where another is now`]),
  ].join("");
}
