/* One thing of the kernel's that a restore has to make again.
 *
 *     kernel READY aio EVENTS          an asynchronous I/O context
 *     kernel READY inotify N PATH [MASK]   N inotify instances that watch PATH, for all or what MASK says (hexadecimal)
 *     kernel READY pipe BYTES          a pipe of that size with something in it
 *     kernel READY memfd               a memfd
 *     kernel READY owner               a socket owned by a child
 *     kernel READY threads             two threads
 *     kernel READY open PATH           a file, for reading
 *     kernel READY unshare FLAGS       new namespaces, CLONE_NEW* in hexadecimal
 *     kernel READY closed              a child without any descriptor
 */
#include "workload.h"
#include <dirent.h>
#include <linux/aio_abi.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/socket.h>

static void *idle(void *unused)
{
	(void)unused;
	sleep_forever();
}

/* How many descriptors a process has. */
static int held_by(pid_t pid)
{
	char path[64];
	struct dirent *entry;
	int count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	if (!dir)
		die(path);
	while ((entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	closedir(dir);
	return count;
}

int main(int argc, char **argv)
{
	const char *kind = argc > 2 ? argv[2] : "", *arg = argc > 3 ? argv[3] : "";
	int fds[2], n;

	if (!strcmp(kind, "aio")) {
		aio_context_t context = 0;

		if (syscall(SYS_io_setup, atoi(arg), &context) < 0)
			die("io_setup");
	} else if (!strcmp(kind, "inotify") && argc > 4) {
		for (n = atoi(arg); n > 0; n--) {
			int fd = inotify_init1(0), mask = argc > 5 ? strtol(argv[5], NULL, 16) : IN_ALL_EVENTS;

			if (fd < 0 || inotify_add_watch(fd, argv[4], mask) < 0)
				die("inotify");
		}
	} else if (!strcmp(kind, "pipe")) {
		if (pipe(fds) < 0 || fcntl(fds[1], F_SETPIPE_SZ, atoi(arg)) < 0 ||
		    write(fds[1], "here", 4) != 4)
			die("pipe");
	} else if (!strcmp(kind, "memfd")) {
		if (memfd_create("kept", 0) < 0)
			die("memfd_create");
	} else if (!strcmp(kind, "owner")) {
		struct f_owner_ex owner = { .type = F_OWNER_PID, .pid = fork() };

		if (owner.pid == 0)
			sleep_forever();
		if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) < 0 ||
		    fcntl(fds[0], F_SETOWN_EX, &owner) < 0)
			die("F_SETOWN_EX");
	} else if (!strcmp(kind, "threads")) {
		pthread_t thread;

		if (pthread_create(&thread, NULL, idle, NULL))
			die("pthread_create");
	} else if (!strcmp(kind, "open")) {
		if (open(arg, O_RDONLY) < 0)
			die(arg);
	} else if (!strcmp(kind, "unshare")) {
		if (unshare(strtoul(arg, NULL, 16)) < 0)
			die("unshare");
	} else if (!strcmp(kind, "closed")) {
		pid_t child = fork();

		if (child == 0) {
			close_range(0, ~0U, 0);
			sleep_forever();
		}
		/* The child is in its sleep when it holds nothing more. */
		while (held_by(child) > 0)
			usleep(1000);
	} else {
		return 2;
	}
	ready(argv[1]);
	sleep_forever();
}
