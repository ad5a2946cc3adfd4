/* Changes what is in an open file of another process, which is stopped: through a copy of its descriptor.
 *
 *     meddle PID FD write TEXT | read BYTES | add NUMBER (to an eventfd)
 *            mask SIGNAL (of a signalfd) | arm CLOCK-FLAGS VALUE-MS INTERVAL-MS (of a timerfd) | ticks NUMBER
 *            watch TFD EVENTS DATA | unwatch TFD | retarget TFD (of an epoll: another eventfd under that number)
 *            notice PATH MASK | ignore WD (of an inotify) | mark PATH MASK (of a fanotify)
 *            flags FLAGS | room BYTES | seal SEALS | seek POSITION | size BYTES | mode MODE
 *            owner PID | signal SIGNAL | option LEVEL NAME VALUE | shutdown HOW | listen BACKLOG
 *            join GROUP | connect PORT (of a netlink socket) | terminal IOCTL [VALUE]
 */
#include "workload.h"
#include <linux/netlink.h>
#include <linux/types.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

#define TFD_IOC_SET_TICKS _IOW('T', 0, uint64_t)

static int borrow(int handle, int fd)
{
	return syscall(SYS_pidfd_getfd, handle, fd, 0);
}

/* The kernel knows a watch by file and number: here the number has to lead there, too. */
static int under(int handle, int tfd)
{
	int copy = borrow(handle, tfd);

	if (copy < 0 || dup2(copy, tfd) < 0)
		die("target");
	return tfd;
}

int main(int argc, char **argv)
{
	int handle = syscall(SYS_pidfd_open, atoi(argv[1]), 0), fd, done = -1;
	const char *what = argv[3], *arg = argc > 4 ? argv[4] : "";
	long n = strtol(arg, NULL, 0);

	/* Out of the way of the numbers that are watched. */
	fd = fcntl(borrow(handle, atoi(argv[2])), F_DUPFD, 100);
	handle = fcntl(handle, F_DUPFD, 100);
	if (fd < 0)
		die("pidfd_getfd");
	if (!strcmp(what, "write")) {
		done = write(fd, arg, strlen(arg));
	} else if (!strcmp(what, "read")) {
		char bytes[4096];

		done = read(fd, bytes, n);
	} else if (!strcmp(what, "add")) {
		uint64_t more = n;

		done = write(fd, &more, 8);
	} else if (!strcmp(what, "mask")) {
		sigset_t set;

		sigemptyset(&set);
		sigaddset(&set, n);
		done = signalfd(fd, &set, 0);
	} else if (!strcmp(what, "arm")) {
		long value = atol(argv[5]), interval = atol(argv[6]);
		struct itimerspec spec = {
			{ interval / 1000, interval % 1000 * 1000000 },
			{ value / 1000, value % 1000 * 1000000 },
		};

		done = timerfd_settime(fd, n, &spec, NULL);
	} else if (!strcmp(what, "ticks")) {
		uint64_t ticks = n;

		done = ioctl(fd, TFD_IOC_SET_TICKS, &ticks);
	} else if (!strcmp(what, "watch") || !strcmp(what, "unwatch")) {
		struct epoll_event event = { 0 };
		int add = argc > 6, tfd = under(handle, n);

		if (add) {
			event.events = strtoul(argv[5], NULL, 0);
			event.data.u64 = strtoul(argv[6], NULL, 0);
		}
		done = epoll_ctl(fd, EPOLL_CTL_DEL, tfd, &event);
		if (add)
			done = epoll_ctl(fd, EPOLL_CTL_ADD, tfd, &event);
	} else if (!strcmp(what, "retarget")) {
		struct epoll_event event = { .events = strtoul(argv[5], NULL, 0),
					     .data.u64 = strtoul(argv[6], NULL, 0) };
		int other = eventfd(0, 0);

		if (epoll_ctl(fd, EPOLL_CTL_DEL, under(handle, n), &event) < 0 || dup2(other, n) < 0)
			die(what);
		done = epoll_ctl(fd, EPOLL_CTL_ADD, n, &event);
		/* It is watched as long as it is open. */
		if (fork() == 0) {
			setsid();
			sleep_ms(10000);
			_exit(0);
		}
	} else if (!strcmp(what, "notice")) {
		done = inotify_add_watch(fd, arg, strtoul(argv[5], NULL, 0));
	} else if (!strcmp(what, "ignore")) {
		done = inotify_rm_watch(fd, n);
	} else if (!strcmp(what, "mark")) {
		done = fanotify_mark(fd, FAN_MARK_ADD, strtoul(argv[5], NULL, 0), AT_FDCWD, arg);
	} else if (!strcmp(what, "flags")) {
		done = fcntl(fd, F_SETFL, n);
	} else if (!strcmp(what, "room")) {
		done = fcntl(fd, F_SETPIPE_SZ, n);
	} else if (!strcmp(what, "seal")) {
		done = fcntl(fd, F_ADD_SEALS, n);
	} else if (!strcmp(what, "seek")) {
		done = lseek(fd, n, SEEK_SET);
	} else if (!strcmp(what, "size")) {
		done = ftruncate(fd, n);
	} else if (!strcmp(what, "mode")) {
		done = fchmod(fd, n);
	} else if (!strcmp(what, "owner")) {
		done = fcntl(fd, F_SETOWN, n);
	} else if (!strcmp(what, "signal")) {
		done = fcntl(fd, F_SETSIG, n);
	} else if (!strcmp(what, "shutdown")) {
		done = shutdown(fd, n);
	} else if (!strcmp(what, "listen")) {
		done = listen(fd, n);
	} else if (!strcmp(what, "join")) {
		int group = n;

		done = setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group));
	} else if (!strcmp(what, "connect")) {
		struct sockaddr_nl address = { .nl_family = AF_NETLINK, .nl_pid = n };

		done = connect(fd, (struct sockaddr *)&address, sizeof(address));
	} else if (!strcmp(what, "terminal")) {
		int value = argc > 5 ? atoi(argv[5]) : 0;

		done = ioctl(fd, n, &value);
	} else if (!strcmp(what, "option")) {
		int value = atoi(argv[6]);

		done = setsockopt(fd, n, atoi(argv[5]), &value, sizeof(value));
	}
	if (done < 0)
		die(what);
	return 0;
}
