/** Registers and such of a thread, by architecture. Names and numbers are those of CRIU's images. */
import { message, optional, repeated, required } from "../wire.ts";

export const user_x86_regs_entry = message("user_x86_regs_entry", {
  r15: required(1, "uint64"),
  r14: required(2, "uint64"),
  r13: required(3, "uint64"),
  r12: required(4, "uint64"),
  bp: required(5, "uint64"),
  bx: required(6, "uint64"),
  r11: required(7, "uint64"),
  r10: required(8, "uint64"),
  r9: required(9, "uint64"),
  r8: required(10, "uint64"),
  ax: required(11, "uint64"),
  cx: required(12, "uint64"),
  dx: required(13, "uint64"),
  si: required(14, "uint64"),
  di: required(15, "uint64"),
  orig_ax: required(16, "uint64"),
  ip: required(17, "uint64"),
  cs: required(18, "uint64"),
  flags: required(19, "uint64"),
  sp: required(20, "uint64"),
  ss: required(21, "uint64"),
  fs_base: required(22, "uint64"),
  gs_base: required(23, "uint64"),
  ds: required(24, "uint64"),
  es: required(25, "uint64"),
  fs: required(26, "uint64"),
  gs: required(27, "uint64"),
  mode: optional(28, "enum"),
});

export const user_x86_cet_entry = message("user_x86_cet_entry", {
  cet: required(1, "uint64"),
  ssp: required(2, "uint64"),
});

export const user_x86_xsave_entry = message("user_x86_xsave_entry", {
  xstate_bv: required(1, "uint64"),
  ymmh_space: repeated(2, "uint32"),
  bndreg_state: repeated(3, "uint64"),
  bndcsr_state: repeated(4, "uint64"),
  opmask_reg: repeated(5, "uint64"),
  zmm_upper: repeated(6, "uint64"),
  hi16_zmm: repeated(7, "uint64"),
  pkru: repeated(8, "uint32"),
  cet: optional(9, user_x86_cet_entry),
});

export const user_x86_fpregs_entry = message("user_x86_fpregs_entry", {
  cwd: required(1, "uint32"),
  swd: required(2, "uint32"),
  twd: required(3, "uint32"),
  fop: required(4, "uint32"),
  rip: required(5, "uint64"),
  rdp: required(6, "uint64"),
  mxcsr: required(7, "uint32"),
  mxcsr_mask: required(8, "uint32"),
  st_space: repeated(9, "uint32"),
  xmm_space: repeated(10, "uint32"),
  padding: repeated(11, "uint32"),
  xsave: optional(13, user_x86_xsave_entry),
});

export const user_desc_t = message("user_desc_t", {
  entry_number: required(1, "uint32"),
  base_addr: required(2, "uint32"),
  limit: required(3, "uint32"),
  seg_32bit: required(4, "bool"),
  contents_h: required(5, "bool"),
  contents_l: required(6, "bool"),
  read_exec_only: required(7, "bool"),
  limit_in_pages: required(8, "bool"),
  seg_not_present: required(9, "bool"),
  usable: required(10, "bool"),
});

export const thread_info_x86 = message("thread_info_x86", {
  clear_tid_addr: required(1, "uint64"),
  gpregs: required(2, user_x86_regs_entry),
  fpregs: required(3, user_x86_fpregs_entry),
  tls: repeated(4, user_desc_t),
});

export const user_arm_regs_entry = message("user_arm_regs_entry", {
  r0: required(1, "uint32"),
  r1: required(2, "uint32"),
  r2: required(3, "uint32"),
  r3: required(4, "uint32"),
  r4: required(5, "uint32"),
  r5: required(6, "uint32"),
  r6: required(7, "uint32"),
  r7: required(8, "uint32"),
  r8: required(9, "uint32"),
  r9: required(10, "uint32"),
  r10: required(11, "uint32"),
  fp: required(12, "uint32"),
  ip: required(13, "uint32"),
  sp: required(14, "uint32"),
  lr: required(15, "uint32"),
  pc: required(16, "uint32"),
  cpsr: required(17, "uint32"),
  orig_r0: required(18, "uint32"),
});

export const user_arm_vfpstate_entry = message("user_arm_vfpstate_entry", {
  vfp_regs: repeated(1, "uint64"),
  fpscr: required(2, "uint32"),
  fpexc: required(3, "uint32"),
  fpinst: required(4, "uint32"),
  fpinst2: required(5, "uint32"),
});

export const thread_info_arm = message("thread_info_arm", {
  clear_tid_addr: required(1, "uint64"),
  tls: required(2, "uint32"),
  gpregs: required(3, user_arm_regs_entry),
  fpstate: required(4, user_arm_vfpstate_entry),
});

export const user_aarch64_regs_entry = message("user_aarch64_regs_entry", {
  regs: repeated(1, "uint64"),
  sp: required(2, "uint64"),
  pc: required(3, "uint64"),
  pstate: required(4, "uint64"),
});

export const user_aarch64_fpsimd_context_entry = message("user_aarch64_fpsimd_context_entry", {
  vregs: repeated(1, "uint64"),
  fpsr: required(2, "uint32"),
  fpcr: required(3, "uint32"),
});

export const pac_address_keys = message("pac_address_keys", {
  apiakey_lo: required(1, "uint64"),
  apiakey_hi: required(2, "uint64"),
  apibkey_lo: required(3, "uint64"),
  apibkey_hi: required(4, "uint64"),
  apdakey_lo: required(5, "uint64"),
  apdakey_hi: required(6, "uint64"),
  apdbkey_lo: required(7, "uint64"),
  apdbkey_hi: required(8, "uint64"),
  pac_enabled_key: required(9, "uint64"),
});

export const pac_generic_keys = message("pac_generic_keys", {
  apgakey_lo: required(1, "uint64"),
  apgakey_hi: required(2, "uint64"),
});

export const pac_keys = message("pac_keys", {
  pac_address_keys: optional(6, pac_address_keys),
  pac_generic_keys: optional(7, pac_generic_keys),
});

export const thread_info_aarch64 = message("thread_info_aarch64", {
  clear_tid_addr: required(1, "uint64"),
  tls: required(2, "uint64"),
  gpregs: required(3, user_aarch64_regs_entry),
  fpsimd: required(4, user_aarch64_fpsimd_context_entry),
  pac_keys: optional(5, pac_keys),
});

export const user_ppc64_regs_entry = message("user_ppc64_regs_entry", {
  gpr: repeated(1, "uint64"),
  nip: required(2, "uint64"),
  msr: required(3, "uint64"),
  orig_gpr3: required(4, "uint64"),
  ctr: required(5, "uint64"),
  link: required(6, "uint64"),
  xer: required(7, "uint64"),
  ccr: required(8, "uint64"),
  trap: required(9, "uint64"),
  texasr: optional(10, "uint64"),
  tfhar: optional(11, "uint64"),
  tfiar: optional(12, "uint64"),
});

export const user_ppc64_fpstate_entry = message("user_ppc64_fpstate_entry", {
  fpregs: repeated(1, "uint64"),
});

export const user_ppc64_vrstate_entry = message("user_ppc64_vrstate_entry", {
  vrregs: repeated(1, "uint64"),
  vrsave: required(2, "uint32"),
});

export const user_ppc64_vsxstate_entry = message("user_ppc64_vsxstate_entry", {
  vsxregs: repeated(1, "uint64"),
});

export const user_ppc64_tm_regs_entry = message("user_ppc64_tm_regs_entry", {
  gpregs: required(1, user_ppc64_regs_entry),
  fpstate: optional(2, user_ppc64_fpstate_entry),
  vrstate: optional(3, user_ppc64_vrstate_entry),
  vsxstate: optional(4, user_ppc64_vsxstate_entry),
});

export const thread_info_ppc64 = message("thread_info_ppc64", {
  clear_tid_addr: required(1, "uint64"),
  gpregs: required(2, user_ppc64_regs_entry),
  fpstate: optional(3, user_ppc64_fpstate_entry),
  vrstate: optional(4, user_ppc64_vrstate_entry),
  vsxstate: optional(5, user_ppc64_vsxstate_entry),
  tmstate: optional(6, user_ppc64_tm_regs_entry),
});

export const user_s390_regs_entry = message("user_s390_regs_entry", {
  psw_mask: required(1, "uint64"),
  psw_addr: required(2, "uint64"),
  gprs: repeated(3, "uint64"),
  acrs: repeated(4, "uint32"),
  orig_gpr2: required(5, "uint64"),
  system_call: required(6, "uint32"),
});

export const user_s390_vxrs_low_entry = message("user_s390_vxrs_low_entry", {
  regs: repeated(1, "uint64"),
});

export const user_s390_vxrs_high_entry = message("user_s390_vxrs_high_entry", {
  regs: repeated(1, "uint64"),
});

export const user_s390_fpregs_entry = message("user_s390_fpregs_entry", {
  fpc: required(1, "uint32"),
  fprs: repeated(2, "uint64"),
});

export const user_s390_gs_cb_entry = message("user_s390_gs_cb_entry", {
  regs: repeated(1, "uint64"),
});

export const user_s390_ri_entry = message("user_s390_ri_entry", {
  ri_on: required(1, "uint32"),
  regs: repeated(2, "uint64"),
});

export const thread_info_s390 = message("thread_info_s390", {
  clear_tid_addr: required(1, "uint64"),
  gpregs: required(2, user_s390_regs_entry),
  fpregs: required(3, user_s390_fpregs_entry),
  vxrs_low: optional(4, user_s390_vxrs_low_entry),
  vxrs_high: optional(5, user_s390_vxrs_high_entry),
  gs_cb: optional(6, user_s390_gs_cb_entry),
  gs_bc: optional(7, user_s390_gs_cb_entry),
  ri_cb: optional(8, user_s390_ri_entry),
});

export const user_mips_regs_entry = message("user_mips_regs_entry", {
  r0: required(1, "uint64"),
  r1: required(2, "uint64"),
  r2: required(3, "uint64"),
  r3: required(4, "uint64"),
  r4: required(5, "uint64"),
  r5: required(6, "uint64"),
  r6: required(7, "uint64"),
  r7: required(8, "uint64"),
  r8: required(9, "uint64"),
  r9: required(10, "uint64"),
  r10: required(11, "uint64"),
  r11: required(12, "uint64"),
  r12: required(13, "uint64"),
  r13: required(14, "uint64"),
  r14: required(15, "uint64"),
  r15: required(16, "uint64"),
  r16: required(17, "uint64"),
  r17: required(18, "uint64"),
  r18: required(19, "uint64"),
  r19: required(20, "uint64"),
  r20: required(21, "uint64"),
  r21: required(22, "uint64"),
  r22: required(23, "uint64"),
  r23: required(24, "uint64"),
  r24: required(25, "uint64"),
  r25: required(26, "uint64"),
  r26: required(27, "uint64"),
  r27: required(28, "uint64"),
  r28: required(29, "uint64"),
  r29: required(30, "uint64"),
  r30: required(31, "uint64"),
  r31: required(32, "uint64"),
  lo: required(33, "uint64"),
  hi: required(34, "uint64"),
  cp0_epc: required(35, "uint64"),
  cp0_badvaddr: required(36, "uint64"),
  cp0_status: required(37, "uint64"),
  cp0_cause: required(38, "uint64"),
});

export const user_mips_fpregs_entry = message("user_mips_fpregs_entry", {
  r0: required(1, "uint64"),
  r1: required(2, "uint64"),
  r2: required(3, "uint64"),
  r3: required(4, "uint64"),
  r4: required(5, "uint64"),
  r5: required(6, "uint64"),
  r6: required(7, "uint64"),
  r7: required(8, "uint64"),
  r8: required(9, "uint64"),
  r9: required(10, "uint64"),
  r10: required(11, "uint64"),
  r11: required(12, "uint64"),
  r12: required(13, "uint64"),
  r13: required(14, "uint64"),
  r14: required(15, "uint64"),
  r15: required(16, "uint64"),
  r16: required(17, "uint64"),
  r17: required(18, "uint64"),
  r18: required(19, "uint64"),
  r19: required(20, "uint64"),
  r20: required(21, "uint64"),
  r21: required(22, "uint64"),
  r22: required(23, "uint64"),
  r23: required(24, "uint64"),
  r24: required(25, "uint64"),
  r25: required(26, "uint64"),
  r26: required(27, "uint64"),
  r27: required(28, "uint64"),
  r28: required(29, "uint64"),
  r29: required(30, "uint64"),
  r30: required(31, "uint64"),
  r31: required(32, "uint64"),
  lo: required(33, "uint64"),
  hi: required(34, "uint64"),
  fpu_fcr31: required(35, "uint32"),
  fpu_id: required(36, "uint32"),
});

export const thread_info_mips = message("thread_info_mips", {
  clear_tid_addr: required(1, "uint64"),
  tls: required(2, "uint64"),
  gpregs: required(3, user_mips_regs_entry),
  fpregs: required(4, user_mips_fpregs_entry),
});

export const user_loongarch64_gpregs_entry = message("user_loongarch64_gpregs_entry", {
  regs: repeated(1, "uint64"),
  pc: required(2, "uint64"),
});

export const user_loongarch64_fpregs_entry = message("user_loongarch64_fpregs_entry", {
  regs: repeated(1, "uint64"),
  fcc: required(2, "uint64"),
  fcsr: required(3, "uint32"),
});

export const thread_info_loongarch64 = message("thread_info_loongarch64", {
  clear_tid_addr: required(1, "uint64"),
  tls: required(2, "uint64"),
  gpregs: required(3, user_loongarch64_gpregs_entry),
  fpregs: required(4, user_loongarch64_fpregs_entry),
});

export const user_riscv64_regs_entry = message("user_riscv64_regs_entry", {
  pc: required(1, "uint64"),
  ra: required(2, "uint64"),
  sp: required(3, "uint64"),
  gp: required(4, "uint64"),
  tp: required(5, "uint64"),
  t0: required(6, "uint64"),
  t1: required(7, "uint64"),
  t2: required(8, "uint64"),
  s0: required(9, "uint64"),
  s1: required(10, "uint64"),
  a0: required(11, "uint64"),
  a1: required(12, "uint64"),
  a2: required(13, "uint64"),
  a3: required(14, "uint64"),
  a4: required(15, "uint64"),
  a5: required(16, "uint64"),
  a6: required(17, "uint64"),
  a7: required(18, "uint64"),
  s2: required(19, "uint64"),
  s3: required(20, "uint64"),
  s4: required(21, "uint64"),
  s5: required(22, "uint64"),
  s6: required(23, "uint64"),
  s7: required(24, "uint64"),
  s8: required(25, "uint64"),
  s9: required(26, "uint64"),
  s10: required(27, "uint64"),
  s11: required(28, "uint64"),
  t3: required(29, "uint64"),
  t4: required(30, "uint64"),
  t5: required(31, "uint64"),
  t6: required(32, "uint64"),
});

export const user_riscv64_d_ext_entry = message("user_riscv64_d_ext_entry", {
  f: repeated(1, "uint64"),
  fcsr: required(2, "uint32"),
});

export const thread_info_riscv64 = message("thread_info_riscv64", {
  clear_tid_addr: required(1, "uint64"),
  tls: required(2, "uint64"),
  gpregs: required(3, user_riscv64_regs_entry),
  fpsimd: required(4, user_riscv64_d_ext_entry),
});

export const cpuinfo_x86_entry = message("cpuinfo_x86_entry", {
  vendor_id: required(1, "enum"),
  cpu_family: required(2, "uint32"),
  model: required(3, "uint32"),
  stepping: required(4, "uint32"),
  capability_ver: required(5, "uint32"),
  capability: repeated(6, "uint32"),
  model_id: optional(7, "string"),
  xfeatures_mask: optional(8, "uint64"),
  xsave_size: optional(9, "uint32"),
  xsave_size_max: optional(10, "uint32"),
});

export const cpuinfo_ppc64_entry = message("cpuinfo_ppc64_entry", {
  endian: required(1, "enum"),
  hwcap: repeated(2, "uint64"),
});

export const cpuinfo_s390_entry = message("cpuinfo_s390_entry", {
  hwcap: repeated(2, "uint64"),
});

export const cpuinfo_entry = message("cpuinfo_entry", {
  x86_entry: repeated(1, cpuinfo_x86_entry),
  ppc64_entry: repeated(2, cpuinfo_ppc64_entry),
  s390_entry: repeated(3, cpuinfo_s390_entry),
});
