import type { Check } from "../finding.ts";
import { refusal } from "./refusal.ts";

export const untrustedSched: Check = refusal({
  title: "An untrusted tree would be scheduled before others",
  reads: "scheduling in core-*.img; the nice value of recriu",
  why: "A thread of a real-time policy that never sleeps takes a processor from all ordinary ones; a lower nice value than the caller's takes its share from others.",
  remedy: "restore it in a container or unit without CAP_SYS_NICE",
});
