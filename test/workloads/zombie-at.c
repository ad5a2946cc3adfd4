/* Keeps a zombie at a number, until SIGUSR1.
 *
 *     zombie-at READY PID
 */
#include "workload.h"

static void reap(int number)
{
	(void)number;
	waitpid(-1, NULL, 0);
}

int main(int argc, char **argv)
{
	siginfo_t info;

	if (argc != 3)
		return 2;
	if (fork_at(atoi(argv[2])) == 0)
		_exit(0);
	if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) < 0)
		die("waitid");
	signal(SIGUSR1, reap);
	ready(argv[1]);
	sleep_forever();
}
