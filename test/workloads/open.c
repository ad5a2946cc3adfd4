/* An open file of every kind, each with something in it, at fixed descriptors from 10 on.
 *
 *     open READY DIR
 *
 * DIR is for what needs a name. It sleeps; on SIGUSR1 it does what a program that runs does: forks, makes a thread,
 * opens, maps, moves, changes its directory and its name.
 */
#include "workload.h"
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <sys/un.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>

static void at(int wanted, int fd, const char *what)
{
	if (fd < 0 || (fd != wanted && dup2(fd, wanted) < 0))
		die(what);
	if (fd != wanted)
		close(fd);
}

static void ends(int wanted, const int fds[2])
{
	at(wanted, fds[0], "first end");
	at(wanted + 1, fds[1], "second end");
}

static int timer(int clock, int flags, long value_ms, long interval_ms)
{
	struct itimerspec spec = {
		{ interval_ms / 1000, interval_ms % 1000 * 1000000 },
		{ value_ms / 1000, value_ms % 1000 * 1000000 },
	};
	struct timespec now;
	int fd = timerfd_create(clock, 0);

	if (flags & TFD_TIMER_ABSTIME) {
		clock_gettime(clock, &now);
		spec.it_value.tv_sec += now.tv_sec;
		spec.it_value.tv_nsec += now.tv_nsec;
		if (spec.it_value.tv_nsec >= 1000000000) {
			spec.it_value.tv_sec += 1;
			spec.it_value.tv_nsec -= 1000000000;
		}
	}
	if (fd < 0 || timerfd_settime(fd, flags, &spec, NULL) < 0)
		die("timerfd");
	return fd;
}

static void watch(int epoll, int target, unsigned events, unsigned long data)
{
	struct epoll_event event = { .events = events, .data.u64 = data };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, target, &event) < 0)
		die("epoll_ctl");
}

static void put(int fd, const void *what, size_t length)
{
	if (write(fd, what, length) != (ssize_t)length)
		die("write");
}

static void *idle(void *unused)
{
	(void)unused;
	sleep_forever();
}

static volatile sig_atomic_t told;

static void tell(int signal)
{
	(void)signal;
	told = 1;
}

int main(int argc, char **argv)
{
	const char *dir = argv[2];
	unsigned long long many = 1ULL << 40 | 5, few = 3;
	struct f_owner_ex owner = { .type = F_OWNER_PID, .pid = getpid() };
	pthread_t thread;
	sigset_t set;
	char path[4096];
	struct sockaddr_nl netlink = { .nl_family = AF_NETLINK };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fds[2], fd, i;

	if (argc != 3)
		return 2;
	at(10, eventfd(0, EFD_NONBLOCK), "eventfd");
	put(10, &few, 8);
	at(11, eventfd(0, 0), "eventfd");
	put(11, &many, 8);

	sigemptyset(&set);
	sigaddset(&set, SIGUSR2);
	at(12, signalfd(-1, &set, SFD_NONBLOCK), "signalfd");

	/* Armed; expired with a period and unread; expired once; never armed, but with a period; absolute and over. */
	at(13, timer(CLOCK_MONOTONIC, 0, 3600000, 1000), "timerfd");
	at(14, timer(CLOCK_MONOTONIC, 0, 1, 10), "timerfd");
	at(15, timer(CLOCK_BOOTTIME, 0, 1, 0), "timerfd");
	at(16, timer(CLOCK_MONOTONIC, 0, 0, 10), "timerfd");
	at(17, timer(CLOCK_REALTIME, TFD_TIMER_ABSTIME, 1, 0), "timerfd");
	at(18, timer(CLOCK_REALTIME, TFD_TIMER_ABSTIME, 3600000, 0), "timerfd");
	sleep_ms(50);
	put(10, &few, 8);
	if (read(17, &few, 8) != 8)
		die("read of the timer that is over");

	at(19, epoll_create1(0), "epoll");
	watch(19, 10, EPOLLIN | EPOLLET, 7);
	watch(19, 14, EPOLLIN, 8);

	at(20, inotify_init1(IN_NONBLOCK), "inotify");
	if (inotify_add_watch(20, dir, IN_CREATE | IN_EXCL_UNLINK) < 0 ||
	    inotify_add_watch(20, "/", IN_DELETE_SELF | IN_ONESHOT) < 0)
		die("inotify");

	if (pipe(fds) < 0 || fcntl(fds[1], F_SETPIPE_SZ, 16384) < 0)
		die("pipe");
	put(fds[1], "in the pipe", 11);
	ends(21, fds);
	snprintf(path, sizeof(path), "%s/fifo", dir);
	if (mkfifo(path, 0600) < 0)
		die(path);
	at(23, open(path, O_RDWR | O_NONBLOCK), path);
	put(23, "in the fifo", 11);

	at(24, memfd_create("sealed", MFD_ALLOW_SEALING), "memfd");
	put(24, "in memory", 9);
	if (fcntl(24, F_ADD_SEALS, F_SEAL_SHRINK) < 0)
		die("seals");

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		die("socketpair");
	put(fds[1], "stream", 6);
	ends(25, fds);
	if (socketpair(AF_UNIX, SOCK_DGRAM, 0, fds) < 0)
		die("socketpair");
	put(fds[1], "one", 3);
	put(fds[1], "another", 7);
	ends(27, fds);

	/* A socket whose owner is told by a signal of its own. */
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0)
		die("socketpair");
	ends(29, fds);
	if (fcntl(29, F_SETOWN_EX, &owner) < 0 || fcntl(29, F_SETSIG, SIGUSR2) < 0 ||
	    fcntl(29, F_SETFL, O_RDWR | O_ASYNC) < 0)
		die("owner");
	at(31, open("/proc/self/ns/net", O_RDONLY), "namespace");

	at(32, syscall(SYS_pidfd_open, getpid(), 0), "pidfd_open");

	at(33, fanotify_init(FAN_CLASS_NOTIF | FAN_NONBLOCK, O_RDONLY), "fanotify_init");
	if (fanotify_mark(33, FAN_MARK_ADD, FAN_OPEN, AT_FDCWD, dir) < 0)
		die("fanotify_mark");

	if (pipe(fds) < 0)
		die("pipe");
	ends(34, fds);

	fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE);
	netlink.nl_groups = RTMGRP_LINK;
	if (bind(fd, (struct sockaddr *)&netlink, sizeof(netlink)) < 0)
		die("netlink");
	at(36, fd, "netlink");
	/* One that nobody ever bound is in no table of the kernel; one that is connected to a group. */
	at(42, socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT), "netlink");
	at(43, socket(AF_NETLINK, SOCK_RAW, NETLINK_KOBJECT_UEVENT), "netlink");
	netlink.nl_groups = 4;
	netlink.nl_pid = getpid();
	if (connect(43, (struct sockaddr *)&netlink, sizeof(netlink)) < 0)
		die("connect");

	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0 || shutdown(fds[0], SHUT_WR) < 0)
		die("shutdown");
	ends(39, fds);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/listener", dir);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 5) < 0)
		die(address.sun_path);
	at(41, fd, "listener");

	signal(SIGUSR1, tell);
	signal(SIGUSR2, SIG_IGN);
	ready(argv[1]);
	while (!told)
		pause();
	for (i = 0; i < 2; i++)
		if (fork() == 0)
			sleep_forever();
	if (pthread_create(&thread, NULL, idle, NULL) || chdir(dir) < 0 ||
	    prctl(PR_SET_NAME, "renamed") < 0 || close(23) < 0 || open("/dev/null", O_RDONLY) < 0 ||
	    mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED)
		die("what a program does");
	snprintf(path, sizeof(path), "%s/done", dir);
	ready(path);
	sleep_forever();
}
