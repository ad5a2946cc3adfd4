/**
 * Every command line option of CRIU 3.17 to 4.3, in CRIU's own order (criu(8); criu/config.c). One table for the
 * parser, the help, the completions and the man pages.
 */

/** none: a flag. required: `--name VALUE` or `--name=VALUE`. optional: only `--name=VALUE` or `-nVALUE`. */
export type Argument = "none" | "required" | "optional";

export interface CriuOption {
  readonly name: string;
  readonly short?: string;
  readonly arg: Argument;
  /** What the argument is, for help texts: `DIR`. */
  readonly value?: string;
  /** `--no-NAME` exists too. */
  readonly negatable: boolean;
  /** Every use counts; of other options the last one does. */
  readonly list: boolean;
  /** The first CRIU that knows it, where 3.17 did not. */
  readonly since?: string;
  /** It means something to `criu restore`; others are accepted there and change nothing. */
  readonly restore: boolean;
  readonly help: string;
}

/** An option of recriu, none of which CRIU has. */
export interface OwnOption {
  readonly name: string;
  readonly arg: Argument;
  /** What the argument is, for help texts. */
  readonly value?: string;
  readonly help: string;
}

interface Traits {
  readonly short?: string;
  readonly list?: true;
  readonly since?: string;
  readonly restore?: true;
}

const option = (name: string, arg: Argument, value: string, traits: Traits, help: string) => ({
  name,
  arg,
  negatable: false,
  list: false,
  restore: false,
  help,
  ...(value === "" ? {} : { value }),
  ...traits,
});
/** A switch with its `--no-` twin. */
const bool = (name: string, traits: Traits, help: string): CriuOption => ({
  ...option(name, "none", "", traits, help),
  negatable: true,
});
const flag = (name: string, traits: Traits, help: string): CriuOption =>
  option(name, "none", "", traits, help);
const valued = (name: string, value: string, traits: Traits, help: string): CriuOption =>
  option(name, "required", value, traits, help);
const optional = (name: string, value: string, traits: Traits, help: string): CriuOption =>
  option(name, "optional", value, traits, help);

const restore = true;
const list = true;

export const criuOptions: readonly CriuOption[] = [
  valued("tree", "PID", { short: "t" }, "root of the tree to dump; obsolete on restore"),
  flag("leave-stopped", { short: "s", restore }, "leave the tasks stopped afterwards"),
  flag("leave-running", { short: "R" }, "leave the dumped tasks running"),
  bool(
    "restore-detached",
    { short: "d", restore },
    "exit once the tree runs, instead of waiting for it",
  ),
  bool(
    "restore-sibling",
    { short: "S", restore },
    "the root task becomes CRIU's sibling; needs -d",
  ),
  bool("daemon", { restore }, "the same switch as --restore-detached"),
  valued(
    "images-dir",
    "DIR",
    { short: "D", restore },
    "where the images are; default the working directory",
  ),
  valued(
    "work-dir",
    "DIR",
    { short: "W", restore },
    "where logs, pidfiles and statistics go; default the images directory",
  ),
  valued(
    "log-file",
    "FILE",
    { short: "o", restore },
    "CRIU's log, relative to the work directory; - is stdout",
  ),
  valued(
    "join-ns",
    "NS:PID|FILE[,OPTIONS]",
    { short: "J", list, restore },
    "restore into an existing namespace",
  ),
  valued("root", "DIR", { short: "r", restore }, "the root of the restored mount namespace"),
  optional(
    "ext-unix-sk",
    "INODE,…",
    { short: "x", restore },
    "allow unix sockets whose other end is outside the tree",
  ),
  flag("help", { short: "h" }, "show the help"),
  bool("tcp-established", { restore }, "restore established TCP connections"),
  valued("close", "FD", { restore }, "close a descriptor that CRIU inherited"),
  bool("log-pid", { restore }, "one log a task: FILE.PID"),
  flag("version", { short: "V" }, "show the version"),
  bool("evasive-devices", {}, "take any path that leads to the same device"),
  valued("pidfile", "FILE", { restore }, "write the root task's pid there; it must not exist"),
  valued(
    "veth-pair",
    "IN=OUT",
    { list, restore },
    "name of the outer end of a veth pair; now --external veth[IN]:OUT",
  ),
  valued(
    "action-script",
    "FILE",
    { list, restore },
    "run at fixed points of the restore; it can refuse",
  ),
  bool("link-remap", {}, "name deleted files again while they are dumped"),
  bool(
    "shell-job",
    { short: "j", restore },
    "the tree uses a terminal and session from outside itself",
  ),
  bool("file-locks", { short: "l", restore }, "dump and restore file locks"),
  bool("page-server", {}, "send pages to a page server"),
  valued("address", "ADDR", {}, "address of the page server or service"),
  valued("port", "PORT", {}, "port of the page server"),
  valued(
    "prev-images-dir",
    "DIR",
    {},
    "images of the dump before, relative to the images directory",
  ),
  flag("ms", {}, "withdrawn: an error"),
  bool("track-mem", {}, "have the kernel track changed memory"),
  bool("auto-dedup", { restore }, "punch pages out of the images as they are restored"),
  valued("libdir", "DIR", { short: "L", restore }, "where CRIU's plugins are"),
  optional(
    "cpu-cap",
    "CAP,…",
    { restore },
    "compare the CPU with the saved one: cpu, fpu, all, ins, none; ^CAP leaves one out",
  ),
  bool("force-irmap", {}, "always resolve inode numbers of watches to names"),
  valued(
    "ext-mount-map",
    "KEY:PATH",
    { short: "M", list, restore },
    "source of an external mount; now --external mnt[KEY]:PATH",
  ),
  flag("exec-cmd", { restore }, "afterwards become the command that follows --"),
  optional(
    "manage-cgroups",
    "MODE",
    { restore },
    "none, props, soft (default), full, strict or ignore",
  ),
  valued(
    "cgroup-root",
    "[CONTROLLER:]PATH",
    { list, restore },
    "put the tree's cgroups below another one",
  ),
  valued(
    "inherit-fd",
    "fd[N]:RESOURCE",
    { list, restore },
    "use descriptor N where the images name the resource",
  ),
  valued("feature", "NAME", { list }, "check one kernel feature"),
  valued("skip-mnt", "PATH", { list }, "leave a mount point out"),
  valued("enable-fs", "NAME,…", { list }, "take file systems for supported"),
  flag("enable-external-sharing", { restore }, "find external mounts that are shared, too"),
  flag("enable-external-masters", { restore }, "find external mounts that are slaves, too"),
  valued("freeze-cgroup", "DIR", {}, "freeze the tree by its cgroup"),
  valued("ghost-limit", "SIZE", {}, "largest deleted file to dump"),
  valued("irmap-scan-path", "PATH", { list }, "look for watched inodes there"),
  valued("lsm-profile", "TYPE:NAME", { restore }, "AppArmor or SELinux profile to restore with"),
  valued("timeout", "SECONDS", { restore }, "kill a restore whose tree does not run after so long"),
  valued(
    "external",
    "RESOURCE",
    { list, restore },
    "a resource from outside: mnt[KEY]:PATH, dev[KEY]:PATH, veth[IN]:OUT, net[KEY]:PATH …",
  ),
  valued("empty-ns", "net", { list, restore }, "make the namespace, restore nothing in it"),
  flag("lazy-pages", { restore }, "fetch pages when they are used; needs `criu lazy-pages`"),
  bool("extra", {}, "check extra kernel features"),
  bool("experimental", {}, "check experimental kernel features"),
  flag("all", {}, "the same as --extra --experimental"),
  valued("cgroup-props", "STRING", {}, "cgroup controllers and properties to dump"),
  valued("cgroup-props-file", "FILE", {}, "the same from a file"),
  valued("cgroup-dump-controller", "NAME", { list }, "dump only this cgroup controller"),
  bool("skip-in-flight", {}, "leave connections out that are not established yet"),
  bool("deprecated", { restore }, "allow what CRIU has deprecated"),
  bool("display-stats", { restore }, "print statistics"),
  bool("weak-sysctls", { restore }, "go on where a sysctl does not exist here"),
  valued("status-fd", "FD", {}, "write a NUL byte there when ready"),
  bool("tcp-close", { restore }, "restore established TCP connections as closed"),
  optional(
    "verbosity",
    "LEVEL",
    { short: "v", list, restore },
    "how much to log: 1 errors, 2 warnings (default), 3 info, 4 debug; bare adds one",
  ),
  valued("ps-socket", "FD", {}, "descriptor that is the page server's socket"),
  bool("stream", { restore }, "read the images from criu-image-streamer"),
  valued("config", "FILE", { restore }, "read this configuration file instead of the default ones"),
  flag("no-default-config", { restore }, "read no default configuration file"),
  valued("tls-cacert", "FILE", {}, "trust certificates of this authority"),
  valued("tls-cacrl", "FILE", {}, "its revocation list"),
  valued("tls-cert", "FILE", {}, "own certificate"),
  valued("tls-key", "FILE", {}, "own private key"),
  bool("tls", {}, "use TLS to the page server"),
  flag("tls-no-cn-verify", {}, "do not compare the name in the server's certificate"),
  valued("cgroup-yard", "DIR", { restore }, "where all cgroup hierarchies are mounted already"),
  valued("pre-dump-mode", "splice|read", {}, "how a pre-dump reads memory"),
  valued(
    "file-validation",
    "filesize|buildid",
    { restore },
    "how to tell that a file is the saved one; default buildid",
  ),
  bool(
    "skip-file-rwx-check",
    { since: "3.18", restore },
    "do not compare the permissions of files",
  ),
  valued("lsm-mount-context", "CONTEXT", { restore }, "SELinux context of the mounts that had one"),
  valued("network-lock", "METHOD", {}, "iptables, nftables or skip; a restore takes the dump's"),
  bool("mntns-compat-mode", { restore }, "restore mounts the old way"),
  bool("unprivileged", { since: "3.18", restore }, "accept the limits of running without root"),
  bool("ghost-fiemap", { since: "3.18" }, "find the holes of deleted files by fiemap"),
  bool("allow-uprobes", { since: "4.2", restore }, "allow mappings of uprobes"),
  valued(
    "image-io-mode",
    "MODE",
    { since: "4.3", restore },
    "how pages images are read: writeback (default) or direct",
  ),
  flag("compress", { since: "4.3" }, "compress pages of memory with LZ4"),
  valued("compress-acceleration", "N", { since: "4.3" }, "faster, and less well"),
  valued("compress-block", "BYTES", { since: "4.3" }, "how much is compressed at once"),
  valued(
    "decompress-threads",
    "N",
    { since: "4.3", restore },
    "so many threads decompress pages: 0 to 1024",
  ),
  valued(
    "plugin-option",
    "PLUGIN.NAME[=VALUE]",
    { list, since: "4.3", restore },
    "an option for a plugin",
  ),
];

/** A long name that getopt knows: an option's own, or its `no-` twin. */
export interface LongName {
  readonly long: string;
  readonly option: CriuOption;
  readonly negated: boolean;
}

let cachedLongNames: readonly LongName[] | undefined;

/** All long names in the order of CRIU's table, which is the order of getopt's messages. */
export function longNames(): readonly LongName[] {
  return (cachedLongNames ??= criuOptions.flatMap((entry) => {
    const positive = { long: entry.name, option: entry, negated: false };
    return entry.negatable
      ? [positive, { long: `no-${entry.name}`, option: entry, negated: true }]
      : [positive];
  }));
}

export function byName(name: string): CriuOption | undefined {
  return criuOptions.find((entry) => entry.name === name);
}

/** The option with a short name. */
export function byShort(short: string): CriuOption | undefined {
  return criuOptions.find((entry) => entry.short === short);
}
