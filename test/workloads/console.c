/* The receiver of a console socket, as conmon is one and the shim of containerd.
 *
 *     console READY SOCKET SEEN
 *
 * Takes the other ends of terminals that runtimes send over SOCKET, gives each 100 columns and 30
 * rows, types a line, and appends what it reads of it to SEEN. The last one that came counts.
 */
#include "workload.h"
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>

static int received(int listener)
{
	char byte[256], room[CMSG_SPACE(sizeof(int))];
	struct iovec data = { byte, sizeof(byte) };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room) };
	int connection = accept(listener, NULL, NULL), fd;

	if (connection < 0 || recvmsg(connection, &message, 0) < 0 || !CMSG_FIRSTHDR(&message))
		die("console socket");
	memcpy(&fd, CMSG_DATA(CMSG_FIRSTHDR(&message)), sizeof(fd));
	close(connection);
	return fd;
}

int main(int argc, char **argv)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct winsize size = { .ws_row = 30, .ws_col = 100 };
	int listener = socket(AF_UNIX, SOCK_STREAM, 0), master = -1, seen;
	char bytes[256];

	if (argc != 4 || strlen(argv[2]) >= sizeof(un.sun_path))
		return 2;
	strcpy(un.sun_path, argv[2]);
	seen = open(argv[3], O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (seen < 0 || bind(listener, (struct sockaddr *)&un, sizeof(un)) < 0 || listen(listener, 8) < 0)
		die(argv[2]);
	ready(argv[1]);
	for (;;) {
		struct pollfd both[] = { { listener, POLLIN, 0 }, { master, POLLIN, 0 } };

		if (poll(both, 2, -1) < 0)
			die("poll");
		if (both[0].revents) {
			if (master >= 0)
				close(master);
			master = received(listener);
			if (ioctl(master, TIOCSWINSZ, &size) < 0 || write(master, "typed\n", 6) != 6)
				die("terminal");
		} else if (both[1].revents) {
			ssize_t length = read(master, bytes, sizeof(bytes));

			if (length > 0 && write(seen, bytes, length) != length)
				die(argv[3]);
			if (length <= 0) { /* nobody has the terminal open any more */
				close(master);
				master = -1;
			}
		}
	}
}
