/** Unix sockets that CRIU binds again by name (sk-unix.c). */
import { dirname, join } from "pathe";
import type { Lookup } from "../host/index.ts";
import type { UnixSkEntry } from "../image/index.ts";
import type { Check, Context, Finding, Leaving, Repair } from "./finding.ts";
import type { Place } from "./paths.ts";

const SOCK_DGRAM = 2;
const TCP_ESTABLISHED = 1;
const USK_EXTERN = 1;

/** A socket that CRIU will bind: its image entry and its name, abstract or a path as CRIU will resolve it. */
interface Bound {
  entry: UnixSkEntry;
  image: string;
  name: { abstract: string } | { path: string };
}

const text = new TextDecoder();

/** CRIU binds every named socket but external ones and connected streams, which only carry their listener's name. */
function boundSockets({ checkpoint }: Context): Bound[] {
  const bound: Bound[] = [];
  for (const file of checkpoint.openFiles.values()) {
    const entry = file.usk;
    if (entry === undefined || entry.name.length === 0 || entry.uflags & USK_EXTERN) continue;
    if (entry.type !== SOCK_DGRAM && entry.state === TCP_ESTABLISHED) continue;
    const image = `files.img id 0x${entry.id.toString(16)}`;
    if (entry.name[0] === 0) {
      bound.push({ entry, image, name: { abstract: text.decode(entry.name.subarray(1)) } });
      continue;
    }
    const end = entry.name.indexOf(0);
    const name = text.decode(end < 0 ? entry.name : entry.name.subarray(0, end));
    const path = name.startsWith("/") ? name : join(entry.name_dir ?? "/", name);
    bound.push({ entry, image, name: { path } });
  }
  return bound;
}

function placeOf(context: Context, bound: Bound, path: string): Place {
  const mntId = bound.entry.mnt_id;
  return context.namespaces.place(path, mntId === undefined || mntId < 0 ? undefined : mntId);
}

/** Directories that programs agree on, with the mode they must have: sticky and open to all for the X11 family. */
function conventionOf(path: string): { mode: number; uid: number; gid: number } | undefined {
  if (/\/\.(X11|ICE|font|XIM|Test)-unix$/.test(path)) return { mode: 0o1777, uid: 0, gid: 0 };
  const user = /^\/run\/user\/(\d+)$/.exec(path);
  return user === null ? undefined : { mode: 0o700, uid: Number(user[1]), gid: Number(user[1]) };
}

/** The socket files that CRIU will make where there is nothing yet. */
export function socketLeavings(context: Context): Leaving[] {
  return boundSockets(context).flatMap((bound): Leaving[] => {
    if ("abstract" in bound.name || bound.entry.deleted) return [];
    const place = placeOf(context, bound, bound.name.path);
    if (!place.known || place.root.look(place.path).ok) return [];
    return [{ kind: "socket", root: place.root.path, path: place.path }];
  });
}

/** Path sockets of one directory that is not there. */
interface Orphans {
  place: Place & { known: true };
  /** The directory as the checkpoint names it. */
  directory: string;
  found: Lookup;
  sockets: Bound[];
}

/** Path sockets whose directory is missing, or is no directory, by that directory on this machine. */
function orphans(context: Context): Map<string, Orphans> {
  const byDirectory = new Map<string, Orphans>();
  for (const bound of boundSockets(context)) {
    if ("abstract" in bound.name || bound.entry.deleted) continue;
    const place = placeOf(context, bound, bound.name.path);
    if (!place.known) continue;
    const at = dirname(place.hostPath);
    const known = byDirectory.get(at);
    if (known !== undefined) {
      known.sockets.push(bound);
      continue;
    }
    const found = place.root.look(dirname(place.path));
    if (found.ok && found.stat.isDirectory()) continue;
    byDirectory.set(at, { place, directory: dirname(bound.name.path), found, sockets: [bound] });
  }
  return byDirectory;
}

/** Mode and owner for a directory that is gone: the path's convention, what the images say of it, else the socket's owner. */
function repairFor(context: Context, { place, directory, sockets }: Orphans): Repair {
  const saved = [...context.checkpoint.openFiles.values()].find(
    (file) => file.reg?.name === directory,
  )?.reg?.mode;
  const convention = conventionOf(directory);
  const owner = sockets[0]?.entry.file_perms;
  return {
    id: "unix-socket-dir",
    action: "mkdir",
    root: place.root.path,
    path: dirname(place.path),
    mode: convention?.mode ?? (saved === undefined ? 0o755 : saved & 0o7777),
    uid: convention?.uid ?? owner?.uid ?? 0,
    gid: convention?.gid ?? owner?.gid ?? 0,
  };
}

const inode = (entry: UnixSkEntry) => `id 0x${entry.id.toString(16)} ino ${entry.ino}`;

export const unixSocketDir: Check = {
  id: "unix-socket-dir",
  title: "The directory of a Unix socket is gone",
  reads: "unix sockets in files.img; the directory of each name on this machine or under --root",
  why: "CRIU binds a socket to its old path but makes no directory for it. /tmp is emptied at boot, and /tmp/.X11-unix with it.",
  proof: "criu",
  run: (context) =>
    [...orphans(context)].map(([directory, lost]) => lostDirectory(context, directory, lost)),
};

function lostDirectory(context: Context, directory: string, lost: Orphans): Finding {
  const [first] = lost.sockets;
  const path = "path" in first!.name ? first!.name.path : "";
  const errno = lost.found.ok ? "Not a directory" : lost.found.problem;
  const shared = {
    id: "unix-socket-dir",
    severity: "blocker",
    task: null,
    image: first!.image,
    subject: directory,
    criu_message: `unix: Can't bind ${inode(first!.entry)} addr ${path}: ${errno}`,
  } as const;
  if (lost.found.ok || !lost.found.missing) {
    return {
      ...shared,
      message: `the socket ${path} cannot be bound: ${directory}: ${errno}`,
      remedy: {
        kind: "human",
        text: `see what is at ${directory} and move it away`,
        command: `ls -ld ${directory}`,
      },
    };
  }
  const repair = repairFor(context, lost);
  const mode = repair.mode.toString(8).padStart(4, "0");
  return {
    ...shared,
    message: `the socket ${path} cannot be bound: its directory ${directory} does not exist`,
    remedy: {
      kind: "repair",
      text: `make the directory ${directory}, mode ${mode}, owner ${repair.uid}:${repair.gid}`,
      command: `install -d -m ${mode} -o ${repair.uid} -g ${repair.gid} ${directory}`,
      repair,
    },
  };
}

export const unixSocketBusy: Check = {
  id: "unix-socket-busy",
  title: "A Unix socket's name belongs to somebody alive",
  reads: "unix sockets in files.img; /proc/net/unix and what stands at each path",
  why:
    "CRIU removes the socket file that it finds at a saved path, even when a live server listens there: that server then cannot be " +
    "reached any more, and nothing says so. An abstract name that is taken makes the bind fail, and so does anything at the path that is no socket.",
  proof: "harm",
  run(context) {
    const findings: Finding[] = [];
    const live = new Map(context.host.unixSockets.map((socket) => [socket.path, socket]));
    for (const bound of boundSockets(context)) {
      const shared = {
        id: "unix-socket-busy",
        severity: "blocker",
        task: null,
        image: bound.image,
      } as const;
      if ("abstract" in bound.name) {
        const shown = `@${bound.name.abstract}`;
        if (context.namespaces.own.net || !live.has(shown.replaceAll("\0", "@"))) continue;
        findings.push({
          ...shared,
          subject: shown,
          message: `the abstract socket name ${shown} is bound by a live process of this machine`,
          criu_message: `unix: Can't bind ${inode(bound.entry)} addr : Address already in use`,
          remedy: ownerRemedy(shown),
        });
        continue;
      }
      const { path } = bound.name;
      const place = placeOf(context, bound, path);
      if (!place.known || bound.entry.deleted) continue;
      const found = place.root.look(place.path);
      if (!found.ok) continue;
      if (!found.stat.isSocket()) {
        findings.push({
          ...shared,
          subject: place.hostPath,
          message: `the socket ${path} cannot be bound: something that is not a socket stands at ${place.hostPath}`,
          criu_message: `unix: Can't bind ${inode(bound.entry)} addr ${path}: Address already in use`,
          remedy: {
            kind: "human",
            text: "move it away",
            command: `mv ${place.hostPath} ${place.hostPath}.aside`,
          },
        });
      } else if (live.has(path)) {
        findings.push({
          ...shared,
          subject: place.hostPath,
          message: `${place.hostPath} is the socket of a live process; CRIU would silently take the name away from it`,
          criu_message: null,
          remedy: ownerRemedy(place.hostPath),
        });
      }
    }
    return findings;
  },
};

const ownerRemedy = (name: string) =>
  ({
    kind: "human",
    text: "stop the process that has it (ss names it), or restore in namespaces of its own",
    command: `ss -xlp | grep -F '${name}'`,
  }) as const;
