/** Cgroups that CRIU makes, changes and moves the tree into (cgroup.c). */
import { join, resolve } from "../../sys/path.ts";
import {
  directoryOf,
  ignored,
  inYard,
  members,
  savedDirectories,
  type SavedDirectory,
  savedRoots,
  yardOf,
} from "../cgroups/cgroup-tree.ts";
import type { Context } from "../finding.ts";
import { effect, type Effect, octal, type Refusal } from "./effect.ts";

type Owner = NonNullable<SavedDirectory["perms"]>;

const image = "cgroup.img";

/** Modes that give what is there already its saved settings, and that make nothing. */
const overwrites = new Set(["props", "full"]);

const makesNone = new Set(["none", "props"]);

export function* cgroupEffects(context: Context): Iterable<Effect> {
  if (ignored(context)) return;
  yield* hierarchies(context);
  for (const saved of savedRoots(context)) yield* directory(context, saved);
  for (const saved of savedDirectories(context)) yield* directory(context, saved);
  yield* joins(context);
}

/** CRIU mounts each hierarchy for itself; where that was mounted nowhere, it is new to this machine. */
function hierarchies(context: Context): Iterable<Effect> {
  const { controllers = [], sets = [] } = context.checkpoint.cgroup ?? {};
  if (sets.length === 0) return [];
  return controllers
    .values()
    .filter(({ cnames }) => inYard(context, cnames) === undefined)
    .map(({ cnames }) => {
      const mounted = directoryOf(context, cnames, "/") !== undefined;
      return effect({
        verb: "mount",
        what: "cgroup",
        path: yard(context, cnames),
        name: cnames.join(",") || "cgroup2",
        detail: mounted
          ? "for the moment"
          : "for the moment; this hierarchy is mounted nowhere yet",
        image,
      });
    });
}

const yard = ({ request }: Context, controllers: readonly string[]): string =>
  resolve(request.cgroupYard ?? join(request.workDir, ".criu.cgyard.XXXXXX"), yardOf(controllers));

/** A path with `..` leads from the directory that CRIU mounts the hierarchy on out into this machine's files. */
const leaves = (path: string): boolean => /(^|\/)\.\.(\/|$)/.test(path);

function pathOf(context: Context, controllers: readonly string[], path: string): string {
  const top = yard(context, controllers);
  if (leaves(path)) return join(top, path);
  return directoryOf(context, controllers, path) ?? join(top, path);
}

function directory(context: Context, saved: SavedDirectory): Effect[] {
  const { controllers, path, properties, perms } = saved;
  const mode = context.request.manageCgroups.value;
  const at = pathOf(context, controllers, path);
  const exists = context.host.exists(at);
  const shared = { what: "cgroup", path: at, name: `${yardOf(controllers)}${path}`, image };
  const owner =
    perms === undefined ? "" : `mode ${octal(perms.mode)}, owner ${perms.uid}:${perms.gid}`;
  const found: Effect[] = [];
  const check = leaves(path) ? "untrusted-write" : null;
  if (!exists && !makesNone.has(mode))
    found.push(effect({ ...shared, verb: "create", detail: owner || "mode 0755", check }));
  else if (exists && perms !== undefined && mode !== "none" && !hasAlready(context, at, perms))
    found.push(
      effect({
        ...shared,
        verb: "change",
        detail: `gets ${owner}`,
        check: check ?? existing(context, controllers, path),
      }),
    );
  if (exists ? overwrites.has(mode) : !makesNone.has(mode))
    for (const [name, value] of properties)
      found.push(
        effect({
          ...shared,
          verb: "write",
          path: join(at, name),
          name: `${shared.name}/${name}`,
          detail: JSON.stringify(value.length > 200 ? `${value.slice(0, 200)}…` : value),
          check: check ?? property(context, saved, name, exists),
        }),
      );
  return found;
}

function hasAlready({ host }: Context, at: string, { mode, uid, gid }: Owner): boolean {
  const stat = host.entry(at);
  return (
    stat !== undefined &&
    stat.uid === uid &&
    stat.gid === gid &&
    (stat.mode & 0o7777) === (mode & 0o7777)
  );
}

/** release_agent is a program that the kernel runs as root. */
function property(
  context: Context,
  { controllers, path }: SavedDirectory,
  name: string,
  exists: boolean,
): Refusal | null {
  if (name.includes("/")) return "untrusted-write";
  if (name === "release_agent") return "untrusted-kernel";
  return exists ? existing(context, controllers, path) : null;
}

function joins(context: Context): Iterable<Effect> {
  return members(context)
    .values()
    .map(({ controllers, path, task = null }) => {
      const at = pathOf(context, controllers, path);
      const exists = context.host.exists(at);
      return effect({
        verb: "join",
        what: "cgroup",
        path: at,
        name: `${yardOf(controllers)}${path}`,
        detail: exists
          ? "it is there: its limits hold for the tree, too, and the tree stops when it is stopped"
          : "new",
        image,
        task,
        check: leaves(path)
          ? "untrusted-write"
          : exists
            ? existing(context, controllers, path)
            : null,
      });
    });
}

/** A cgroup that is there is somebody else's, unless the caller is in it. */
const existing = (
  context: Context,
  controllers: readonly string[],
  path: string,
): Refusal | null =>
  callersCgroup(context, controllers) === join("/", path) ? null : "untrusted-cgroup";

/** The cgroup of a hierarchy that recriu is in, and CRIU with it: cgroups(7), /proc/PID/cgroup. */
function callersCgroup({ host }: Context, controllers: readonly string[]): string | undefined {
  for (const line of (host.read("/proc/self/cgroup") ?? "").split("\n")) {
    const [, names, path] = /^\d+:([^:]*):(.*)$/s.exec(line) ?? [];
    if (names === undefined) continue;
    const of = names.split(",");
    if (controllers.some((controller) => of.includes(controller))) return path;
  }
  return undefined;
}
