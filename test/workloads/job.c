/* A job below a "shell" that leads the session, and stays when its job is dumped.
 *
 *     job READY alone|family|in-group
 *
 * The job leads a process group (`in-group`: it is in the shell's) and sleeps; with `family` and
 * `in-group` it has a sleeping child in its own group.
 */
#include "workload.h"

int main(int argc, char **argv)
{
	int done[2];
	pid_t job;
	char byte;

	if (argc != 3 || pipe(done) < 0)
		return 2;
	prctl(PR_SET_NAME, "job-shell");
	job = fork();
	if (job < 0)
		die("fork");
	if (job == 0) {
		close(done[0]);
		if (strcmp(argv[2], "in-group") && setpgid(0, 0) < 0)
			die("setpgid");
		prctl(PR_SET_NAME, "job");
		if (strcmp(argv[2], "alone") && fork() == 0) {
			prctl(PR_SET_NAME, "job-child");
			if (write(done[1], "", 1) != 1)
				die("write");
			close(done[1]);
			sleep_forever();
		}
		if (!strcmp(argv[2], "alone") && write(done[1], "", 1) != 1)
			die("write");
		close(done[1]);
		sleep_forever();
	}
	close(done[1]);
	if (read(done[0], &byte, 1) != 1)
		die("the job ended");
	close(done[0]);
	ready(argv[1]);
	waitpid(job, NULL, 0);
	sleep_forever();
}
