/* One sleeping task with the scheduling that it is told.
 *
 *     sched READY other|batch|idle|fifo|rr PRIORITY NICE [reset]
 *     sched READY deadline
 *
 * `reset` adds SCHED_RESET_ON_FORK. The deadline is 10 ms of every 100 ms.
 */
#include "workload.h"

/* sched_setattr(2), which has no wrapper in every libc. */
static void deadline(void)
{
	struct {
		uint32_t size, policy;
		uint64_t flags;
		int32_t nice;
		uint32_t priority;
		uint64_t runtime, deadline, period;
	} attr = {
		.size = sizeof(attr), .policy = 6 /* SCHED_DEADLINE */,
		.runtime = 10000000, .deadline = 100000000, .period = 100000000,
	};

	if (syscall(SYS_sched_setattr, 0, &attr, 0) < 0)
		die("sched_setattr");
}

int main(int argc, char **argv)
{
	static const struct { const char *name; int policy; } policies[] = {
		{ "other", SCHED_OTHER }, { "batch", SCHED_BATCH }, { "idle", SCHED_IDLE },
		{ "fifo", SCHED_FIFO }, { "rr", SCHED_RR },
	};
	struct sched_param param;
	int policy = -1;

	if (argc == 3 && !strcmp(argv[2], "deadline")) {
		deadline();
		ready(argv[1]);
		sleep_forever();
	}
	if (argc < 5)
		return 2;
	for (size_t i = 0; i < sizeof(policies) / sizeof(*policies); i++)
		if (!strcmp(argv[2], policies[i].name))
			policy = policies[i].policy;
	if (policy < 0)
		return 2;
	if (argc > 5 && !strcmp(argv[5], "reset"))
		policy |= SCHED_RESET_ON_FORK;
	param.sched_priority = atoi(argv[3]);
	if (setpriority(PRIO_PROCESS, 0, atoi(argv[4])) < 0)
		die("setpriority");
	if (sched_setscheduler(0, policy, &param) < 0)
		die("sched_setscheduler");
	ready(argv[1]);
	sleep_forever();
}
