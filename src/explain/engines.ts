/** Engines and runtimes that run CRIU for somebody: what of a paste shows which, and where the CRIU of each has its options. */
import { criuOptions } from "../criu/options.ts";

export interface Engine {
  readonly name: string;
  /** Lines that only it, or somebody who calls it, has. */
  readonly seen: RegExp;
  /** The file whose options the CRIU that it runs reads. */
  readonly file: (runsCrun: boolean) => string;
  /** From when on it reads that. */
  readonly reads: string;
  /** A daemon, or what else has all rights anyway. */
  readonly isRoot: boolean;
  /** Options of its own, by the name that CRIU has for them. */
  readonly own: ReadonlyMap<string, string>;
  /** How a container of it is run without a filter, and without a profile; undefined where that is as with Docker. */
  readonly unconfined?: { readonly seccomp: string; readonly apparmor: string };
}

const byItself = "CRIU 3.11 or later reads it";
export const byCrun = "crun 1.26 with CRIU 4.2, or later, read it: earlier ones do not";
/** The file of every CRIU that has such files, whoever runs it; what is asked of it by those goes before. */
export const ofAll = "/etc/criu/default.conf";
/** What crun itself asks of CRIU, whatever that file says. */
export const askedByCrun: ReadonlySet<string> = new Set([
  "leave-running",
  "ext-unix-sk",
  "shell-job",
  "tcp-established",
  "tcp-close",
  "file-locks",
  "orphan-pts-master",
  "manage-cgroups",
]);
const runc = "/etc/criu/runc.conf";
export const crun = "/etc/criu/crun.conf";
const either = `${runc} (of crun 1.26 with CRIU 4.2, or later, ${crun})`;
const ofRuntime = (runsCrun: boolean): string => (runsCrun ? crun : either);
const ofRunc = (runsCrun: boolean): string => (runsCrun ? crun : runc);
const ofCriu = (): string => ofAll;

const inPod = {
  seccomp: "seccompProfile.type: Unconfined in the container's securityContext",
  apparmor: "appArmorProfile.type: Unconfined in the container's securityContext",
};
const inLxc = {
  seccomp: "lxc.seccomp.profile (before LXC 3.0 lxc.seccomp) left empty",
  apparmor: "lxc.apparmor.profile = unconfined",
};
/** What is set there takes away the lines that stand there: it is edited. */
const inLxd = {
  seccomp: "lxc config edit NAME, with the line lxc.seccomp.profile= in raw.lxc",
  apparmor: "lxc config edit NAME, with the line lxc.apparmor.profile=unconfined in raw.lxc",
};
const inBundle = {
  seccomp: "linux.seccomp taken out of config.json",
  apparmor: "process.apparmorProfile taken out of config.json",
};
const none: ReadonlyMap<string, string> = new Map();
const ofPodman: ReadonlyMap<string, string> = new Map([
  ["tcp-established", "podman container checkpoint and restore --tcp-established"],
  ["file-locks", "podman container checkpoint and restore --file-locks"],
]);
/** What only the newest have, and what they call by other values, stands in their file. */
const differing: ReadonlySet<string> = new Set([
  "tcp-close",
  "lsm-profile",
  "lsm-mount-context",
  "empty-ns",
]);
/** crun has no flag for these. */
const ofRuncAlone: ReadonlySet<string> = new Set(["auto-dedup", "lazy-pages"]);
const named = (runtime: string, lacks: ReadonlySet<string>): ReadonlyMap<string, string> =>
  new Map(
    criuOptions.flatMap(({ name, runtime: has }) =>
      has === undefined || differing.has(name) || lacks.has(name)
        ? []
        : [[name, `${runtime} … --${has === "flag" ? name : has.valued}`] as const],
    ),
  );

// One reading of a line each: every repetition has an end.
export const engines: readonly Engine[] = [
  {
    name: "Podman",
    seen: /\bpodman (?:-\S{1,60} (?:[^-\s]\S{0,60} )?){0,4}(?:container )?(?:checkpoint|restore)\b|\blibpod\b/,
    file: ofRuntime,
    reads: "CRIU 3.11, runc 1.0 or later read it",
    isRoot: false,
    own: ofPodman,
  },
  {
    name: "Docker",
    seen: /\bError response from daemon\b|\bCannot (?:checkpoint|start) container\b|\bdocker checkpoint\b|\bdocker (?:container )?start .{0,80}--checkpoint\b|\bdockerd\[\d|io\.containerd\.runtime\.v[12]\.\w{1,8}\/moby\//,
    file: ofRunc,
    reads: "CRIU 3.11, runc 1.0 or later read it; docker checkpoint has no flags for these",
    isRoot: true,
    own: none,
  },
  {
    name: "the kubelet",
    seen: /\bkubelet\[\d|\bkubelet\b.{0,200}\b[Cc]heckpoint|\bkubectl (?:checkpoint|debug|get|describe|logs)\b|\/api\/v1\/nodes\/\S{1,100}\/proxy\/checkpoint\b/,
    file: ofRuntime,
    reads: "CRIU 3.11, runc 1.0 or later read it",
    isRoot: true,
    own: none,
    unconfined: inPod,
  },
  {
    name: "CRI-O",
    seen: /\bcri-?o\[\d|\bcrictl (?:-\S{1,40} ){0,4}checkpoint\b|\/usr\/libexec\/crio\/|\bCheckpointContainer from runtime service\b/i,
    file: ofRuntime,
    reads: "CRIU 3.11, runc 1.0 or later read it",
    isRoot: true,
    own: none,
    unconfined: inPod,
  },
  {
    name: "containerd",
    seen: /\bctr (?:-\S{1,40} (?:\S{1,40} )?){0,4}(?:c|containers?|t|tasks?) (?:checkpoint|restore)\b|\bnerdctl (?:checkpoint|start)\b|\bcontainerd\[\d/,
    file: ofRunc,
    reads: "CRIU 3.11, runc 1.0 or later read it",
    isRoot: true,
    own: none,
  },
  {
    name: "LXD or Incus",
    seen: /\b(?:lxc|incus) (?:stop|start|snapshot|move|copy|restore)\b.{0,80}--stateful|\b(?:lxc|incus) (?:move|snapshot) |\b(?:migration|snapshot) (?:pre-)?(?:dump|restore) failed$|\bError transferring (?:container|instance) data\b|\bforkmigrate\b/,
    file: ofCriu,
    reads: byItself,
    isRoot: true,
    own: none,
    unconfined: inLxd,
  },
  {
    name: "LXC",
    seen: /\blxc-checkpoint\b|\blxc_container\b|\bcriu\.c: ?\w{0,40}(?:dump|restore|criu)/,
    file: ofCriu,
    reads: byItself,
    isRoot: false,
    own: none,
    unconfined: inLxc,
  },
  {
    name: "crun",
    seen: /\bcrun (?:-\S{1,60} (?:[^-\s]\S{0,60} )?){0,4}(?:checkpoint|restore)\b/,
    file: ofRuntime,
    reads: byCrun,
    isRoot: false,
    own: named("crun", ofRuncAlone),
    unconfined: inBundle,
  },
  {
    name: "runc",
    seen: /\brunc (?:-\S{1,60} (?:[^-\s]\S{0,60} )?){0,4}(?:checkpoint|restore)\b|\bcriu failed: type [A-Z]\w{2,12} errno \d/,
    file: ofRunc,
    reads: "CRIU 3.11, runc 1.0 or later read it",
    isRoot: false,
    own: named("runc", new Set()),
    unconfined: inBundle,
  },
];
