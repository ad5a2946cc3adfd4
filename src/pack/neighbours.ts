/**
 * Seals beside the one that is made: what they took along is not written again, but gets a name more (link(2)). Each copy is hashed
 * first, and is one that no other user can have written to. Removed with the one checkpoint it stays with the other.
 */
import { closeSync, constants, fstatSync, readdirSync } from "node:fs";
import { FILES, piecesOf, type Sum } from "../image/index.ts";
import { linkHandle, openEntry } from "../sys/files.ts";
import { statAt } from "../sys/look.ts";
import { dirname, join } from "../sys/path.ts";
import { notOurs, openPrivate } from "../sys/private-directory.ts";
import { readRegular } from "../sys/regular.ts";
import { sha256Of } from "../sys/sha256.ts";
import { O_PATH } from "../sys/linux.ts";
import { openNamed } from "../sys/walk.ts";

/** Of what was taken along: it holds what the programs' files hold. */
export const PRIVATE_FILE = 0o600;

/** Seals beside it that are looked at, the latest first. */
const MOST = 32;

export interface Neighbours extends Disposable {
  /** Files that got a name more. */
  readonly shared: number;
  /** Have `name` in FILES of the seal's own, where it or a neighbour has it with that sum: what stands there; undefined: it is to be written. */
  share(name: string, sha256: string): Sum | undefined;
}

export function neighboursOf(dir: string): Neighbours {
  const named = openNamed(dir);
  if (!named.ok) throw new Error(named.problem);
  closeSync(named.fd);
  const own = openFiles(named.at);
  const beside =
    own === undefined ? [] : latestBeside(named.at).flatMap((at) => openFiles(at) ?? []);
  let shared = 0;
  return {
    get shared() {
      return shared;
    },
    share(name, sha256) {
      if (own === undefined) return undefined;
      const kept = useCopy(own, name, sha256, () => true);
      if (kept !== undefined) return kept;
      for (const each of beside) {
        const sum = useCopy(each, name, sha256, (fd) => linkHandle(fd, own, name) === 0);
        if (sum === undefined) continue;
        shared += 1;
        return sum;
      }
      return undefined;
    },
    [Symbol.dispose]() {
      for (const fd of [...(own === undefined ? [] : [own]), ...beside]) closeSync(fd);
    },
  };
}

/** FILES of a directory of images, in which only this user can have written. */
function openFiles(dir: string): number | undefined {
  try {
    return openPrivate(join(dir, FILES), { make: false });
  } catch {
    return undefined; // Somebody else's is none to take anything from.
  }
}

/** Directories beside one that have FILES. */
function latestBeside(own: string): string[] {
  const above = dirname(own);
  return readdirSync(above, { withFileTypes: true })
    .flatMap((entry) => {
      const path = join(above, entry.name);
      const found = entry.isDirectory() && path !== own ? statAt(join(path, FILES), false) : 0;
      return typeof found === "number" ? [] : [{ path, time: found.mtimeMs }];
    })
    .toSorted((a, b) => b.time - a.time)
    .slice(0, MOST)
    .map(({ path }) => path);
}

/** What stands at `name` there, once it is the copy of what has that sum and was used. */
function useCopy(
  files: number,
  name: string,
  sha256: string,
  use: (fd: number) => boolean,
): Sum | undefined {
  const place = openEntry(files, name, O_PATH);
  const opened = place < 0 ? undefined : readRegular(place);
  if (!opened?.ok) return undefined;
  const { fd, stat } = opened;
  try {
    if (notOurs(stat) !== undefined || (stat.mode & ~constants.S_IFMT) !== PRIVATE_FILE)
      return undefined;
    const hash = new Bun.CryptoHasher("sha256");
    for (const piece of piecesOf(fd, name)) hash.update(piece);
    if (hash.digest("hex") !== sha256) return undefined;
    const sum = { size: stat.size, sha256: sha256Of(fd, stat.size) };
    return fstatSync(fd).size === stat.size && use(fd) ? sum : undefined;
  } catch {
    return undefined; // It is damaged: it is written anew.
  } finally {
    closeSync(fd);
  }
}
