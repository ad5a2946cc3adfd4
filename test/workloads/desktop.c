/* A desktop: a display server and what shows itself there, below one task.
 *
 *     desktop READY SOCKET SERVER PROGRAM
 *
 * SERVER and PROGRAM are commands of sh(1). PROGRAM is started when SOCKET is there. The root adopts and
 * reaps what they leave behind, and has a thread under SCHED_RR with SCHED_RESET_ON_FORK, as rtkit gives
 * to browsers and sound servers.
 */
#include "workload.h"

static void *realtime(void *started)
{
	struct sched_param param = { .sched_priority = 10 };

	prctl(PR_SET_NAME, "desktop-rt");
	if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &param) < 0)
		die("SCHED_RR 10");
	pthread_barrier_wait(started);
	sleep_forever();
}

static void spawn(const char *command)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid == 0) {
		execl("/bin/sh", "sh", "-c", command, NULL);
		die("/bin/sh");
	}
}

int main(int argc, char **argv)
{
	pthread_barrier_t started;
	pthread_t thread;
	struct stat st;

	if (argc != 5)
		return 2;
	if (prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) < 0)
		die("PR_SET_CHILD_SUBREAPER");
	spawn(argv[3]);
	while (stat(argv[2], &st) < 0) {
		if (waitpid(-1, NULL, WNOHANG) > 0)
			die("the server ended");
		sleep_ms(20);
	}
	spawn(argv[4]);
	pthread_barrier_init(&started, NULL, 2);
	errno = pthread_create(&thread, NULL, realtime, &started);
	if (errno)
		die("pthread_create");
	pthread_barrier_wait(&started);
	ready(argv[1]);
	for (;;)
		if (wait(NULL) < 0)
			sleep_ms(100);
}
