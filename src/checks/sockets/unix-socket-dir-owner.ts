/** The owners of the directories in which sockets are bound: an owner can put another socket in the place of one. */
import { STICKY, WORLD_WRITES } from "../../sys/linux.ts";
import { dirname, join } from "../../sys/path.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Context, Problem, Remedy } from "../finding.ts";
import { livingTasks, type HostPlace } from "../paths.ts";
import { pathSockets } from "./sockets.ts";
import { about, type AtPath, placeOf } from "./unix-entries.ts";
import { conventionOf } from "./unix-socket-dir.ts";

export const unixSocketDirOwner: Check = {
  title: "Another user can put his socket in the place of the tree's",
  reads:
    "unix sockets and users in the images; owner and mode of each socket's directory and of those above it, on this machine or under --root",
  why:
    "/tmp/.X11-unix and its like are shared: root owns them, and the sticky bit leaves each socket to its owner. Where such a " +
    "directory, or one above it, belongs to another user, or all users may rename what is in it, that user can take the tree's socket " +
    "away after the restore and answer its clients: he sees their windows and hears their keys. The first user who makes the directory " +
    "after /tmp was emptied owns it. Root, the tree's own users and the owner of the tree's root are trusted. In a user namespace of " +
    "the tree's own, whose users have other numbers here, owners are not compared.",
  proof: "harm",
  blocks: false,
  answers: ["repair", "person"],
  run(context) {
    const users = usersOf(context);
    const told = new Set<string>();
    return pathSockets(context)
      .values()
      .flatMap((bound): Problem[] => {
        const place = placeOf(context, bound, bound.name.path);
        if (!place.onHost) return [];
        const weak = weakest(context, place, new Set([...users, ...ownersOf(bound)]));
        if (weak === undefined || told.has(weak.at)) return [];
        told.add(weak.at);
        return [
          {
            ...about("warning", bound.image),
            subject: weak.at,
            message: `the socket ${bound.name.path} will be where others can replace it: ${weak.at} ${weak.how}`,
            remedy: weak.remedy,
          },
        ];
      });
  },
};

/** Root, and every user that a thread of the tree acts as. */
function usersOf({ checkpoint }: Context): Set<number> {
  const users = new Set([0]);
  for (const { threads } of livingTasks(checkpoint))
    for (const { core } of threads) {
      const creds = core?.thread_core?.creds;
      if (creds !== undefined) users.add(creds.uid).add(creds.euid).add(creds.fsuid);
    }
  return users;
}

const ownersOf = ({ entry, name }: AtPath): number[] =>
  [entry.file_perms?.uid, conventionOf(dirname(name.path))?.uid].filter((uid) => uid !== undefined);

/** The first directory on the way to a socket in which others can rename what is there. */
function weakest(
  { namespaces }: Context,
  { root, path }: HostPlace,
  users: Set<number>,
): { at: string; how: string; remedy: Remedy } | undefined {
  const human = (text: string, command: Remedy["command"]): Remedy => ({
    kind: "human",
    text,
    command,
  });
  const way = [dirname(path)];
  while (way[0] !== "/") way.unshift(dirname(way[0]!));
  for (const directory of way) {
    const found = root.look(directory);
    if (!found.ok) return undefined; // unix-socket-dir says so
    const { uid, mode } = found.stat;
    const at = join(root.path, directory);
    if (directory === "/") users.add(uid);
    if (!namespaces.created.user && !users.has(uid))
      return {
        at,
        how: `belongs to uid ${uid}`,
        remedy:
          conventionOf(directory) === undefined
            ? human(
                "give it to root or to the tree's user, if that user is not to be trusted",
                null,
              )
            : human(
                "move it away with what is in it: recriu makes it anew, as root's",
                sh`mv ${at} ${at}.aside`,
              ),
      };
    if ((mode & WORLD_WRITES) !== 0 && (mode & STICKY) === 0)
      return {
        at,
        how: `can be written to by everybody, and is not sticky (mode ${(mode & 0o7777).toString(8).padStart(4, "0")})`,
        remedy: human("leave each name in it to its owner", sh`chmod +t ${at}`),
      };
  }
  return undefined;
}
