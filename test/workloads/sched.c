/* One sleeping task with the scheduling that it is told.
 *
 *     sched READY other|batch|idle|fifo|rr PRIORITY NICE [reset]
 *
 * `reset` adds SCHED_RESET_ON_FORK.
 */
#include "workload.h"

int main(int argc, char **argv)
{
	static const struct { const char *name; int policy; } policies[] = {
		{ "other", SCHED_OTHER }, { "batch", SCHED_BATCH }, { "idle", SCHED_IDLE },
		{ "fifo", SCHED_FIFO }, { "rr", SCHED_RR },
	};
	struct sched_param param;
	int policy = -1;

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
