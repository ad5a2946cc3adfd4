/** The processor that the dump was made on, when it was asked to be saved. */
import { message, optional, repeated, required } from "../schema.ts";

const cpuinfo_x86_entry = message("cpuinfo_x86_entry", {
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

const cpuinfo_ppc64_entry = message("cpuinfo_ppc64_entry", {
  endian: required(1, "enum"),
  hwcap: repeated(2, "uint64"),
});

const cpuinfo_s390_entry = message("cpuinfo_s390_entry", {
  hwcap: repeated(2, "uint64"),
});

export const cpuinfo_entry = message("cpuinfo_entry", {
  x86_entry: repeated(1, cpuinfo_x86_entry),
  ppc64_entry: repeated(2, cpuinfo_ppc64_entry),
  s390_entry: repeated(3, cpuinfo_s390_entry),
});
