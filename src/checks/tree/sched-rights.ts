/** Scheduling that no kernel has, and such that this kernel would refuse, which CRIU does not notice. */
import { SCHED_FIFO, SCHED_RR } from "../../sys/sched.ts";

export const realtime = [SCHED_FIFO, SCHED_RR];
