/** Unix sockets that CRIU binds again by path: their directories (sk-unix.c). */
import type { Context, Leftover } from "../finding.ts";
import {
  type AtPath,
  givenName,
  hasPath,
  inode,
  isBound,
  namedSockets,
  placeOf,
} from "./unix-entries.ts";

/** Sockets that CRIU binds to a path and leaves there. */
export const pathSockets = (context: Context): AtPath[] =>
  namedSockets(context)
    .filter(hasPath)
    .filter((named) => isBound(named) && !named.entry.deleted);

/** The socket files that CRIU will make where there is nothing yet. */
export function socketLeftovers(context: Context): Leftover[] {
  return pathSockets(context).flatMap((bound): Leftover[] => {
    const place = placeOf(context, bound, bound.name.path);
    if (!place.onHost || place.root.look(place.path).ok) return [];
    return [{ kind: "socket", root: place.root.path, path: place.path }];
  });
}

/** A relative name is bound from inside the directory saved with it, into which CRIU goes first. */
export function refusal(context: Context, bound: AtPath, errno: string): string {
  const { entry } = bound;
  const name = givenName(entry);
  const from = name.startsWith("/") ? undefined : entry.name_dir;
  const place = from === undefined ? undefined : placeOf(context, bound, from);
  return place?.onHost && !place.root.look(place.path).ok
    ? `unix: Can't change working dir ${from}: ${errno}`
    : `unix: Can't bind ${inode(entry)} addr ${name}: ${errno}`;
}
