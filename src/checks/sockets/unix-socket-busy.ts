/** Names of Unix sockets that belong to somebody alive, and what stands in their way (sk-unix.c, unlink_sk). */
import type { Host } from "../../host/index.ts";
import { ELOOP, errorText, EXDEV } from "../../sys/errno.ts";
import { sh } from "../../sys/shell.ts";
import type { Check, Context, Problem, Remedy } from "../finding.ts";
import { asIfFree } from "../private-dirs.ts";
import type { HostPlace } from "../paths.ts";
import { procLink } from "../forged/names.ts";
import {
  about,
  type AtPath,
  givenName,
  hasPath,
  inHostNet,
  inode,
  isBound,
  type Named,
  namedSockets,
  placeOf,
} from "./unix-entries.ts";
import type { Stats } from "node:fs";

export const unixSocketBusy: Check = {
  title: "A live process has the name of a Unix socket of the tree",
  reads:
    "unix sockets in files.img; what stands at each path, and the process that has it: sock_diag(7), /proc/net/unix",
  why:
    "CRIU removes the socket file that it finds at a saved path, even when a live server listens there: that server then cannot be " +
    "reached any more, and nothing says so. It does that for accepted connections too, which carry their listener's path, and for " +
    "sockets whose file was deleted before the dump. An abstract name that is taken makes the bind fail, and so does anything " +
    "at the path that is no socket.",
  proof: "harm",
  waits: true,
  isolate: "net",
  apart: true,
  maps: true,
  *run(context) {
    const seen = new Set<string>();
    let taken: Map<string, number> | undefined;
    for (const named of namedSockets(context)) {
      if (named.external) continue;
      if (hasPath(named)) {
        if (seen.has(named.name.path)) continue;
        const found = atPath(context, named);
        if (found === undefined) continue;
        seen.add(named.name.path);
        // A path is a name of the file system's.
        yield { ...found, isolate: null };
      } else if (isBound(named) && inHostNet(context, named.entry.ns_id)) {
        taken ??= new Map(
          context.host.unixSockets.map(({ path, inode: number }) => [path, number]),
        );
        const shown = `@${"abstract" in named.name ? named.name.abstract : ""}`;
        const holder = taken.get(shown.replaceAll("\0", "@"));
        if (holder !== undefined) yield abstractTaken(context.host, named, shown, holder);
      }
    }
  },
};

function abstractTaken(host: Host, named: Named, shown: string, holder: number): Problem {
  return {
    ...about("blocker", named.image),
    subject: shown,
    message: `the abstract socket name ${shown} is bound by ${ownerText(host, holder)}`,
    criu_message: `unix: Can't bind ${inode(named.entry)} addr : Address already in use`,
    remedy: ownerRemedy(host, shown, holder),
  };
}

/** What is wrong at a socket's path. Of sockets that are not bound again, CRIU still removes the file. */
function atPath(context: Context, named: AtPath): Problem | undefined {
  const { path } = named.name;
  if (procLink(path) !== undefined) return throughProc(named, path);
  const place = placeOf(context, named, path);
  if (!place.onHost) return undefined;
  const found = place.root.look(place.path);
  const at = place.hostPath;
  const isLink = () => {
    const entry = place.root.look(place.path, false);
    return entry.ok && entry.stat.isSymbolicLink();
  };
  if (!found.ok && beyond.has(found.problem)) return throughProc(named, at);
  if (!found.ok) return isLink() ? linkThere(named, place, "leads nowhere") : undefined;
  if (!found.stat.isSocket()) {
    // A deleted one is bound all the same: CRIU moves the file aside for the moment.
    if (!isBound(named) || named.entry.deleted) return undefined;
    return {
      ...about("blocker", named.image),
      subject: at,
      message: `the socket ${path} cannot be bound: something that is not a socket stands at ${at}`,
      criu_message: `unix: Can't bind ${inode(named.entry)} addr ${givenName(named.entry)}: Address already in use`,
      apart: asIfFree(place),
      remedy: { kind: "human", text: "move it away", command: sh`mv ${at} ${at}.aside` },
    };
  }
  const holder = holderOf(context.host, at, found.stat);
  if (holder === undefined)
    return isLink() ? linkThere(named, place, "leads to a socket that no process has") : undefined;
  return {
    ...about(holder.sure ? "blocker" : "warning", named.image),
    subject: at,
    message: `${at} ${holder.sure ? "is" : "may be"} the socket of ${ownerText(context.host, holder.inode)}; CRIU would silently take the name away from it`,
    apart: asIfFree(place),
    remedy: ownerRemedy(context.host, at, holder.inode),
  };
}

/** What openat2(2) says of a link of /proc on the way. */
const beyond = new Set([errorText(ELOOP), errorText(EXDEV)]);

/** A program may have bound a socket so, through a descriptor of its own; CRIU goes through its own, or another's. */
const throughProc = ({ image, entry }: AtPath, at: string): Problem => ({
  ...about("blocker", image),
  subject: at,
  message: `${at} leads through a link of /proc to something that CRIU has: which socket it would remove there cannot be told beforehand`,
  criu_message: `unix: Can't bind ${inode(entry)} addr ${givenName(entry)}`,
  remedy: {
    kind: "human",
    text: "dump it again with the socket bound by its real path",
  },
});

/** No dump has a socket there: bind(2) takes no name that is a link. CRIU removes the link. */
const linkThere = ({ image }: AtPath, place: HostPlace, problem: string): Problem => ({
  ...about("blocker", image),
  subject: place.hostPath,
  message: `${place.hostPath} is a link, which ${problem}; CRIU would silently remove it`,
  apart: asIfFree(place),
  remedy: {
    kind: "human",
    text: "move it away",
    command: sh`mv ${place.hostPath} ${place.hostPath}.aside`,
  },
});

/** The owner of a socket file: by its inode number, which no other path or namespace can fake; else by the name alone. */
export function holderOf(
  host: Host,
  path: string,
  stat: Stats,
): { inode: number; sure: boolean } | undefined {
  const files = host.boundFiles;
  const named = () => host.unixSockets.find((socket) => socket.path === path);
  if (files === undefined) {
    const holder = named();
    return holder && { inode: holder.inode, sure: false };
  }
  const low = Number(BigInt(stat.ino) & 0xffffffffn);
  const device = kernelDevice(stat.dev);
  // Some file systems (btrfs, overlayfs) show programs another device than the kernel uses: then the name must do.
  const exact = files.find(
    (file) => file.fileInode === low && (file.device === device || file.name === path),
  );
  if (exact !== undefined) return { inode: exact.inode, sure: true };
  const holder = files.find((file) => file.name === path && file.device !== device);
  return holder && { inode: holder.inode, sure: false };
}

/** A device number as the kernel keeps it inside: 12 bits of major, 20 of minor. */
function kernelDevice(dev: number): number {
  const minor = (dev & 0xff) | ((dev >>> 12) & 0xfff00);
  return ((((dev >>> 8) & 0xfff) << 20) | minor) >>> 0;
}

export function ownerText(host: Host, holder: number): string {
  const owner = host.ownerOf(holder);
  return owner === undefined
    ? "a live process of this machine"
    : `the live process ${owner.pid} (${owner.comm})`;
}

function ownerRemedy(host: Host, name: string, holder: number): Remedy {
  const owner = host.ownerOf(holder);
  if (owner === undefined)
    return {
      kind: "human",
      text: "stop the process that has it (ss names it), or restore in namespaces of its own",
      command: sh`ss -xlp | grep -F -- ${name}`,
    };
  return {
    kind: "human",
    text: `stop process ${owner.pid} (${owner.comm}), which has it, or restore in namespaces of its own`,
    command: sh`kill ${owner.pid}`,
  };
}
