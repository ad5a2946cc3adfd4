/** What a check says: one named problem, why CRIU would fail on it, and what mends it. A value; printing is elsewhere. */
import type { IsolationKind, Refusal, Settings, Request } from "../criu/index.ts";
import type { Host } from "../host/index.ts";
import type { Checkpoint, FieldEdit, Seal } from "../image/index.ts";
import type { ShellCommand } from "../sys/shell.ts";
import type { Effect } from "./effects/effect.ts";
import type { Exported } from "./exported.ts";
import type { Grants } from "./grants.ts";
import type { CheckId, Group } from "./catalogue.ts";
import type { Namespaces } from "./paths.ts";
import type { Replacement } from "./sockets/replacements.ts";

/** blocker: the restore will fail, hang or harm the host. warning: it may, or differs silently. info: worth knowing. */
export type Severity = "blocker" | "warning" | "info";

/** A change that recriu can make itself: it only adds what is missing, and can be undone. */
export type Repair = MakeDirectory | MakeFifo | PutFile;

export interface MakeDirectory {
  action: "mkdir";
  /** The host directory inside which `path` is resolved. */
  root: string;
  path: string;
  mode: number;
  uid: number;
  gid: number;
}

/** Its fields are as of a directory. */
export interface MakeFifo extends Omit<MakeDirectory, "action"> {
  action: "fifo";
}

/** A file that was taken along with the images (`recriu seal --with-files`). */
export interface PutFile extends Omit<MakeDirectory, "action"> {
  action: "file";
  /** Where its bytes are; `sha256` is theirs. */
  from: string;
  sha256: string;
  size: number;
  /** ISO 8601. */
  mtime?: string | undefined;
  /** In base64. */
  xattrs: Readonly<Record<string, string>>;
  /** It had holes. */
  sparse?: boolean | undefined;
  /** `dev:ino` when it was sealed, of one that had more names: files of the same are one. */
  inode?: string | undefined;
  /** The other of its names at which it is: this becomes a name more of that. A path like `path`. */
  link?: string | undefined;
  /** It has set-id bits or file capabilities, and a person has named it. */
  rights?: true | undefined;
  /** The name, in the same directory, that the other file is given which is there. */
  aside?: string | undefined;
  /** Above it and missing, the outermost first; paths like `path`. */
  directories: readonly Omit<MakeDirectory, "action" | "root">[];
}

/**
 * One field that CRIU is shown otherwise than it was saved: in a copy of the image, of which the shadow directory has a
 * link in every other's place. The images themselves are never written.
 */
export interface Edit extends FieldEdit {
  file: string;
  why: string;
}

/**
 * What is not there now, CRIU will make, and a failed CRIU leaves behind: a socket's file at `path` inside the host
 * directory `root`, a cgroup's directory, a deleted file made again for the moment (ghost), CRIU's own temporary
 * directories in the directory `path`, or a setting of the kernel that it raises (sysctl). name: it is
 * there, and CRIU removes it before it is known whether the tree may run.
 */
export interface Leftover {
  kind: "socket" | "cgroup" | "ghost" | "scratch" | "sysctl" | "name";
  root: string;
  path: string;
  /**
   * What is CRIU's, where others could make something of that name meanwhile. Of a ghost `dev:ino`, or
   * `mode:uid:gid:mtime` (microseconds since 1970; what is empty is not known); of a sysctl the old value and CRIU's.
   */
  like?: string;
  /** Of a directory for temporaries: those that were there before. */
  existing?: string[];
}

/** A setting of the kernel that is in the way, in /proc/sys or /sys; its value there is a number. */
export interface Setting {
  readonly path: string;
  readonly from: number;
  readonly to: number;
  /** The tree needs it on when it runs; else it is given back then. */
  readonly stays: boolean;
}

export type Remedy =
  /** recriu does it itself unless `--fix=none`. */
  | { kind: "repair"; text: string; command: ShellCommand; repair: Repair }
  /** CRIU is given edited copies unless `--fix=none`. */
  | { kind: "edit"; text: string; command?: ShellCommand | null | undefined; edits: Edit[] }
  /** A CRIU option. `automatic`: it loses nothing that the user asked to keep, so recriu adds it itself. */
  | {
      kind: "option";
      text: string;
      /** What is shown is the option: where more is to be done it is a person's, with a command for all of it. */
      command?: null | undefined;
      option: string;
      automatic: boolean;
    }
  /** A variable of CRIU's environment, `NAME=VALUE`, that recriu sets unless `--fix=none`. */
  | { kind: "variable"; text: string; command: ShellCommand; variable: string }
  /** What the user has asked for: the tree is given a namespace of its own. */
  | { kind: "isolate"; text: string; command: ShellCommand }
  /** What the user has asked for by --fix=host. */
  | { kind: "host"; text: string; command: ShellCommand; setting: Setting }
  /** Only a person can decide or do it; `setting`: unless that is asked for. */
  | {
      kind: "human";
      text: string;
      command?: ShellCommand | null | undefined;
      setting?: Setting | undefined;
    };

/** What a check found: a finding without its name, which is the check's and its file's. */
export interface Problem {
  severity: Severity;
  /** The task concerned, by its pid in the images. */
  task?: number | null | undefined;
  /** The image file that proves it, with the entry where there are several: `files.img id 0x4d`. */
  image: string;
  /** The path, pid, option … that it is about. */
  subject: string;
  message: string;
  /** What CRIU itself would print; none where CRIU says nothing. */
  criu_message?: string | null | undefined;
  remedy: Remedy;
  /** The namespace of its own in which the tree would not meet this; null where the check's own does not help. */
  isolate?: IsolationKind | null | undefined;
  /**
   * The smallest directory of this machine in which, were it the tree's own, the tree would not meet this (--isolate-dir); and the path in
   * it that it is not to see, or the file that it is to have there.
   */
  apart?:
    { readonly dir: string; readonly hide?: string; readonly put?: PutFile } | null | undefined;
  /** The file that was sealed with the images; bound over the other in a mount namespace of the tree's own, the tree would not meet this. */
  over?: PutFile | null | undefined;
}

export interface Finding extends Problem {
  isolate: IsolationKind | null;
  apart: NonNullable<Problem["apart"]> | null;
  over: PutFile | null;
  /** The check's name, stable and kebab-case. */
  id: string;
  task: number | null;
  /** All of them, the first too, where the same was found for several (grouped.ts). */
  tasks?: readonly number[];
  /** So many others of its kind are only counted (grouped.ts): they block, or do not, as it does. */
  more?: number;
  criu_message: string | null;
  remedy: Remedy & { command: ShellCommand | null };
}

/** The problem under the name of the check that found it. */
export const named = (id: string, problem: Problem, isolate?: IsolationKind): Finding => ({
  id,
  severity: problem.severity,
  task: problem.task ?? null,
  image: problem.image,
  subject: problem.subject,
  message: problem.message,
  criu_message: problem.criu_message ?? null,
  isolate:
    (problem.over ?? null) === null
      ? ((problem.isolate === undefined ? isolate : problem.isolate) ?? null)
      : "mount",
  apart: problem.apart ?? null,
  over: problem.over ?? null,
  remedy: { ...problem.remedy, command: problem.remedy.command ?? null } as Finding["remedy"],
});

/** The CRIU that would run; undefined where none was found. */
export interface Criu {
  path: string;
  /** "4.1.1"; undefined when it would not say. */
  version: string | undefined;
  /** Why it cannot be started, where that was seen. */
  problem?: string | undefined;
  /** Runs `criu check` (some 30 ms): the error that ends every start of this CRIU on this machine. */
  startRefusal(): Refusal;
  /** Why this CRIU lacks a feature of `criu check --feature`. */
  featureRefusal(feature: string): Refusal;
  /** Has this CRIU compare the processor with the one in `images`. */
  cpuRefusal(images: string): Refusal;
}

/** Everything a check may look at. */
export interface Context {
  checkpoint: Checkpoint;
  host: Host;
  request: Request;
  /** What the user decided that only he can. */
  settings: Pick<
    Settings,
    | "schedPrio"
    | "allowGrown"
    | "usePacked"
    | "mapPath"
    | "untrusted"
    | "allowWrite"
    | "verifyKeys"
    | "requireSignature"
    | "criu"
    | "from"
    | "words"
  >;
  /** The namespaces of its own that the tree is given, but for those that CRIU makes by the images. */
  isolate: ReadonlySet<IsolationKind>;
  /** Addresses that sockets are given instead of their own. */
  replaced: readonly Replacement[];
  /** Directories of this machine that are the tree's own. */
  isolateDirs: readonly string[];
  criu: Criu | undefined;
  /** Why there is none: what is wrong with the one that was named, and by what option or variable; or where it was looked for. */
  noCriu?: string | undefined;
  /** What is said of programs that were found by CRIU's name and not taken, as others can change them. */
  passed?: readonly string[] | undefined;
  namespaces: Namespaces;
  /** What recriu.manifest says of the images; undefined: they are not sealed. */
  seal?: Seal | undefined;
  /** What the container's bundle grants; undefined: there is none to see, as everywhere but under a runtime. */
  bundle?: Grants | undefined;
  /** The container's archive that the images come from. */
  exported?: Exported | undefined;
  /** Of an archive page data is not read: what stands in its place is holes. */
  pagesUnread?: true | undefined;
  /** Nothing will be restored: it was asked whether it could be. */
  looksOnly?: true | undefined;
  /** All that the restore would do to this machine; undefined where it was not asked for. */
  effects?: readonly Effect[] | undefined;
}

/**
 * How a check was seen to be right. `criu`: staged in test/restore, where bare CRIU failed as quoted and the remedy made
 * the restore pass. `harm`: staged there too, but CRIU fails otherwise than by a message. `images`: on edited images.
 */
export type Proof = "criu" | "harm" | "images";

/**
 * What answers a finding: recriu by itself (repair, edit, option, variable, another CRIU), or where it was asked to (map, isolate, host, wait), or a
 * person, by an option of CRIU's that recriu only names (choice), or by something else.
 */
export type AnsweredBy =
  | "repair"
  | "edit"
  | "option"
  | "variable"
  | "map"
  | "isolate"
  | "host"
  | "wait"
  | "other"
  | "choice"
  | "person";

/** All that a check is answered by. */
export const answersOf = ({
  answers = ["person"],
  isolate,
  apart,
  over,
  maps,
  waits,
  otherCriu,
}: Check): readonly AnsweredBy[] => [
  ...answers,
  ...(maps ? (["map"] as const) : []),
  ...(waits ? (["wait"] as const) : []),
  ...(otherCriu ? (["other"] as const) : []),
  ...(isolate === undefined && !apart && !over ? [] : (["isolate"] as const)),
];

/** One file of this room: its folder is the group, its name the check's id. */
export interface Check {
  title: string;
  /** Images and host facts that it reads. */
  reads: string;
  /** Why CRIU fails and what to do: the page that `recriu explain ID` shows. */
  why: string;
  proof: Proof;
  /** It warns or informs, and never blocks. */
  blocks?: false;
  /** What a finding of it is answered by, each under some circumstances; a person where it is not said. */
  answers?: readonly Exclude<AnsweredBy, "map" | "isolate" | "wait" | "other">[];
  /** The namespace of its own in which a tree does not meet what this finds (src/criu/isolation.ts). */
  isolate?: IsolationKind;
  /** Some of what it finds the tree does not meet in a directory of its own. */
  apart?: true;
  /** Some of what it finds the tree does not meet where the file that was sealed with it is bound over another. */
  over?: true;
  /** What it finds is not met where the tree's file is named at another place (--map-path). */
  maps?: true;
  /** Another CRIU in PATH may not meet it, and is taken then, unless one was named. */
  otherCriu?: true;
  /** What it finds may end by itself, so that --wait waits for it. */
  waits?: true;
  /** Where each entry of an image may be a problem they are told one by one (a generator): hostile images have any number. */
  run(context: Context, id?: string): Iterable<Problem>;
}

/** A check as the catalogue has it. */
export interface Named extends Check {
  /** Stable, kebab-case. */
  id: CheckId;
  group: Group;
}
