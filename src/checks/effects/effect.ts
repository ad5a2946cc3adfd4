/** One thing that a restore does to this machine, as plain data; and where on the machine its path leads. */
import type { Context } from "../finding.ts";
import type { Stats } from "node:fs";

/** In the order in which they are shown. */
export const verbs = [
  "run",
  "load",
  "mount",
  "join",
  "delete",
  "create",
  "change",
  "write",
  "signal",
  "connect",
  "listen",
  "watch",
  "lock",
  "set",
  "read",
] as const;

export type Verb = (typeof verbs)[number];

/** Checks that refuse effects where the checkpoint is somebody else's. */
export type Refusal =
  | "untrusted-write"
  | "untrusted-delete"
  | "untrusted-read"
  | "untrusted-proc-write"
  | "untrusted-device"
  | "untrusted-setuid"
  | "untrusted-socket"
  | "untrusted-signal"
  | "untrusted-cgroup"
  | "untrusted-sched"
  | "untrusted-limit"
  | "untrusted-network"
  | "untrusted-mount"
  | "untrusted-kernel"
  | "untrusted-watch";

export interface Effect {
  verb: Verb;
  /** file, socket, cgroup, process … */
  what: string;
  /** Where on this machine, links followed; null: inside what the tree gets of its own, or nothing that has a path. */
  path: string | null;
  /** What the images or options call it. */
  name: string;
  /** What exactly happens. */
  detail: string;
  /** The image and entry that ask for it; "": CRIU's own doing, or the caller's word. */
  image: string;
  /** The first task concerned, by its pid in the images; null: not one task's. */
  task: number | null;
  /**
   * restoring: while CRIU builds the tree, though it fail later or be refused at the gate. succeeding: only of a restore
   * that succeeds. running: what the tree can do from then on.
   */
  when: "restoring" | "succeeding" | "running";
  /** The check that names it under --untrusted; null where anybody may do it, or the caller asked for it. */
  check: Refusal | null;
  /** How many times the same happens. */
  count: number;
  /** So many others that do the same kind of thing, and are refused by the same check, are only counted. */
  more?: number;
}

/** What a family says of an effect: the rest is as most often. */
export type Said = Pick<Effect, "verb" | "what" | "name" | "detail"> & Partial<Effect>;

export const effect = (said: Said): Effect => ({
  path: null,
  image: "",
  task: null,
  when: "restoring",
  check: null,
  count: 1,
  ...said,
});

/** Where a path of the tree leads. */
export interface Landing {
  /** Undefined: it cannot be told. Null: CRIU makes what is there. */
  path: string | null | undefined;
  stat: Stats | undefined;
  /** The kernel's own file system that it is in. */
  kernelFs: () => string | undefined;
  /** It leads out of what the tree has of its own. */
  escaped?: boolean;
}

/** `follow` false: a link at the end of the path is meant itself, as unlink(2) and bind(2) do. */
export function landing(context: Context, path: string, mntId?: number, follow = true): Landing {
  const place = context.namespaces.place(path, mntId);
  if (!place.onHost) return { path: null, stat: undefined, kernelFs: () => undefined };
  const found = place.root.look(place.path, follow);
  return {
    path: place.root.real(place.path, follow),
    stat: found.ok ? found.stat : undefined,
    kernelFs: () => place.root.kernelFs(place.path),
  };
}

export const octal = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, "0");

/** `mode 0644, owner 0:0` of what is there; nothing where nothing is known. */
export const shownStat = (stat: Stats | undefined): string =>
  stat === undefined ? "" : `, mode ${octal(stat.mode)}, owner ${stat.uid}:${stat.gid}`;

export const imageOf = (id: number): string => `files.img id 0x${id.toString(16)}`;
