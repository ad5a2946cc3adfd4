/* A small process tree with files.
 *
 *     tree READY CWD FILE LOG CHILDREN
 *
 * The root (`tree-root`) works in CWD, holds FILE open for reading and appends `tick N` to LOG
 * (opened O_APPEND) every 100 ms. Each of CHILDREN children (`leaf-N`) is in a process group of its
 * own and has a second thread (`leaf-thread`); one more child is a zombie that exited with 7.
 */
#include "workload.h"

static void *leaf_thread(void *done)
{
	prctl(PR_SET_NAME, "leaf-thread");
	if (write(*(int *)done, "", 1) != 1)
		die("pipe");
	close(*(int *)done);
	sleep_forever();
}

static void leaf(int n, int done)
{
	char name[16];
	pthread_t thread;

	snprintf(name, sizeof(name), "leaf-%d", n);
	prctl(PR_SET_NAME, name);
	if (setpgid(0, 0) < 0)
		die("setpgid");
	errno = pthread_create(&thread, NULL, leaf_thread, &done);
	if (errno)
		die("pthread_create");
	sleep_forever();
}

int main(int argc, char **argv)
{
	int done[2], file, log, children;
	siginfo_t zombie;
	pid_t pid;
	char byte;

	if (argc != 6)
		return 2;
	children = atoi(argv[5]);
	prctl(PR_SET_NAME, "tree-root");
	if (chdir(argv[2]) < 0)
		die(argv[2]);
	file = open(argv[3], O_RDONLY);
	if (file < 0)
		die(argv[3]);
	log = open(argv[4], O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (log < 0)
		die(argv[4]);
	if (pipe(done) < 0)
		die("pipe");

	for (int i = 1; i <= children; i++) {
		pid = fork();
		if (pid < 0)
			die("fork");
		if (pid == 0) {
			close(done[0]);
			leaf(i, done[1]);
		}
	}
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0)
		_exit(7);
	if (waitid(P_PID, pid, &zombie, WEXITED | WNOWAIT) < 0)
		die("waitid");

	close(done[1]);
	for (int i = 0; i < children; i++)
		if (read(done[0], &byte, 1) != 1)
			die("a child ended");
	close(done[0]);

	for (unsigned n = 1;; n++) {
		append(log, "tick", n);
		if (n == 1)
			ready(argv[1]);
		sleep_ms(100);
	}
}
