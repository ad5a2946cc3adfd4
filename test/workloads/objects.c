/* Holds whatever it is told to.
 *
 *     objects READY OBJECT...
 *
 * Each OBJECT is a word and what belongs to it, done in order; descriptors stay open:
 *
 *     chdir DIR             work there
 *     read|write|path FILE  open it (path: O_PATH)
 *     fifo PATH             make a FIFO, open it for both ways, put a word in
 *     unlink PATH           remove it
 *     tun NAME              a TUN device, in a network of its own
 *     watch PATH            an inotify that tells of changes
 *     rmdir DIR
 *     map FILE              map it, private, read-only
 *     flock|posix|ofd FILE  open it and lock all of it, exclusively
 *     lease|broken FILE     open it and take a lease for writing; broken: and open it anew, which breaks the lease. Each
 *                           time that it is told so it adds a byte to FILE.told
 *     dgram|listen NAME     a Unix socket with that name, @NAME an abstract one
 *     connect NAME          a datagram socket connected to that name
 *     client NAME           a stream connected to that name
 *     between NAME OTHER    a datagram socket NAME, connected to OTHER, and one connected to NAME
 *     queue N NAME          like dgram, with N datagrams waiting
 *     accepted NAME         both ends of a connection; the listener is closed again
 *     thread                a second thread, and its comm in /proc open
 *     tcp|udp PORT          a listener, or a bound socket, on 127.0.0.1; reuse-tcp, reuse-udp: shared (SO_REUSEPORT)
 */
#include "workload.h"
#include <limits.h>
#include <linux/if.h>
#include <linux/if_tun.h>
#include <netinet/in.h>
#include <stddef.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>

static socklen_t address(struct sockaddr_un *un, const char *name)
{
	memset(un, 0, sizeof(*un));
	un->sun_family = AF_UNIX;
	if (strlen(name) >= sizeof(un->sun_path)) {
		errno = ENAMETOOLONG;
		die(name);
	}
	strcpy(un->sun_path, name);
	if (*name != '@')
		return offsetof(struct sockaddr_un, sun_path) + strlen(name) + 1;
	*un->sun_path = 0;
	return offsetof(struct sockaddr_un, sun_path) + strlen(name);
}

static int named(int type, const char *name)
{
	struct sockaddr_un un;
	socklen_t length = address(&un, name);
	int fd = socket(AF_UNIX, type, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&un, length) < 0)
		die(name);
	if (type == SOCK_STREAM && listen(fd, 8) < 0)
		die("listen");
	return fd;
}

static int connected(int type, const char *name)
{
	struct sockaddr_un un;
	socklen_t length = address(&un, name);
	int fd = socket(AF_UNIX, type, 0);

	if (fd < 0 || connect(fd, (struct sockaddr *)&un, length) < 0)
		die(name);
	return fd;
}

static void queue(int count, const char *name)
{
	int sender;

	named(SOCK_DGRAM, name);
	sender = connected(SOCK_DGRAM, name);
	while (count--)
		if (send(sender, "word", 4, MSG_DONTWAIT) != 4)
			die("send");
	close(sender);
}

static void between(const char *name, const char *other)
{
	struct sockaddr_un un;
	socklen_t length = address(&un, name);
	/* The kernel lets nobody connect to a socket that is connected to a third. */
	int first = socket(AF_UNIX, SOCK_DGRAM, 0), middle = named(SOCK_DGRAM, name);

	if (connect(first, (struct sockaddr *)&un, length) < 0)
		die(name);
	length = address(&un, other);
	if (connect(middle, (struct sockaddr *)&un, length) < 0)
		die(other);
}

static void accepted(const char *name)
{
	int listener = named(SOCK_STREAM, name);

	connected(SOCK_STREAM, name);
	if (accept(listener, NULL, NULL) < 0)
		die("accept");
	close(listener);
}

static int opened(const char *path, int flags)
{
	int fd = open(path, flags, 0644);

	if (fd < 0)
		die(path);
	return fd;
}

static void fifo(const char *path)
{
	int fd;

	if (mkfifo(path, 0640) < 0)
		die(path);
	fd = opened(path, O_RDWR);
	if (write(fd, "word", 4) != 4)
		die("write");
}

static void locked(const char *path, int command)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd = opened(path, O_RDWR | O_CREAT);

	if (command == -1 ? flock(fd, LOCK_EX | LOCK_NB) : fcntl(fd, command, &lock))
		die(path);
}

static int told;

static void tell(int signal)
{
	(void)signal;
	if (write(told, "!", 1) != 1)
		_exit(1);
}

static void leased(const char *path, int broken)
{
	char name[PATH_MAX];
	int fd = opened(path, O_RDWR | O_CREAT);

	snprintf(name, sizeof(name), "%s.told", path);
	told = opened(name, O_WRONLY | O_CREAT | O_APPEND);
	signal(SIGIO, tell);
	if (fcntl(fd, F_SETLEASE, F_WRLCK) < 0)
		die("F_SETLEASE");
	if (broken && (open(path, O_RDONLY | O_NONBLOCK) >= 0 || errno != EWOULDBLOCK))
		die("a lease that is not broken");
}

static void mapped(const char *path)
{
	int fd = opened(path, O_RDONLY);

	if (mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0) == MAP_FAILED)
		die(path);
	close(fd);
}

static void *idle(void *unused)
{
	(void)unused;
	opened("/proc/thread-self/comm", O_RDONLY);
	sleep_forever();
}

static void inet(int type, int port, int shared)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, type, 0), on = 1;

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (shared)
		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on));
	if (bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0)
		die("bind");
	if (type == SOCK_STREAM && listen(fd, 8) < 0)
		die("listen");
}

int main(int argc, char **argv)
{
	pthread_t thread;

	for (int i = 2; i < argc; i++) {
		const char *thing = argv[i], *what = i + 1 < argc ? argv[i + 1] : "";

		if (!strcmp(thing, "thread")) {
			errno = pthread_create(&thread, NULL, idle, NULL);
			if (errno)
				die("pthread_create");
			sleep_ms(50);
			continue;
		}
		i++;
		if (!strcmp(thing, "chdir")) {
			if (chdir(what) < 0)
				die(what);
		} else if (!strcmp(thing, "read")) {
			opened(what, O_RDONLY);
		} else if (!strcmp(thing, "write")) {
			opened(what, O_RDWR | O_CREAT);
		} else if (!strcmp(thing, "path")) {
			opened(what, O_PATH);
		} else if (!strcmp(thing, "fifo")) {
			fifo(what);
		} else if (!strcmp(thing, "tun")) {
			struct ifreq request = { .ifr_flags = IFF_TUN };

			strncpy(request.ifr_name, what, IFNAMSIZ - 1);
			if (unshare(CLONE_NEWNET) < 0 || ioctl(opened("/dev/net/tun", O_RDWR), TUNSETIFF, &request) < 0)
				die(what);
		} else if (!strcmp(thing, "watch")) {
			if (inotify_add_watch(inotify_init(), what, IN_MODIFY | IN_DELETE_SELF) < 0)
				die(what);
		} else if (!strcmp(thing, "unlink")) {
			if (unlink(what) < 0)
				die(what);
		} else if (!strcmp(thing, "rmdir")) {
			if (rmdir(what) < 0)
				die(what);
		} else if (!strcmp(thing, "map")) {
			mapped(what);
		} else if (!strcmp(thing, "flock")) {
			locked(what, -1);
		} else if (!strcmp(thing, "posix")) {
			locked(what, F_SETLK);
		} else if (!strcmp(thing, "ofd")) {
			locked(what, F_OFD_SETLK);
		} else if (!strcmp(thing, "lease")) {
			leased(what, 0);
		} else if (!strcmp(thing, "broken")) {
			leased(what, 1);
		} else if (!strcmp(thing, "dgram")) {
			named(SOCK_DGRAM, what);
		} else if (!strcmp(thing, "listen")) {
			named(SOCK_STREAM, what);
		} else if (!strcmp(thing, "connect")) {
			connected(SOCK_DGRAM, what);
		} else if (!strcmp(thing, "client")) {
			connected(SOCK_STREAM, what);
		} else if (!strcmp(thing, "between")) {
			between(what, argv[++i]);
		} else if (!strcmp(thing, "accepted")) {
			accepted(what);
		} else if (!strcmp(thing, "queue")) {
			queue(atoi(what), argv[++i]);
		} else if (!strcmp(thing, "tcp")) {
			inet(SOCK_STREAM, atoi(what), 0);
		} else if (!strcmp(thing, "udp")) {
			inet(SOCK_DGRAM, atoi(what), 0);
		} else if (!strcmp(thing, "reuse-tcp")) {
			inet(SOCK_STREAM, atoi(what), 1);
		} else if (!strcmp(thing, "reuse-udp")) {
			inet(SOCK_DGRAM, atoi(what), 1);
		} else {
			errno = EINVAL;
			die(thing);
		}
	}
	ready(argv[1]);
	sleep_forever();
}
