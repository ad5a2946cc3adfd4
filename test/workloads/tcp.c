/* A TCP server on 127.0.0.1.
 *
 *     tcp READY PORT [pair PROGRESS]
 *
 * Listens on PORT. With `pair` it also holds both ends of a connection to itself, passes a counter
 * through it every 100 ms and appends `echo N` to PROGRESS (dump with --tcp-established).
 */
#include "workload.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

int main(int argc, char **argv)
{
	struct sockaddr_in in = { .sin_family = AF_INET };
	int listener, near, far, out, on = 1;
	unsigned echo;

	if (argc != 3 && argc != 5)
		return 2;
	in.sin_port = htons(atoi(argv[2]));
	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	listener = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(listener, (struct sockaddr *)&in, sizeof(in)) < 0 || listen(listener, 8) < 0)
		die("listen");
	if (argc == 3) {
		ready(argv[1]);
		sleep_forever();
	}

	out = open(argv[4], O_WRONLY | O_CREAT | O_APPEND, 0644);
	if (out < 0)
		die(argv[4]);
	near = socket(AF_INET, SOCK_STREAM, 0);
	if (connect(near, (struct sockaddr *)&in, sizeof(in)) < 0)
		die("connect");
	far = accept(listener, NULL, NULL);
	if (far < 0)
		die("accept");
	for (unsigned n = 1;; n++) {
		if (write(near, &n, sizeof(n)) != sizeof(n))
			die("send");
		if (recv(far, &echo, sizeof(echo), MSG_WAITALL) != sizeof(echo) || echo != n)
			die("receive");
		append(out, "echo", n);
		if (n == 1)
			ready(argv[1]);
		sleep_ms(100);
	}
}
