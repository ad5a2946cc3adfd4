/* Keeps a zombie at a number.
 *
 *     zombie-at READY PID
 */
#include "workload.h"

int main(int argc, char **argv)
{
	siginfo_t info;

	if (argc != 3)
		return 2;
	if (fork_at(atoi(argv[2])) == 0)
		_exit(0);
	if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) < 0)
		die("waitid");
	ready(argv[1]);
	sleep_forever();
}
