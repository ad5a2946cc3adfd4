/* What a program inherits by execve(2).
 *
 *     inherit to COMMAND…  gives a child unusual things and executes COMMAND there
 *     inherit WORDS…       prints what it got: words, environment, descriptors, signals, limits
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

extern char **environ;

static int give(char **command)
{
	struct epoll_event event = { .events = EPOLLIN };
	struct rlimit limit = { .rlim_cur = 1234 };
	struct rlimit before;
	sigset_t blocked;
	int epoll, status;
	pid_t child;

	getrlimit(RLIMIT_NOFILE, &before);
	limit.rlim_max = before.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	child = fork();
	if (child != 0) {
		waitpid(child, &status, 0);
		return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	}
	dup2(open("/dev/zero", O_RDONLY), 5);
	dup2(5, 30);
	epoll = epoll_create1(0);
	dup2(eventfd(0, 0), 8);
	epoll_ctl(epoll, EPOLL_CTL_ADD, 8, &event);
	dup2(epoll, 9);
	/* Which of these the caller ignored nobody can tell once Bun runs: it ignores both. */
	signal(SIGPIPE, SIG_DFL);
	signal(SIGXFSZ, SIG_DFL);
	signal(SIGINT, SIG_IGN);
	signal(SIGUSR1, SIG_IGN);
	sigemptyset(&blocked);
	sigaddset(&blocked, SIGUSR2);
	sigaddset(&blocked, SIGCHLD);
	sigprocmask(SIG_BLOCK, &blocked, NULL);
	putenv("BYTES=\377\200");
	execv(command[0], command);
	return 127;
}

int main(int argc, char **argv)
{
	static const char *const told[] = { "Sig", "Threads", "Seccomp:", "NoNewPrivs", "Umask", "Cap" };
	char line[4096], link[4096];
	FILE *status;
	int fd, i;

	if (argc > 2 && !strcmp(argv[1], "to"))
		return give(argv + 2);
	status = fopen("/proc/self/status", "r");
	for (i = 1; i < argc; i++)
		printf("word %s\n", argv[i]);
	for (i = 0; environ[i]; i++)
		printf("env %s\n", environ[i]);
	while (fgets(line, sizeof(line), status))
		for (i = 0; i < 6; i++)
			if (!strncmp(line, told[i], strlen(told[i])) && strncmp(line, "SigQ", 4))
				printf("%s", line);
	fclose(status);
	for (fd = 0; fd < 256; fd++) {
		ssize_t length;

		snprintf(line, sizeof(line), "/proc/self/fd/%d", fd);
		length = readlink(line, link, sizeof(link) - 1);
		if (length < 0)
			continue;
		link[length] = 0;
		printf("fd %d %s %x %x\n", fd, link, fcntl(fd, F_GETFD), fcntl(fd, F_GETFL));
	}
	for (i = 0; i < RLIM_NLIMITS; i++) {
		struct rlimit limit;

		getrlimit(i, &limit);
		printf("limit %d %lx %lx\n", i, (long)limit.rlim_cur, (long)limit.rlim_max);
	}
	printf("parent %d group %d session %d\n", getppid() > 0, getpgrp() > 0, getsid(0) > 0);
	return 7;
}
