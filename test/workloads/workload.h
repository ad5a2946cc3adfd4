/* What every workload shares: it starts with a session of its own and fds 0-2 on /dev/null (the
 * stage's supervisor sees to both) and creates its ready file once everything is set up. */
#ifndef WORKLOAD_H
#define WORKLOAD_H
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#ifndef SCHED_RESET_ON_FORK
#define SCHED_RESET_ON_FORK 0x40000000
#endif

/* Say what failed, on stderr or in the file $WORKLOAD_ERRORS (as 0-2 are on /dev/null), and end. */
static inline __attribute__((noreturn)) void die(const char *what)
{
	const char *why = strerror(errno), *path = getenv("WORKLOAD_ERRORS");
	FILE *out = path ? fopen(path, "a") : stderr;

	if (out) {
		fprintf(out, "%s: %s\n", what, why);
		fflush(out);
	}
	exit(1);
}

/* Create the ready file: whoever sees it knows that the workload is complete, and has no descriptor of it any more. */
static inline void ready(const char *path)
{
	char fresh[4096];
	int fd;

	snprintf(fresh, sizeof(fresh), "%s.fresh", path);
	fd = open(fresh, O_WRONLY | O_CREAT | O_TRUNC, 0644);
	if (fd < 0)
		die(fresh);
	close(fd);
	if (rename(fresh, path) < 0)
		die(path);
}

static inline void sleep_ms(long ms)
{
	struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

static inline __attribute__((noreturn)) void sleep_forever(void)
{
	for (;;)
		pause();
}

/* fork(2) with a chosen number: clone3(2), set_tid. */
static inline pid_t fork_at(pid_t wanted)
{
	struct clone_args args = {
		.exit_signal = SIGCHLD,
		.set_tid = (uintptr_t)&wanted,
		.set_tid_size = 1,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0)
		die("clone3");
	return pid;
}

/* Append one line to a descriptor opened O_APPEND. */
static inline void append(int fd, const char *word, unsigned n)
{
	char line[64];
	int length = snprintf(line, sizeof(line), "%s %u\n", word, n);

	if (write(fd, line, length) != length)
		die("append");
}

#endif
