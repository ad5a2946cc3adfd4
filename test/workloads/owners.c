/* A pipe (descriptors 3 and 4) and a UDP socket (5) that are others', and messages that wait with the names of those who
 * sent them: datagrams in 7, a stream in 9.
 *
 *     owners READY
 */
#include "workload.h"
#include <netinet/in.h>
#include <sys/socket.h>

static void send_as(int fd, const char *text, uid_t uid, gid_t gid)
{
	union {
		struct cmsghdr head;
		char room[CMSG_SPACE(sizeof(struct ucred))];
	} control = { 0 };
	struct ucred *sender = (struct ucred *)CMSG_DATA(&control.head);
	struct iovec part = { (void *)text, strlen(text) };
	struct msghdr message = {
		.msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = &control,
		.msg_controllen = sizeof(control),
	};

	control.head.cmsg_level = SOL_SOCKET;
	control.head.cmsg_type = SCM_CREDENTIALS;
	control.head.cmsg_len = CMSG_LEN(sizeof(*sender));
	*sender = (struct ucred){ .pid = getpid(), .uid = uid, .gid = gid };
	if (sendmsg(fd, &message, 0) != (ssize_t)part.iov_len)
		die("sendmsg");
}

static int pair(int type)
{
	int ends[2], on = 1;

	if (socketpair(AF_UNIX, type, 0, ends) < 0 ||
	    setsockopt(ends[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		die("socketpair");
	return ends[0];
}

int main(int argc, char **argv)
{
	struct sockaddr_in any = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int ends[2], to;

	if (argc != 2)
		return 2;
	if (pipe(ends) < 0 || fchown(ends[0], 1000, 1001) < 0 || write(ends[1], "full", 4) != 4)
		die("pipe");
	to = socket(AF_INET, SOCK_DGRAM, 0);
	if (to < 0 || bind(to, (struct sockaddr *)&any, sizeof(any)) < 0 || fchown(to, 1002, -1) < 0)
		die("socket");
	to = pair(SOCK_DGRAM);
	send_as(to, "one", 1003, 1004);
	send_as(to, "two", 1003, 1004);
	to = pair(SOCK_STREAM);
	send_as(to, "a", 1005, 1006);
	send_as(to, "b", 1005, 1006);
	send_as(to, "c", 1007, 1008);
	ready(argv[1]);
	sleep_forever();
}
