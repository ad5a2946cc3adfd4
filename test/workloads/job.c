/* A job below a "shell" that leads the session, and stays when its job is dumped.
 *
 *     job READY alone|family|in-group|nohup|moved
 *
 * The job leads a process group (`in-group` and `nohup`: it is in the shell's) and sleeps; with `family`,
 * `in-group` and `moved` it has a sleeping child in its own group, which it has left itself with `moved`. With
 * `nohup` the shell ends as soon as the job runs.
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
		if (strcmp(argv[2], "in-group") && strcmp(argv[2], "nohup") && setpgid(0, 0) < 0)
			die("setpgid");
		prctl(PR_SET_NAME, "job");
		if (strcmp(argv[2], "alone") && strcmp(argv[2], "nohup") && fork() == 0) {
			prctl(PR_SET_NAME, "job-child");
			if (write(done[1], "", 1) != 1)
				die("write");
			close(done[1]);
			sleep_forever();
		}
		if (!strcmp(argv[2], "moved") && setpgid(0, getsid(0)) < 0)
			die("setpgid");
		if ((!strcmp(argv[2], "alone") || !strcmp(argv[2], "nohup")) && write(done[1], "", 1) != 1)
			die("write");
		close(done[1]);
		sleep_forever();
	}
	close(done[1]);
	if (read(done[0], &byte, 1) != 1)
		die("the job ended");
	close(done[0]);
	ready(argv[1]);
	if (!strcmp(argv[2], "nohup"))
		return 0;
	waitpid(job, NULL, 0);
	sleep_forever();
}
