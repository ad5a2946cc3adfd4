/** The Unix sockets of a checkpoint: what each is called, where that is, what CRIU will do with it (sk-unix.c). */
import { USK_EXTERN } from "../../image/flags.ts";
import { type Checkpoint, type FileEntry, filesWith, type UnixSkEntry } from "../../image/index.ts";
import { SOCK_DGRAM, TCP_ESTABLISHED } from "../../sys/linux.ts";
import { join } from "../../sys/path.ts";
import { fromBytes } from "../../sys/text.ts";
import type { Context, Problem } from "../finding.ts";
import type { Place } from "../paths.ts";

export const USK_CALLBACK = 4;

/** A socket with a name: its image entry and its name, abstract or a path as CRIU will resolve it. */
export interface Named {
  entry: UnixSkEntry;
  image: string;
  name: { abstract: string } | { path: string };
  /** Left to somebody else: outside the tree, or a descriptor that is handed to CRIU. */
  external: boolean;
  inherited: boolean;
}

/** A socket with a path. */
export type AtPath = Named & { name: { path: string } };

export const imageOf = (entry: { id: number }): string => `files.img id 0x${entry.id.toString(16)}`;

/** How CRIU's messages call a socket. */
export const inode = (entry: UnixSkEntry): string =>
  `id 0x${entry.id.toString(16)} ino ${entry.ino}`;

/** The path in an entry as it was given to bind(2); "" for none and for abstract names, which CRIU prints as nothing. */
export function givenName(entry: UnixSkEntry): string {
  const end = entry.name.indexOf(0);
  return fromBytes(end < 0 ? entry.name : entry.name.slice(0, end));
}

/** The name in an entry. A relative one is resolved in the directory that was saved with it. */
export function nameOf(entry: UnixSkEntry): Named["name"] | undefined {
  if (entry.name.length === 0) return undefined;
  if (entry.name[0] === 0) return { abstract: fromBytes(entry.name.slice(1)) };
  const name = givenName(entry);
  if (name.startsWith("/")) return { path: name };
  const from = entry.name_dir ?? "/";
  // Not joined: `..` behind a link is another directory than the text says.
  return { path: name.split("/").includes("..") ? `${from}/${name}` : join(from, name) };
}

export function namedSockets({ checkpoint, request }: Context): Named[] {
  const handed = new Set(request.inheritFds.map(({ key }) => key));
  const named: Named[] = [];
  for (const { usk: entry } of filesWith(checkpoint, "usk")) {
    const name = nameOf(entry);
    if (name === undefined) continue;
    const external = (entry.uflags & USK_EXTERN) !== 0;
    const inherited = handed.has(`socket:[${entry.ino}]`);
    named.push({ entry, image: imageOf(entry), name, external, inherited });
  }
  return named;
}

/** CRIU binds every named socket but those of others and connected streams, which only carry their listener's name. */
export const isBound = ({ entry, external, inherited }: Named): boolean =>
  !external && !inherited && (entry.type === SOCK_DGRAM || entry.state !== TCP_ESTABLISHED);

export const hasPath = (named: Named): named is AtPath => "path" in named.name;

export function placeOf(context: Context, { entry }: Named, path: string): Place {
  const mntId = entry.mnt_id;
  return context.namespaces.place(path, mntId === undefined || mntId < 0 ? undefined : mntId);
}

/** The open files that are sockets, of any kind. */
export const socketFiles = (checkpoint: Checkpoint): readonly FileEntry[] =>
  (["isk", "psk", "nlsk", "usk"] as const).flatMap<FileEntry>((kind) =>
    filesWith(checkpoint, kind),
  );

/** Whether a socket will be made in the network namespace that recriu itself is in. */
export function inHostNet(
  { checkpoint, namespaces, request }: Pick<Context, "checkpoint" | "namespaces" | "request">,
  nsId: number | undefined,
): boolean {
  if (namespaces.created.net || request.joinNs.some(({ ns }) => ns === "net")) return false;
  const root = checkpoint.root?.ids?.net_ns_id;
  return nsId === undefined || root === undefined || nsId === root;
}

/** What every finding about one socket shares. */
export const about = (severity: Problem["severity"], image: string) => ({
  severity,
  image,
});
