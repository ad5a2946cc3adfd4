/* Takes a process number: a sleeping child with exactly the pid PID.
 *
 *     at-pid READY PID
 *
 * Ends when the child does.
 */
#include "workload.h"

int main(int argc, char **argv)
{
	pid_t pid;

	if (argc != 3)
		return 2;
	pid = fork_at(atoi(argv[2]));
	if (pid == 0) {
		ready(argv[1]);
		sleep_forever();
	}
	waitpid(pid, NULL, 0);
	return 0;
}
