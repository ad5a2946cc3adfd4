/* A TCP server on 127.0.0.1.
 *
 *     tcp READY PORT [pair PROGRESS | closing]
 *     tcp READY PORT answer ADDRESS
 *     tcp READY PORT ask ADDRESS PROGRESS
 *
 * Listens on PORT. With `pair` it also holds both ends of a connection to itself, passes a counter
 * through it every 100 ms and appends `echo N` to PROGRESS (dump with --tcp-established). `closing`: on ::1, with two
 * connections to itself that one end has closed: of the second not all that it sent has been received.
 * `ask` and `answer`: the two ends of such a connection in two tasks; what comes is sent back.
 */
#include "workload.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

static void closing(int port)
{
	struct sockaddr_in6 in = { .sin6_family = AF_INET6, .sin6_port = htons(port), .sin6_addr = in6addr_loopback };
	int listener = socket(AF_INET6, SOCK_STREAM, 0), near;
	char bytes[65536] = { 0 };

	if (bind(listener, (struct sockaddr *)&in, sizeof(in)) < 0 || listen(listener, 8) < 0)
		die("listen");
	for (int full = 0; full < 2; full++) {
		near = socket(AF_INET6, SOCK_STREAM, 0);
		if (connect(near, (struct sockaddr *)&in, sizeof(in)) < 0 || accept(listener, NULL, NULL) < 0)
			die("connect");
		while (full && send(near, bytes, sizeof(bytes), MSG_DONTWAIT) > 0)
			;
		if (shutdown(near, SHUT_WR) < 0)
			die("shutdown");
	}
	close(listener);
}

static void answer(int listener, const char *path)
{
	unsigned n;
	int far;

	ready(path);
	far = accept(listener, NULL, NULL);
	while (recv(far, &n, sizeof(n), MSG_WAITALL) == sizeof(n))
		if (write(far, &n, sizeof(n)) != sizeof(n))
			die("send");
	die("receive");
}

/* Sends a counter by `near` every 100 ms, and has it back by `far`. */
static void count(const char *path, const char *progress, int near, int far)
{
	int out = open(progress, O_WRONLY | O_CREAT | O_APPEND, 0644);
	unsigned echo;

	if (out < 0)
		die(progress);
	for (unsigned n = 1;; n++) {
		if (write(near, &n, sizeof(n)) != sizeof(n))
			die("send");
		if (recv(far, &echo, sizeof(echo), MSG_WAITALL) != sizeof(echo) || echo != n)
			die("receive");
		append(out, "echo", n);
		if (n == 1)
			ready(path);
		sleep_ms(100);
	}
}

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	const char *what = argc > 3 ? argv[3] : "";
	int listener, near, far, on = 1;

	if (!strcmp(what, "closing")) {
		closing(atoi(argv[2]));
		sleep_ms(500);
		ready(argv[1]);
		sleep_forever();
	}
	if (argc < 3)
		return 2;
	in.sin_port = htons(atoi(argv[2]));
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (argc > 4 && strcmp(what, "pair") && inet_pton(AF_INET, argv[4], &in.sin_addr) != 1)
		return 2;
	if (!strcmp(what, "ask")) {
		near = socket(AF_INET, SOCK_STREAM, 0);
		if (connect(near, (struct sockaddr *)&in, sizeof(in)) < 0)
			die("connect");
		count(argv[1], argv[5], near, near);
	}
	listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&in, sizeof(in)) < 0 || listen(listener, 8) < 0)
		die("listen");
	if (argc == 3) {
		ready(argv[1]);
		sleep_forever();
	}
	if (!strcmp(what, "answer"))
		answer(listener, argv[1]);
	near = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(near, (struct sockaddr *)&in, sizeof(in)) < 0)
		die("connect");
	far = accept(listener, NULL, NULL);
	if (far < 0)
		die("accept");
	count(argv[1], argv[4], near, far);
}
