/* Runs a command and tells what it took.
 *
 *     timed COMMAND…            prints: exit code, microseconds from fork to its end, peak memory in KiB, and microseconds
 *                               of processor time of it and all that it waited for
 *     timed --peak COMMAND…     the peak is the command's own, without its children: it is looked at while it runs; a fifth number
 *                               is what of it is no file's (the peak of RssAnon), which another process does not have in common with it
 *
 * Without --peak the memory is of the largest of the command and all that it waited for.
 */
#include "workload.h"

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000LL + t.tv_nsec / 1000;
}

/* The most so far of VmHWM and RssAnon of a process, in KiB; of one that has ended they stay. proc(5) */
static void look(pid_t pid, long *most, long *anonymous)
{
	char path[64], line[256];
	FILE *status;
	long seen;

	snprintf(path, sizeof(path), "/proc/%d/status", pid);
	status = fopen(path, "r");
	while (status && fgets(line, sizeof(line), status)) {
		if (sscanf(line, "VmHWM: %ld", &seen) == 1 && seen > *most)
			*most = seen;
		if (sscanf(line, "RssAnon: %ld", &seen) == 1 && seen > *anonymous)
			*anonymous = seen;
	}
	if (status)
		fclose(status);
}

static long long spent(struct timeval t)
{
	return t.tv_sec * 1000000LL + t.tv_usec;
}

int main(int argc, char **argv)
{
	int peak = argc > 1 && !strcmp(argv[1], "--peak"), status;
	char **command = argv + 1 + peak;
	struct rusage usage;
	long long start, end;
	long most = 0, anonymous = 0;
	pid_t pid;

	if (!command[0])
		return 2;
	start = now();
	pid = fork();
	if (pid == 0) {
		int null = open("/dev/null", O_RDWR);

		dup2(null, 1);
		dup2(null, 2);
		execv(command[0], command);
		_exit(127);
	}
	while (wait4(pid, &status, peak ? WNOHANG : 0, &usage) == 0) {
		look(pid, &most, &anonymous);
		usleep(500);
	}
	end = now();
	printf("%d %lld %ld %lld %ld\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status), end - start,
	       peak ? most : usage.ru_maxrss, spent(usage.ru_utime) + spent(usage.ru_stime), anonymous);
	return 0;
}
