/** Unix sockets: files that CRIU removes and makes, and others' sockets that it connects to (sk-unix.c). */
import type { UnixSkEntry } from "../../image/index.ts";
import { SOCK_DGRAM } from "../../sys/linux.ts";
import type { Context } from "../finding.ts";
import {
  type AtPath,
  hasPath,
  inHostNet,
  isBound,
  type Named,
  namedSockets,
  nameOf,
} from "../sockets/unix-entries.ts";
import { type Connected, outward } from "../sockets/unix-peers.ts";
import { holderOf, ownerText } from "../sockets/unix-socket-busy.ts";
import {
  effect,
  type Effect,
  imageOf,
  landing,
  type Landing,
  octal,
  type Refusal,
} from "./effect.ts";
import { isOutside } from "./policy.ts";

export function* socketEffects(context: Context): Iterable<Effect> {
  for (const named of namedSockets(context))
    if (!named.external) yield* hasPath(named) ? atPath(context, named) : abstract(context, named);
  yield* outward(context)
    .values()
    .map((pair) => connected(context, pair));
}

/**
 * Sockets by which programs, root's among them, are told what to do: /run is root's, and services are there; then the
 * log, displays, container engines and agents wherever they are.
 */
const wellKnown =
  /^(\/var)?\/run\/|^\/dev\/log$|^\/tmp\/\.(X11|ICE|font|XIM)-unix\/|\/(docker|podman|containerd|crio|buildkitd|snapd)[^/]*\.sock$|\/system_bus_socket$|\/agent\.\d+$|\/S\.gpg-agent[^/]*$/;

const isWellKnown = ({ path }: Landing, name: string): boolean =>
  wellKnown.test(name) || (typeof path === "string" && wellKnown.test(path));

const mount = ({ entry: { mnt_id } }: Named): number | undefined =>
  mnt_id === undefined || mnt_id < 0 ? undefined : mnt_id;

/** CRIU removes what it finds there even for accepted connections, which it does not bind. */
function atPath(context: Context, named: AtPath): Effect[] {
  const { entry, image } = named;
  const { path: name } = named.name;
  const land = landing(context, name, mount(named), false);
  const shared = { what: "socket", path: land.path ?? null, name, image };
  const check = refusalOf(context, named, land);
  const isSocket = land.stat?.isSocket() === true;
  const found: Effect[] = [];
  if (isSocket && typeof land.path === "string") {
    const holder = holderOf(context.host, land.path, land.stat!);
    const whose =
      holder === undefined ? "no live process has it" : ownerText(context.host, holder.inode);
    found.push(
      effect({
        ...shared,
        verb: "delete",
        detail: `the socket that stands there now: ${whose}`,
        check,
      }),
    );
  }
  if (named.inherited || !isBound(named)) return found;
  const { mode, uid, gid } = entry.file_perms ?? {};
  const owner = mode === undefined ? "" : `, mode ${octal(mode)}, owner ${uid}:${gid}`;
  const moment = entry.deleted ? "for the moment, with its directories" : "bound";
  found.push(effect({ ...shared, verb: "create", detail: `${moment}${owner}`, check }));
  if (entry.deleted && land.stat !== undefined && !isSocket)
    found.push(
      effect({
        ...shared,
        what: "file",
        verb: "change",
        detail: "moved aside for the moment, and back",
        check: isOutside(context, land) ? "untrusted-write" : null,
      }),
    );
  return found;
}

/** Names that others use, not what a dead tree has left at its own. */
function refusalOf(context: Context, named: AtPath, land: Landing): Refusal | null {
  if (!isOutside(context, land)) return null;
  const holder = land.stat?.isSocket() && holderOf(context.host, land.path ?? "", land.stat);
  return holder || isWellKnown(land, named.name.path) ? "untrusted-socket" : null;
}

function abstract(context: Context, named: Named): Effect[] {
  if (named.inherited || !isBound(named) || !inHostNet(context, named.entry.ns_id)) return [];
  return [
    effect({
      verb: "create",
      what: "abstract socket",
      name: shownName(named.entry),
      detail: "bound in this machine's network namespace",
      image: named.image,
    }),
  ];
}

function shownName(entry: UnixSkEntry): string {
  const name = nameOf(entry);
  if (name === undefined) return `socket:[${entry.ino}]`;
  return "path" in name ? name.path : `@${name.abstract}`;
}

/** CRIU connects as root: the other side sees root as its peer, unix(7) SO_PEERCRED. */
function connected(context: Context, { entry, peer }: Connected): Effect {
  const name = nameOf(peer);
  const land =
    name !== undefined && "path" in name ? landing(context, name.path, peer.mnt_id) : undefined;
  const reached = land === undefined ? inHostNet(context, peer.ns_id) : isOutside(context, land);
  return effect({
    verb: "connect",
    what: entry.type === SOCK_DGRAM ? "datagram socket" : "socket",
    path: land?.path ?? null,
    name: shownName(peer),
    detail: "a process outside the tree, which sees root as the other end",
    image: imageOf(entry.id),
    check: reached ? "untrusted-socket" : null,
  });
}
