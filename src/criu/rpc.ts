/**
 * Requests of CRIU's RPC (criu(8), swrk; images/rpc.proto): what container runtimes and libcriu send. Names and numbers
 * are those of CRIU.
 */
import { decode, encode } from "../image/wire.ts";
import { type Infer, message, optional, repeated, required } from "../image/schema.ts";

const criu_veth_pair = message("criu_veth_pair", {
  if_in: required(1, "string"),
  if_out: required(2, "string"),
});
const ext_mount_map = message("ext_mount_map", {
  key: required(1, "string"),
  val: required(2, "string"),
});
const join_namespace = message("join_namespace", {
  ns: required(1, "string"),
  ns_file: required(2, "string"),
  extra_opt: optional(3, "string"),
});
const inherit_fd = message("inherit_fd", { key: required(1, "string"), fd: required(2, "int32") });
const cgroup_root = message("cgroup_root", {
  ctrl: optional(1, "string"),
  path: required(2, "string"),
});
const unix_sk = message("unix_sk", { inode: required(1, "uint32") });

/** The fields that count in a restore. */
const criu_opts = message("criu_opts", {
  images_dir_fd: required(1, "int32"),
  ext_unix_sk: optional(4, "bool"),
  tcp_established: optional(5, "bool"),
  shell_job: optional(7, "bool"),
  file_locks: optional(8, "bool"),
  log_file: optional(10, "string"),
  root: optional(13, "string"),
  auto_dedup: optional(16, "bool"),
  work_dir_fd: optional(17, "int32"),
  veths: repeated(19, criu_veth_pair),
  ext_mnt: repeated(23, ext_mount_map),
  manage_cgroups: optional(24, "bool"),
  cg_root: repeated(25, cgroup_root),
  rst_sibling: optional(26, "bool"),
  inherit_fd: repeated(27, inherit_fd),
  auto_ext_mnt: optional(28, "bool"),
  ext_sharing: optional(29, "bool"),
  ext_masters: optional(30, "bool"),
  unix_sk_ino: repeated(33, unix_sk),
  manage_cgroups_mode: optional(34, "enum"),
  external: repeated(37, "string"),
  empty_ns: optional(38, "uint32"),
  join_ns: repeated(39, join_namespace),
  timeout: optional(45, "uint32"),
  weak_sysctls: optional(47, "bool"),
  lazy_pages: optional(48, "bool"),
  config_file: optional(51, "string"),
  tcp_close: optional(52, "bool"),
  lsm_profile: optional(53, "string"),
  cgroup_yard: optional(60, "string"),
  lsm_mount_context: optional(63, "string"),
  mntns_compat_mode: optional(65, "bool"),
  skip_file_rwx_check: optional(66, "bool"),
  unprivileged: optional(67, "bool"),
  images_dir: optional(68, "string"),
  leave_stopped: optional(69, "bool"),
  display_stats: optional(70, "bool"),
  log_to_stderr: optional(71, "bool"),
});
export type RpcOptions = Infer<typeof criu_opts>;

const criu_req = message("criu_req", { type: required(1, "enum"), opts: optional(2, criu_opts) });

const criu_resp = message("criu_resp", {
  type: required(1, "enum"),
  success: required(2, "bool"),
  restore: optional(4, message("criu_restore_resp", { pid: required(1, "int32") })),
  cr_errno: optional(7, "int32"),
  cr_errmsg: optional(9, "string"),
});

const RESTORE = 2;

/** The options of a request to restore; undefined for every other message. */
export function restoreRequest(bytes: Uint8Array): RpcOptions | undefined {
  const request = decode(criu_req, bytes);
  return request.ok && request.value.type === RESTORE ? request.value.opts : undefined;
}

/** The same request, with all else that it says, and another configuration file. */
export function withConfigFile(bytes: Uint8Array, file: string): Uint8Array {
  const request = decode(criu_req, bytes);
  if (!request.ok || request.value.opts === undefined) throw new Error("no request to restore");
  const opts = { ...request.value.opts, config_file: file };
  return encode(criu_req, { ...request.value, opts });
}

/** The answer of a CRIU that could not restore, with the errno that it has for some problems. */
export const restoreRefusal = (cr_errmsg: string, cr_errno: number | undefined): Uint8Array =>
  encode(criu_resp, {
    type: RESTORE,
    success: false,
    restore: { pid: -1 },
    ...(cr_errno !== undefined && { cr_errno }),
    cr_errmsg,
  });

/** criu_cg_mode; the seventh is CRIU's default. */
const DEFAULT_CGROUP_MODE = "soft";
const cgroupModes = ["ignore", "none", "props", "soft", "full", "strict", DEFAULT_CGROUP_MODE];
const CLONE_NEWNET = 0x40000000;
/** CRIU's name for a log that no option names. */
const DEFAULT_LOG = "criu.log";

/** Fields that are switches of the same meaning. */
const switches = [
  ["tcp_established", "tcp-established"],
  ["tcp_close", "tcp-close"],
  ["weak_sysctls", "weak-sysctls"],
  ["shell_job", "shell-job"],
  ["skip_file_rwx_check", "skip-file-rwx-check"],
  ["file_locks", "file-locks"],
  ["auto_dedup", "auto-dedup"],
  ["rst_sibling", "restore-sibling"],
  ["unprivileged", "unprivileged"],
  ["display_stats", "display-stats"],
] as const;
/** Fields that can only turn on. */
const turnedOn = [
  ["leave_stopped", "leave-stopped"],
  ["lazy_pages", "lazy-pages"],
  ["ext_sharing", "enable-external-sharing"],
  ["ext_masters", "enable-external-masters"],
  ["mntns_compat_mode", "mntns-compat-mode"],
] as const;
const values = [
  ["root", "root"],
  ["lsm_profile", "lsm-profile"],
  ["lsm_mount_context", "lsm-mount-context"],
  ["cgroup_yard", "cgroup-yard"],
] as const;

/** What CRIU does anyway: runtimes set these fields whether or not somebody asked. */
export function rpcDefaults(opts: RpcOptions): string[] {
  return [
    ...switches.flatMap(([field, name]) => (opts[field] === false ? [`--no-${name}`] : [])),
    ...(cgroupMode(opts) === DEFAULT_CGROUP_MODE
      ? [`--manage-cgroups=${DEFAULT_CGROUP_MODE}`]
      : []),
  ];
}

function cgroupMode({ manage_cgroups_mode, manage_cgroups }: RpcOptions): string | undefined {
  if (manage_cgroups_mode !== undefined) return cgroupModes[manage_cgroups_mode];
  if (manage_cgroups === undefined) return undefined;
  return manage_cgroups ? DEFAULT_CGROUP_MODE : "ignore";
}

/**
 * The words of `criu restore` that ask for the rest. `directory` names what descriptor N of the client is. The words
 * of `config_file`, which go over all others, are not among them.
 */
export function rpcWords(opts: RpcOptions, directory: (fd: number) => string): string[] {
  const imagesDir =
    opts.images_dir_fd !== -1 ? directory(opts.images_dir_fd) : (opts.images_dir ?? ".");
  const mode = cgroupMode(opts);
  const log = opts.log_file ?? (opts.log_to_stderr ? undefined : DEFAULT_LOG);
  return [
    "--restore-detached",
    `--images-dir=${imagesDir}`,
    ...(opts.work_dir_fd === undefined ? [] : [`--work-dir=${directory(opts.work_dir_fd)}`]),
    ...(log === undefined ? [] : [`--log-file=${log}`]),
    ...[...switches, ...turnedOn].flatMap(([field, name]) => (opts[field] ? [`--${name}`] : [])),
    ...values.flatMap(([field, name]) =>
      opts[field] === undefined ? [] : [`--${name}=${opts[field]}`],
    ),
    ...(opts.ext_unix_sk
      ? [`--ext-unix-sk=${opts.unix_sk_ino.map(({ inode }) => inode).join(",")}`]
      : []),
    ...(mode === undefined || mode === DEFAULT_CGROUP_MODE ? [] : [`--manage-cgroups=${mode}`]),
    ...(opts.auto_ext_mnt ? ["--ext-mount-map=auto"] : []),
    ...(((opts.empty_ns ?? 0) & CLONE_NEWNET) !== 0 ? ["--empty-ns=net"] : []),
    ...opts.veths.map(({ if_in, if_out }) => `--veth-pair=${if_in}=${if_out}`),
    ...opts.ext_mnt.map(({ key, val }) => `--ext-mount-map=${key}:${val}`),
    ...opts.join_ns.map(
      ({ ns, ns_file, extra_opt }) =>
        `--join-ns=${ns}:${ns_file}${extra_opt === undefined ? "" : `,${extra_opt}`}`,
    ),
    ...opts.inherit_fd.map(({ key, fd }) => `--inherit-fd=fd[${fd}]:${key}`),
    ...opts.external.map((resource) => `--external=${resource}`),
    ...opts.cg_root.map(
      ({ ctrl, path }) => `--cgroup-root=${ctrl === undefined ? "" : `${ctrl}:`}${path}`,
    ),
    ...(opts.timeout === undefined ? [] : [`--timeout=${opts.timeout}`]),
  ];
}

/** Whether the request itself settles what `option` would; then the option on CRIU's command line changes nothing. */
export function overridden(opts: RpcOptions, option: string): boolean {
  const [name] = option.split("=");
  const fields = {
    "--ext-unix-sk": opts.ext_unix_sk,
    "--tcp-established": opts.tcp_established,
    "--shell-job": opts.shell_job,
    "--work-dir": opts.work_dir_fd,
    "--manage-cgroups": opts.manage_cgroups_mode ?? opts.manage_cgroups,
  };
  return fields[name as keyof typeof fields] !== undefined;
}
