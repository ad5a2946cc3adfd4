/** Mounts that give the tree something of this machine on the images' word alone (mount.c, mount-v2.c, filesystems.c). */
import { sh } from "../../sys/shell.ts";
import { ownCgroupNamespace } from "../cgroups/cgroup-tree.ts";
import type { Check, Context, Problem } from "../finding.ts";
import { older } from "../kernel/release.ts";
import {
  AUTO,
  AUTODETECTED,
  EXTERNAL_DEVICE,
  fstypes,
  imageOf,
  type Mount,
  savedMounts,
} from "./external.ts";

const READ_ONLY = 1;

/** An option gives it, or the user's word takes it as it was. */
const isExternal = ({ key }: Mount): boolean => key !== undefined && key !== EXTERNAL_DEVICE;

/** What CRIU compares to tell whether two mounts are of one file system; of a given one it knows less. */
const filesystemOf = ({ entry }: Mount): string => `${entry.root_dev} ${entry.options}`;

const wholly = (mount: Mount): string =>
  `${filesystemOf(mount)} ${mount.entry.fstype} ${mount.entry.source}`;

/** A directory of a file system, and those above it. CRIU compares them as texts, too. */
function* upwards(path: string): Generator<string> {
  yield path;
  for (let at = path.lastIndexOf("/"); at > 0; at = path.lastIndexOf("/", at - 1))
    yield path.slice(0, at);
  yield "/";
}

export interface Bound {
  mount: Mount;
  /** The directory of this machine that CRIU binds it from: --root, the source of an external mount; "" where nothing here tells. */
  base: string;
  /** Where below that. */
  path: string;
}

/** The mounts of the tree that CRIU binds from a directory which an option names, and those that it makes itself. */
export function boundAndMade(context: Context): { bound: Bound[]; made: Mount[] } {
  const mounts = savedMounts(context);
  const rootImage = `mountpoints-${context.checkpoint.root?.ids?.mnt_ns_id}.img`;
  const baseOf = (mount: Mount): string | undefined =>
    mount.entry.mountpoint === "/" && mount.image === rootImage
      ? (context.request.root ?? "")
      : isExternal(mount)
        ? (mount.source ?? "")
        : mount.entry.with_plugin
          ? ""
          : undefined;
  const bases = new Map<string, { base: string; root: string }>();
  for (const mount of mounts) {
    const base = baseOf(mount);
    const { root } = mount.entry;
    if (base !== undefined)
      bases.set(`${(isExternal(mount) ? filesystemOf : wholly)(mount)} ${root}`, { base, root });
  }
  const bound: Bound[] = [];
  const made: Mount[] = [];
  for (const mount of mounts) {
    if (baseOf(mount) !== undefined) continue;
    const [whole, part] = [wholly(mount), filesystemOf(mount)];
    let from: { base: string; root: string } | undefined;
    for (const root of upwards(mount.entry.root))
      if ((from = bases.get(`${whole} ${root}`) ?? bases.get(`${part} ${root}`)) !== undefined)
        break;
    if (from === undefined) made.push(mount);
    else bound.push({ mount, base: from.base, path: mount.entry.root.slice(from.root.length) });
  }
  return { bound, made };
}

/** File systems that are new with each mount. */
const fresh = new Set(["tmpfs", "ramfs", "devpts", "hugetlbfs", "autofs"]);

/** Those that show this machine's kernel whoever mounts them, read-only in ordinary containers. */
const usual: Readonly<Record<string, string>> = {
  sysfs: "devices and kernel",
  cgroup: "cgroups",
  cgroup2: "cgroups",
};

const kernel: Readonly<Record<string, string>> = {
  ...usual,
  devtmpfs: "devices",
  proc: "processes and kernel",
  mqueue: "message queues",
};

/** Directories of this machine in an overlay's options. */
const directories = (options: string): string[] =>
  options.split(",").filter((option) => /^(lowerdir|upperdir|workdir|datadir)\+?=/.test(option));

/** What of this machine a mount shows; undefined: nothing, as it is the tree's own. */
function shows(context: Context, mount: Mount): string | undefined {
  const { entry, key } = mount;
  const { created } = context.namespaces;
  const name = entry.fstype === AUTO ? (entry.fsname ?? "") : fstypes[entry.fstype];
  if (name === undefined || fresh.has(name)) return undefined;
  if ((name === "proc" && created.pid) || (name === "mqueue" && created.ipc)) return undefined;
  if (name.startsWith("cgroup") && ownCgroupNamespace(context)) return undefined;
  // Each user namespace has formats of its own since Linux 6.7.
  if (name === "binfmt_misc" && created.user && !older(context, 6, 7)) return undefined;
  if (name === "overlay") {
    const dirs = directories(entry.options);
    const writes = !readOnly(mount) && dirs.some((option) => option.startsWith("upperdir"));
    return `an overlay of directories of this machine${writes ? ", of which it writes into the upper one" : ""}: ${dirs.join(" ")}`;
  }
  if (entry.root_dev >>> 20 !== 0) {
    const device = /^dev\[(.*)\]$/.exec(entry.source)?.[1] ?? entry.source;
    const named = context.request.external.some(
      (each) => each.kind === "dev" && each.key === device,
    );
    return named && (key === EXTERNAL_DEVICE || entry.fstype === AUTO)
      ? undefined
      : `the ${name} on this machine's ${entry.source}`;
  }
  return kernel[name] === undefined && /[/:]/.test(entry.source)
    ? `the ${name} that this machine has at ${entry.source}`
    : `this machine's ${kernel[name] ?? "kernel"} (${name})`;
}

export const mountOfHost: Check = {
  title: "A mount gives the tree something of this machine, and only the images say so",
  reads:
    "fstype, source, options, flags and ext_key in mountpoints-*.img; --external; the tree's namespaces",
  why:
    "CRIU mounts what the images name, with their source and options, as root of this machine: an overlay's directories are those of this machine, devtmpfs, sysfs, " +
    "debugfs and their like show its devices and its kernel, whichever container asks. No option names them, so nobody here has allowed it. Information only, " +
    "where it is what ordinary containers have: sysfs or cgroups read-only.",
  proof: "harm",
  blocks: false,
  run(context) {
    const told = (mount: Mount, what: string, severity: Problem["severity"]): Problem => ({
      severity,
      image: imageOf(mount),
      subject: mount.at,
      message: `${mount.at} will be ${what}${readOnly(mount) ? "; read-only" : ""}`,
      remedy: {
        kind: "human",
        text: `go on only if the tree may have that; or dump it with ${sh`--external mnt[${mount.at}]:KEY`} and say here what KEY is`,
      },
    });
    return [
      ...boundAndMade(context)
        .made.values()
        .flatMap((mount): Problem[] => {
          const what = shows(context, mount);
          if (what === undefined) return [];
          const { fstype, fsname } = mount.entry;
          const ordinary = usual[fstypes[fstype] ?? fsname ?? ""] !== undefined && readOnly(mount);
          return [told(mount, what, ordinary ? "info" : "warning")];
        }),
      ...(context.request.autodetectExtMounts ? savedMounts(context) : [])
        .filter(({ key }) => key === AUTODETECTED)
        .map((mount) => told(mount, `${mount.entry.source} of this machine`, "warning")),
    ];
  },
};

const readOnly = ({ entry }: Mount): boolean =>
  ((entry.flags | (entry.sb_flags ?? 0)) & READ_ONLY) !== 0;
