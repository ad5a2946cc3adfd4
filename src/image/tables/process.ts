/** Tasks and threads: pstree, core, ids, credentials, signals, timers, limits, seccomp. Names and numbers are those of CRIU's images. */
import { message, optional, repeated, required } from "../schema.ts";

export const pstree_entry = message("pstree_entry", {
  pid: required(1, "uint32"),
  ppid: required(2, "uint32"),
  pgid: required(3, "uint32"),
  sid: required(4, "uint32"),
  threads: repeated(5, "uint32"),
});

export const creds_entry = message("creds_entry", {
  uid: required(1, "uint32"),
  gid: required(2, "uint32"),
  euid: required(3, "uint32"),
  egid: required(4, "uint32"),
  suid: required(5, "uint32"),
  sgid: required(6, "uint32"),
  fsuid: required(7, "uint32"),
  fsgid: required(8, "uint32"),
  cap_inh: repeated(9, "uint32"),
  cap_prm: repeated(10, "uint32"),
  cap_eff: repeated(11, "uint32"),
  cap_bnd: repeated(12, "uint32"),
  secbits: required(13, "uint32"),
  groups: repeated(14, "uint32"),
  lsm_profile: optional(15, "string"),
  lsm_sockcreate: optional(16, "string"),
  apparmor_data: optional(17, "bytes"),
  no_new_privs: optional(18, "uint32"),
  cap_amb: repeated(19, "uint32"),
});

export const rlimit_entry = message("rlimit_entry", {
  cur: required(1, "uint64"),
  max: required(2, "uint64"),
});

export const itimer_entry = message("itimer_entry", {
  isec: required(1, "uint64"),
  iusec: required(2, "uint64"),
  vsec: required(3, "uint64"),
  vusec: required(4, "uint64"),
});

export const posix_timer_entry = message("posix_timer_entry", {
  it_id: required(1, "uint32"),
  clock_id: required(2, "uint32"),
  si_signo: required(3, "uint32"),
  it_sigev_notify: required(4, "uint32"),
  sival_ptr: required(5, "uint64"),
  overrun: required(6, "uint32"),
  isec: required(7, "uint64"),
  insec: required(8, "uint64"),
  vsec: required(9, "uint64"),
  vnsec: required(10, "uint64"),
  notify_thread_id: optional(11, "int32"),
});

export const task_timers_entry = message("task_timers_entry", {
  real: required(1, itimer_entry),
  virt: required(2, itimer_entry),
  prof: required(3, itimer_entry),
  posix: repeated(4, posix_timer_entry),
});

export const sa_entry = message("sa_entry", {
  sigaction: required(1, "uint64"),
  flags: required(2, "uint64"),
  restorer: required(3, "uint64"),
  mask: required(4, "uint64"),
  compat_sigaction: optional(5, "bool"),
  mask_extended: optional(6, "uint64"),
});

export const siginfo_entry = message("siginfo_entry", {
  siginfo: required(1, "bytes"),
});

export const signal_queue_entry = message("signal_queue_entry", {
  signals: repeated(1, siginfo_entry),
});

export const rseq_entry = message("rseq_entry", {
  rseq_abi_pointer: required(1, "uint64"),
  rseq_abi_size: required(2, "uint32"),
  signature: required(3, "uint32"),
  rseq_cs_pointer: optional(4, "uint64"),
});

export const task_rlimits_entry = message("task_rlimits_entry", {
  rlimits: repeated(1, rlimit_entry),
});

export const task_core_entry = message("task_core_entry", {
  task_state: required(1, "uint32"),
  exit_code: required(2, "uint32"),
  personality: required(3, "uint32"),
  flags: required(4, "uint32"),
  blk_sigset: required(5, "uint64"),
  comm: required(6, "string"),
  timers: optional(7, task_timers_entry),
  rlimits: optional(8, task_rlimits_entry),
  cg_set: optional(9, "uint32"),
  signals_s: optional(10, signal_queue_entry),
  old_seccomp_mode: optional(11, "enum"),
  old_seccomp_filter: optional(12, "uint32"),
  loginuid: optional(13, "uint32"),
  oom_score_adj: optional(14, "int32"),
  sigactions: repeated(15, sa_entry),
  child_subreaper: optional(18, "bool"),
  blk_sigset_extended: optional(20, "uint64"),
  stop_signo: optional(21, "uint32"),
  membarrier_registration_mask: optional(22, "uint32"),
});

export const task_kobj_ids_entry = message("task_kobj_ids_entry", {
  vm_id: required(1, "uint32"),
  files_id: required(2, "uint32"),
  fs_id: required(3, "uint32"),
  sighand_id: required(4, "uint32"),
  pid_ns_id: optional(5, "uint32"),
  net_ns_id: optional(6, "uint32"),
  ipc_ns_id: optional(7, "uint32"),
  uts_ns_id: optional(8, "uint32"),
  mnt_ns_id: optional(9, "uint32"),
  user_ns_id: optional(10, "uint32"),
  cgroup_ns_id: optional(11, "uint32"),
  time_ns_id: optional(12, "uint32"),
});

export const thread_sas_entry = message("thread_sas_entry", {
  ss_sp: required(1, "uint64"),
  ss_size: required(2, "uint64"),
  ss_flags: required(3, "uint32"),
});

export const thread_core_entry = message("thread_core_entry", {
  futex_rla: required(1, "uint64"),
  futex_rla_len: required(2, "uint32"),
  sched_nice: optional(3, "sint32"),
  sched_policy: optional(4, "uint32"),
  sched_prio: optional(5, "uint32"),
  blk_sigset: optional(6, "uint64"),
  sas: optional(7, thread_sas_entry),
  pdeath_sig: optional(8, "uint32"),
  signals_p: optional(9, signal_queue_entry),
  creds: optional(10, creds_entry),
  seccomp_mode: optional(11, "enum"),
  seccomp_filter: optional(12, "uint32"),
  comm: optional(13, "string"),
  blk_sigset_extended: optional(14, "uint64"),
  rseq_entry: optional(15, rseq_entry),
  cg_set: optional(16, "uint32"),
  timerslack_ns: optional(17, "uint64"),
});

export const core_entry = message("core_entry", {
  mtype: required(1, "enum"),
  // Registers stay as they are: nothing compares them, and they are the larger part of the image.
  thread_info: optional(2, "bytes"),
  ti_arm: optional(6, "bytes"),
  ti_aarch64: optional(8, "bytes"),
  ti_ppc64: optional(9, "bytes"),
  ti_s390: optional(10, "bytes"),
  ti_mips: optional(11, "bytes"),
  ti_loongarch64: optional(12, "bytes"),
  ti_riscv64: optional(13, "bytes"),
  tc: optional(3, task_core_entry),
  ids: optional(4, task_kobj_ids_entry),
  thread_core: optional(5, thread_core_entry),
});

export const seccomp_filter = message("seccomp_filter", {
  filter: required(1, "bytes"),
  prev: optional(2, "uint32"),
  flags: optional(3, "uint32"),
});

export const seccomp_entry = message("seccomp_entry", {
  seccomp_filters: repeated(1, seccomp_filter),
});
