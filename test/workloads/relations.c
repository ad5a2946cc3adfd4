/* Tasks in one unusual relation.
 *
 *     relations READY dead-proc       an open /proc file of a process that is gone
 *     relations READY lost-parent     a child in the session of another child: its parent, which was
 *                                     born there, is gone, and the root is its subreaper
 *     relations READY pdeath SIGNAL   wants SIGNAL at its parent's death
 *     relations READY zombie CODE     a child that ended with CODE and was not waited for
 */
#include "workload.h"

static void dead_proc(void)
{
	char path[64];
	pid_t child = fork();

	if (child == 0)
		sleep_forever();
	snprintf(path, sizeof(path), "/proc/%d/status", child);
	if (open(path, O_RDONLY) < 0)
		die(path);
	kill(child, SIGKILL);
	waitpid(child, NULL, 0);
}

static void lost_parent(void)
{
	int done[2];
	pid_t leader;
	char byte;

	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0 || pipe(done) < 0)
		die("subreaper");
	leader = fork();
	if (leader == 0) {
		pid_t middle;

		close(done[0]);
		setsid();
		middle = fork();
		if (middle == 0) {
			pid_t parent = getpid();

			if (fork() == 0) {
				while (getppid() == parent)
					sleep_ms(1);
				if (write(done[1], "", 1) != 1)
					die("write");
				close(done[1]);
				sleep_forever();
			}
			_exit(0);
		}
		close(done[1]);
		waitpid(middle, NULL, 0);
		sleep_forever();
	}
	close(done[1]);
	if (read(done[0], &byte, 1) != 1)
		die("the child ended");
	close(done[0]);
}

int main(int argc, char **argv)
{
	siginfo_t info;

	if (argc < 3)
		return 2;
	if (!strcmp(argv[2], "dead-proc")) {
		dead_proc();
	} else if (!strcmp(argv[2], "lost-parent")) {
		lost_parent();
	} else if (argc == 4 && !strcmp(argv[2], "pdeath")) {
		if (prctl(PR_SET_PDEATHSIG, atoi(argv[3])) < 0)
			die("PR_SET_PDEATHSIG");
	} else if (argc == 4 && !strcmp(argv[2], "zombie")) {
		if (fork() == 0)
			_exit(atoi(argv[3]));
		if (waitid(P_ALL, 0, &info, WEXITED | WNOWAIT) < 0)
			die("waitid");
	} else {
		return 2;
	}
	ready(argv[1]);
	sleep_forever();
}
