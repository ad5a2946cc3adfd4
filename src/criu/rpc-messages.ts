/** Messages of CRIU's RPC (criu(8), swrk; images/rpc.proto). Names and numbers are those of CRIU. */
import { type Infer, message, optional, repeated, required } from "../image/schema.ts";

const criu_page_server_info = message("criu_page_server_info", {
  address: optional(1, "string"),
  port: optional(2, "int32"),
  pid: optional(3, "int32"),
  fd: optional(4, "int32"),
});
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

/** All fields. What each means to a restore stands with the options, or in `withoutOption` (rpc.ts). */
export const criu_opts = message("criu_opts", {
  images_dir_fd: required(1, "int32"),
  pid: optional(2, "int32"),
  leave_running: optional(3, "bool"),
  ext_unix_sk: optional(4, "bool"),
  tcp_established: optional(5, "bool"),
  evasive_devices: optional(6, "bool"),
  shell_job: optional(7, "bool"),
  file_locks: optional(8, "bool"),
  log_level: optional(9, "int32"),
  log_file: optional(10, "string"),
  ps: optional(11, criu_page_server_info),
  notify_scripts: optional(12, "bool"),
  root: optional(13, "string"),
  parent_img: optional(14, "string"),
  track_mem: optional(15, "bool"),
  auto_dedup: optional(16, "bool"),
  work_dir_fd: optional(17, "int32"),
  link_remap: optional(18, "bool"),
  veths: repeated(19, criu_veth_pair),
  cpu_cap: optional(20, "uint32"),
  force_irmap: optional(21, "bool"),
  exec_cmd: repeated(22, "string"),
  ext_mnt: repeated(23, ext_mount_map),
  manage_cgroups: optional(24, "bool"),
  cg_root: repeated(25, cgroup_root),
  rst_sibling: optional(26, "bool"),
  inherit_fd: repeated(27, inherit_fd),
  auto_ext_mnt: optional(28, "bool"),
  ext_sharing: optional(29, "bool"),
  ext_masters: optional(30, "bool"),
  skip_mnt: repeated(31, "string"),
  enable_fs: repeated(32, "string"),
  unix_sk_ino: repeated(33, unix_sk),
  manage_cgroups_mode: optional(34, "enum"),
  ghost_limit: optional(35, "uint32"),
  irmap_scan_paths: repeated(36, "string"),
  external: repeated(37, "string"),
  empty_ns: optional(38, "uint32"),
  join_ns: repeated(39, join_namespace),
  cgroup_props: optional(41, "string"),
  cgroup_props_file: optional(42, "string"),
  cgroup_dump_controller: repeated(43, "string"),
  freeze_cgroup: optional(44, "string"),
  timeout: optional(45, "uint32"),
  tcp_skip_in_flight: optional(46, "bool"),
  weak_sysctls: optional(47, "bool"),
  lazy_pages: optional(48, "bool"),
  status_fd: optional(49, "int32"),
  orphan_pts_master: optional(50, "bool"),
  config_file: optional(51, "string"),
  tcp_close: optional(52, "bool"),
  lsm_profile: optional(53, "string"),
  tls_cacert: optional(54, "string"),
  tls_cacrl: optional(55, "string"),
  tls_cert: optional(56, "string"),
  tls_key: optional(57, "string"),
  tls: optional(58, "bool"),
  tls_no_cn_verify: optional(59, "bool"),
  cgroup_yard: optional(60, "string"),
  pre_dump_mode: optional(61, "enum"),
  pidfd_store_sk: optional(62, "int32"),
  lsm_mount_context: optional(63, "string"),
  network_lock: optional(64, "enum"),
  mntns_compat_mode: optional(65, "bool"),
  skip_file_rwx_check: optional(66, "bool"),
  unprivileged: optional(67, "bool"),
  images_dir: optional(68, "string"),
  leave_stopped: optional(69, "bool"),
  display_stats: optional(70, "bool"),
  log_to_stderr: optional(71, "bool"),
  image_io_mode: optional(72, "enum"),
  compress: optional(73, "uint32"),
  compress_acceleration: optional(74, "uint32"),
  compress_block_size: optional(75, "uint32"),
  decompress_threads: optional(76, "uint32"),
  plugin_options: repeated(77, "string"),
  stream: optional(78, "bool"),
});
export type RpcOptions = Infer<typeof criu_opts>;

export const criu_req = message("criu_req", {
  type: required(1, "enum"),
  opts: optional(2, criu_opts),
});

/** What of a request says whether the rest of it has to be looked at. */
export const criu_req_head = message("criu_req", {
  type: required(1, "enum"),
  keep_open: optional(4, "bool"),
});

export const criu_resp = message("criu_resp", {
  type: required(1, "enum"),
  success: required(2, "bool"),
  restore: optional(4, message("criu_restore_resp", { pid: required(1, "int32") })),
  cr_errno: optional(7, "int32"),
  cr_errmsg: optional(9, "string"),
});

/** criu_req_type. */
export const RESTORE = 2;
