/**
 * Every command line option of CRIU 3.17 to 4.3, in CRIU's own order (criu(8); criu/config.c): the one table for the
 * parser, the request, CRIU's RPC, the flags of runtimes, the help, the completions and the man pages.
 */
import { bool, type CriuOption, flag, optional, valued } from "./option.ts";
import { since } from "./features.ts";
import * as rpcs from "./rpc-values.ts";
import * as values from "./values.ts";

const restore = true;
const list = true;
const path = true;

const table = [
  valued(
    "tree",
    "PID",
    {
      short: "t",
      apply: values.shaped((value) => values.atoi(value) > 0, "a pid"),
      rpc: rpcs.unsaid("pid"),
    },
    "root of the tree to dump; obsolete on restore",
  ),
  flag(
    "leave-stopped",
    { short: "s", restore, apply: values.leaveStopped, rpc: rpcs.turnedOn("leave_stopped") },
    "leave the tasks stopped afterwards",
  ),
  flag(
    "leave-running",
    { short: "R", apply: values.leaveRunning, rpc: rpcs.leaveRunning },
    "leave the dumped tasks running",
  ),
  bool(
    "restore-detached",
    { short: "d", restore, turns: "detached" },
    "exit once the tree runs, instead of waiting for it",
  ),
  bool(
    "restore-sibling",
    { short: "S", restore, turns: "sibling", rpc: "rst_sibling" },
    "the root task becomes CRIU's sibling; needs -d",
  ),
  bool("daemon", { restore, turns: "detached" }, "the same switch as --restore-detached"),
  valued(
    "images-dir",
    "DIR",
    {
      short: "D",
      restore,
      apply: values.imagesDir,
      runtime: { valued: "image-path" },
      rpc: rpcs.imagesDir,
    },
    "where the images are; default the working directory",
  ),
  valued(
    "work-dir",
    "DIR",
    {
      short: "W",
      restore,
      apply: values.workDir,
      runtime: { valued: "work-path" },
      rpc: rpcs.workDir,
    },
    "where logs, pidfiles and statistics go; default the images directory",
  ),
  valued(
    "log-file",
    "FILE",
    {
      short: "o",
      restore,
      sets: "logFile",
      rpc: rpcs.logFile,
    },
    "CRIU's log, relative to the work directory; - is stdout",
  ),
  valued(
    "join-ns",
    "NS:PID|FILE[,OPTIONS]",
    {
      short: "J",
      list,
      restore,
      apply: values.joinNs,
      rpc: rpcs.joinNs,
    },
    "restore into an existing namespace",
  ),
  valued(
    "root",
    "DIR",
    { short: "r", restore, sets: "root", path, rpc: "root" },
    "the root of the restored mount namespace",
  ),
  optional(
    "ext-unix-sk",
    "INODE,…",
    {
      short: "x",
      restore,
      apply: values.extUnixSk,
      runtime: "flag",
      rpc: rpcs.extUnixSk,
    },
    "allow unix sockets that are connected to processes outside the tree",
  ),
  flag("help", { short: "h" }, "show the help"),
  bool(
    "tcp-established",
    { restore, turns: "tcpEstablished", rpc: "tcp_established", runtime: "flag" },
    "restore established TCP connections",
  ),
  valued("close", "FD", { restore }, "close a descriptor that CRIU inherited"),
  bool("log-pid", { restore, turns: "logPerPid" }, "one log a task: FILE.PID"),
  flag("version", { short: "V" }, "show the version"),
  bool(
    "evasive-devices",
    { rpc: "evasive_devices" },
    "take any path that leads to the same device",
  ),
  valued(
    "pidfile",
    "FILE",
    { restore, sets: "pidfile", path },
    "write the root task's pid there; it must not exist",
  ),
  valued(
    "veth-pair",
    "IN=OUT",
    {
      list,
      restore,
      apply: values.vethPair,
      rpc: rpcs.veths,
    },
    "name of the outer end of a veth pair; now --external veth[IN]:OUT",
  ),
  valued(
    "action-script",
    "FILE",
    { list, restore, apply: values.actionScript },
    "run at fixed points of the restore; it can refuse",
  ),
  bool("link-remap", { rpc: "link_remap" }, "name deleted files again while they are dumped"),
  bool(
    "shell-job",
    { short: "j", restore, turns: "shellJob", rpc: "shell_job", runtime: "flag" },
    "the tree uses a terminal and session from outside itself",
  ),
  bool(
    "file-locks",
    { short: "l", restore, turns: "fileLocks", rpc: "file_locks", runtime: "flag" },
    "dump and restore file locks",
  ),
  bool("page-server", {}, "send pages to a page server"),
  valued("address", "ADDR", {}, "address of the page server or service"),
  valued(
    "port",
    "PORT",
    { apply: values.shaped((value) => values.atoi(value) !== 0, "a port") },
    "port of the page server",
  ),
  valued(
    "prev-images-dir",
    "DIR",
    { rpc: "parent_img" },
    "images of the dump before, relative to the images directory",
  ),
  flag("ms", { apply: () => "--ms is withdrawn" }, "withdrawn: an error"),
  bool("track-mem", { rpc: "track_mem" }, "have the kernel track changed memory"),
  bool(
    "auto-dedup",
    { restore, turns: "autoDedup", rpc: "auto_dedup", runtime: "flag" },
    "punch pages out of the images as they are restored",
  ),
  valued(
    "libdir",
    "DIR",
    { short: "L", restore, sets: "libdir", path },
    "where CRIU's plugins are",
  ),
  optional(
    "cpu-cap",
    "CAP,…",
    {
      restore,
      apply: values.cpuCap,
      rpc: rpcs.cpuCap,
    },
    "compare the CPU with the saved one: cpu, fpu, all, ins, none; ^CAP leaves one out",
  ),
  bool("force-irmap", { rpc: "force_irmap" }, "always resolve inode numbers of watches to names"),
  valued(
    "ext-mount-map",
    "KEY:PATH",
    {
      short: "M",
      list,
      restore,
      apply: values.extMountMap,
      rpc: rpcs.extMounts,
    },
    "source of an external mount; now --external mnt[KEY]:PATH",
  ),
  flag(
    "exec-cmd",
    { restore, rpc: rpcs.unsaid("exec_cmd") },
    "afterwards become the command that follows --",
  ),
  optional(
    "manage-cgroups",
    "MODE",
    {
      restore,
      apply: values.manageCgroups,
      runtime: { valued: "manage-cgroups-mode" },
      rpc: rpcs.manageCgroups,
    },
    "none, props, soft (default), full, strict or ignore",
  ),
  valued(
    "cgroup-root",
    "[CONTROLLER:]PATH",
    {
      list,
      restore,
      apply: values.cgroupRoot,
      rpc: rpcs.cgroupRoots,
    },
    "put the tree's cgroups below another one",
  ),
  valued(
    "inherit-fd",
    "fd[N]:RESOURCE",
    {
      list,
      restore,
      apply: values.inheritFd,
      rpc: rpcs.inheritFds,
    },
    "use descriptor N where the images name the resource",
  ),
  valued("feature", "NAME", { list }, "check one kernel feature"),
  valued("skip-mnt", "PATH", { list, rpc: "skip_mnt" }, "leave a mount point out"),
  valued("enable-fs", "NAME,…", { list, rpc: "enable_fs" }, "take file systems for supported"),
  flag(
    "enable-external-sharing",
    { restore, rpc: "ext_sharing" },
    "find external mounts that are shared, too",
  ),
  flag(
    "enable-external-masters",
    { restore, rpc: "ext_masters" },
    "find external mounts that are slaves, too",
  ),
  valued("freeze-cgroup", "DIR", { rpc: "freeze_cgroup" }, "freeze the tree by its cgroup"),
  valued("ghost-limit", "SIZE", { rpc: "ghost_limit" }, "largest deleted file to dump"),
  valued(
    "irmap-scan-path",
    "PATH",
    { list, rpc: "irmap_scan_paths" },
    "look for watched inodes there",
  ),
  valued(
    "lsm-profile",
    "TYPE:NAME",
    { restore, sets: "lsmProfile", rpc: "lsm_profile", runtime: { valued: "lsm-profile" } },
    "AppArmor or SELinux profile to restore with",
  ),
  valued(
    "timeout",
    "SECONDS",
    { restore, apply: values.timeout, rpc: "timeout" },
    "kill the restore when its tree does not run after so long",
  ),
  valued(
    "external",
    "RESOURCE",
    { list, restore, apply: values.external, rpc: "external" },
    "a resource from outside: mnt[KEY]:PATH, dev[KEY]:PATH, veth[IN]:OUT, net[KEY]:PATH …",
  ),
  valued(
    "empty-ns",
    "net",
    {
      list,
      restore,
      apply: values.emptyNs,
      runtime: { valued: "empty-ns" },
      rpc: rpcs.emptyNs,
    },
    "make the namespace, restore nothing in it",
  ),
  flag(
    "lazy-pages",
    { restore, turns: "lazyPages", rpc: "lazy_pages", runtime: "flag" },
    "fetch pages when they are used; needs `criu lazy-pages`",
  ),
  bool("extra", {}, "check extra kernel features"),
  bool("experimental", {}, "check experimental kernel features"),
  flag("all", {}, "the same as --extra --experimental"),
  valued(
    "cgroup-props",
    "STRING",
    { rpc: "cgroup_props" },
    "cgroup controllers and properties to dump",
  ),
  valued("cgroup-props-file", "FILE", { rpc: "cgroup_props_file" }, "the same from a file"),
  valued(
    "cgroup-dump-controller",
    "NAME",
    { list, rpc: "cgroup_dump_controller" },
    "dump only this cgroup controller",
  ),
  bool(
    "skip-in-flight",
    { rpc: "tcp_skip_in_flight" },
    "leave connections out that are not established yet",
  ),
  bool("deprecated", { restore, turns: "deprecated" }, "allow what CRIU has deprecated"),
  bool("display-stats", { restore, rpc: "display_stats" }, "print statistics"),
  bool(
    "weak-sysctls",
    { restore, turns: "weakSysctls", rpc: "weak_sysctls" },
    "go on where a sysctl does not exist here",
  ),
  valued("status-fd", "FD", { apply: values.statusFd }, "write a NUL byte there when ready"),
  bool(
    "tcp-close",
    { restore, turns: "tcpClose", rpc: "tcp_close", runtime: "flag" },
    "restore established TCP connections as closed",
  ),
  optional(
    "verbosity",
    "LEVEL",
    { short: "v", list, restore, rpc: "log_level" },
    "how much to log: 1 errors, 2 warnings (default), 3 info, 4 debug; bare adds one",
  ),
  valued("ps-socket", "FD", {}, "descriptor that is the page server's socket"),
  bool(
    "stream",
    { restore, turns: "stream", rpc: "stream" },
    "read the images from criu-image-streamer",
  ),
  valued(
    "config",
    "FILE",
    { restore, rpc: rpcs.unsaid("config_file") },
    "read this configuration file instead of the default ones",
  ),
  flag("no-default-config", { restore }, "read no default configuration file"),
  valued("tls-cacert", "FILE", { rpc: "tls_cacert" }, "trust certificates of this authority"),
  valued("tls-cacrl", "FILE", { rpc: "tls_cacrl" }, "its revocation list"),
  valued("tls-cert", "FILE", { rpc: "tls_cert" }, "own certificate"),
  valued("tls-key", "FILE", { rpc: "tls_key" }, "own private key"),
  bool("tls", { rpc: "tls" }, "use TLS to the page server"),
  flag(
    "tls-no-cn-verify",
    { rpc: "tls_no_cn_verify" },
    "do not compare the name in the server's certificate",
  ),
  valued(
    "cgroup-yard",
    "DIR",
    { restore, sets: "cgroupYard", path, rpc: "cgroup_yard" },
    "where all cgroup hierarchies are mounted already",
  ),
  valued(
    "pre-dump-mode",
    "splice|read",
    { apply: values.oneOf("splice", "read"), rpc: rpcs.unsaid("pre_dump_mode") },
    "how a pre-dump reads memory",
  ),
  valued(
    "file-validation",
    "filesize|buildid",
    { restore, apply: values.fileValidation },
    "how to tell that a file is the saved one; default buildid",
  ),
  bool(
    "skip-file-rwx-check",
    { since: since.unprivileged, restore, turns: "skipFileRwxCheck", rpc: "skip_file_rwx_check" },
    "do not compare the permissions of files",
  ),
  valued(
    "lsm-mount-context",
    "CONTEXT",
    { restore, rpc: "lsm_mount_context", runtime: { valued: "lsm-mount-context" } },
    "SELinux context of the mounts that had one",
  ),
  valued(
    "network-lock",
    "METHOD",
    {
      apply: values.oneOf("iptables", "nftables", "skip", "none"),
      rpc: rpcs.unsaid("network_lock"),
    },
    "iptables, nftables or skip; a restore takes the dump's",
  ),
  bool(
    "mntns-compat-mode",
    { restore, turns: "mntnsCompatMode", rpc: rpcs.turnedOn("mntns_compat_mode") },
    "restore mounts the old way",
  ),
  bool(
    "unprivileged",
    { since: since.unprivileged, restore, turns: "unprivileged", rpc: "unprivileged" },
    "accept the limits of running without root",
  ),
  bool("ghost-fiemap", { since: since.unprivileged }, "find the holes of deleted files by fiemap"),
  bool(
    "allow-uprobes",
    { since: since.uprobes, restore, turns: "allowUprobes" },
    "allow mappings of uprobes",
  ),
  valued(
    "image-io-mode",
    "MODE",
    {
      since: since.compressed,
      restore,
      apply: values.oneOf("writeback", "direct"),
      rpc: rpcs.unsaid("image_io_mode"),
    },
    "how pages images are read: writeback (default) or direct",
  ),
  flag(
    "compress",
    { since: since.compressed, rpc: rpcs.unsaid("compress") },
    "compress pages of memory with LZ4",
  ),
  valued(
    "compress-acceleration",
    "N",
    { since: since.compressed, rpc: "compress_acceleration" },
    "faster, and less well",
  ),
  valued(
    "compress-block",
    "BYTES",
    { since: since.compressed, rpc: "compress_block_size" },
    "how much is compressed at once",
  ),
  valued(
    "decompress-threads",
    "N",
    {
      since: since.compressed,
      restore,
      apply: values.shaped(
        (value) => /^\d+$/.test(value) && Number(value) <= 1024,
        "a number up to 1024",
      ),
      rpc: rpcs.unsaid("decompress_threads"),
    },
    "so many threads decompress pages: 0 to 1024",
  ),
  valued(
    "plugin-option",
    "PLUGIN.NAME[=VALUE]",
    {
      list,
      since: since.compressed,
      restore,
      apply: values.shaped((value) => /^[^.=]+\.[^=]+/.test(value), "PLUGIN.NAME[=VALUE]"),
      rpc: rpcs.unsaid("plugin_options"),
    },
    "an option for a plugin",
  ),
  flag(
    "orphan-pts-master",
    { turns: "orphanPtsMaster", rpc: rpcs.turnedOn("orphan_pts_master"), rpcOnly: true },
    "give the other end of the tree's terminal to the caller",
  ),
] as const;

type Entry = (typeof table)[number];
/** The fields of a request that are switches, and those that are texts. */
export type Switch = Extract<Entry, { turns: string }>["turns"];
export type Text = Extract<Entry, { sets: string }>["sets"];
/** The fields of RPC whose option says something of a restore. */
type Deciding = Extract<Entry, { turns: unknown } | { sets: unknown } | { apply: unknown }>;
export type RpcField =
  | Extract<Extract<Deciding, { rpc: unknown }>["rpc"], string>
  | Extract<Extract<Deciding, { rpc: unknown }>["rpc"], { fields: unknown }>["fields"][number];

export const criuOptions: readonly CriuOption[] = table;
