/* An epoll that a child has too: the child has a lower number than its parent.
 *
 *     epoll READY OTHER kept|closed|file|eventfd
 *
 * What the epoll watches, descriptor 11, the child keeps, closes, or replaces by the file OTHER or an eventfd.
 */
#include "workload.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>

/* fork(2) with the next lower number that is free. */
static pid_t fork_below(void)
{
	for (pid_t wanted = getpid() - 1; wanted > 1; wanted--) {
		struct clone_args args = {
			.exit_signal = SIGCHLD,
			.set_tid = (uintptr_t)&wanted,
			.set_tid_size = 1,
		};
		long pid = syscall(SYS_clone3, &args, sizeof(args));

		if (pid >= 0)
			return pid;
		if (errno != EEXIST)
			break;
	}
	die("clone3");
}

int main(int argc, char **argv)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u64 = 7 };
	int fd;

	if (argc != 4)
		return 2;
	if (dup2(epoll_create1(0), 10) < 0 || dup2(eventfd(0, 0), 11) < 0 ||
	    epoll_ctl(10, EPOLL_CTL_ADD, 11, &event) < 0)
		die("epoll");
	close(3);
	close(4);
	if (fork_below() == 0) {
		if (!strcmp(argv[3], "kept"))
			sleep_forever();
		close(11);
		if (!strcmp(argv[3], "closed"))
			sleep_forever();
		fd = argv[3][0] == 'f' ? open(argv[2], O_RDWR | O_CREAT, 0600) : eventfd(0, 0);
		if (dup2(fd, 11) < 0)
			die(argv[3]);
		close(fd);
		sleep_forever();
	}
	sleep_ms(100);
	ready(argv[1]);
	sleep_forever();
}
