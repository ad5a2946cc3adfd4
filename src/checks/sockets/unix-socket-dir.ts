import type { Lookup } from "../../host/index.ts";
import { dirname } from "../../sys/path.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Context, MakeDirectory, Problem } from "../finding.ts";
import type { HostPlace } from "../paths.ts";
import { savedMode } from "../files/saved-names.ts";
import { sealedDirectory } from "../files/taken-along.ts";
import { pathSockets, refusal } from "./sockets.ts";
import { type AtPath, placeOf } from "./unix-entries.ts";

/** Directories that programs agree on, with the mode they must have: sticky and open to all for the X11 family. */
export function conventionOf(path: string): { mode: number; uid: number; gid: number } | undefined {
  if (/\/\.(X11|ICE|font|XIM|Test)-unix$/.test(path)) return { mode: 0o1777, uid: 0, gid: 0 };
  const user = /^\/run\/user\/(\d+)$/.exec(path);
  return user === null ? undefined : { mode: 0o700, uid: Number(user[1]), gid: Number(user[1]) };
}

/** Path sockets of one directory that is not there. */
interface Orphans {
  place: HostPlace;
  /** The directory as the checkpoint names it. */
  directory: string;
  found: Lookup;
  sockets: AtPath[];
}

/** Path sockets without their directory, or with something else in its place, by that path on this machine. */
function orphans(context: Context): Map<string, Orphans> {
  const byDirectory = new Map<string, Orphans>();
  for (const bound of pathSockets(context)) {
    const place = placeOf(context, bound, bound.name.path);
    if (!place.onHost) continue;
    const at = dirname(place.hostPath);
    const earlier = byDirectory.get(at);
    if (earlier !== undefined) {
      earlier.sockets.push(bound);
      continue;
    }
    const found = place.root.look(dirname(place.path));
    if (found.ok && found.stat.isDirectory()) continue;
    byDirectory.set(at, { place, directory: dirname(bound.name.path), found, sockets: [bound] });
  }
  return byDirectory;
}

/**
 * Mode and owner for a directory that is gone: what a seal says of it, the path's convention, what the images say of it, else the socket's owner.
 * Undefined where the owner's numbers on this machine are not known.
 */
function repairFor(
  context: Context,
  { place, directory, sockets }: Orphans,
): MakeDirectory | undefined {
  const { checkpoint, namespaces } = context;
  const made = { action: "mkdir", root: place.root.path, path: dirname(place.path) } as const;
  const sealed = sealedDirectory(context, directory);
  if (sealed !== undefined) return { ...made, mode: sealed.mode, uid: sealed.uid, gid: sealed.gid };
  const saved = savedMode(checkpoint, directory);
  const convention = conventionOf(directory);
  const of = convention ?? sockets[0]?.entry.file_perms;
  const owner = namespaces.ownerOnHost(of?.uid ?? 0, of?.gid ?? 0);
  return (
    owner && {
      ...made,
      mode: convention?.mode ?? (saved === undefined ? 0o755 : saved & 0o7777),
      ...owner,
    }
  );
}

export const unixSocketDir: Check = {
  title: "The directory of a Unix socket is gone",
  reads: "unix sockets in files.img; the directory of each name on this machine or under --root",
  why: "CRIU binds a socket to its old path but makes no directory for it. /tmp is emptied at boot, and /tmp/.X11-unix with it.",
  proof: "criu",
  answers: ["repair", "person"],
  run: (context) =>
    [...orphans(context)].map(([directory, lost]) => lostDirectory(context, directory, lost)),
};

function lostDirectory(context: Context, directory: string, lost: Orphans): Problem {
  const [first] = lost.sockets;
  const { path } = first!.name;
  const errno = lost.found.ok ? "Not a directory" : lost.found.problem;
  const shared = {
    severity: "blocker",
    image: first!.image,
    subject: directory,
    criu_message: refusal(context, first!, errno),
  } as const;
  if (lost.found.ok || !lost.found.missing) {
    return {
      ...shared,
      message: `the socket ${path} cannot be bound: ${directory}: ${errno}`,
      remedy: lost.found.ok
        ? {
            kind: "human",
            text: `see what is at ${directory} and move it away`,
            command: sh`mv ${directory} ${directory}.aside`,
          }
        : {
            kind: "human",
            text: "look at that path, mend what keeps it from being looked at, and call recriu again",
          },
    };
  }
  const repair = repairFor(context, lost);
  const message = `the socket ${path} cannot be bound: its directory ${directory} does not exist`;
  if (repair === undefined)
    return {
      ...shared,
      message,
      remedy: {
        kind: "human",
        text: `make the directory ${directory}, of an owner that the tree's user namespace has`,
      },
    };
  const mode = repair.mode.toString(8).padStart(4, "0");
  const at = dirname(lost.place.hostPath);
  return {
    ...shared,
    message,
    remedy: {
      kind: "repair",
      text: `make the directory ${directory}, mode ${mode}, owner ${repair.uid}:${repair.gid}`,
      command: sh`install -d -m ${mode} -o ${repair.uid} -g ${repair.gid} ${at}`,
      repair,
    },
  };
}
