/* The incident in small: an X server and a client in one tree.
 *
 *     x11-server READY DIR PROGRESS [mild]
 *
 * The server makes DIR (mode 1777), listens on DIR/X7 and on the abstract socket of the same name,
 * and echoes what it reads; one idle thread of it is SCHED_FIFO 99 with SCHED_RESET_ON_FORK. Its
 * child is a client that stays connected to DIR/X7, sends a counter every 100 ms, checks the echo
 * and appends `echo N` to PROGRESS (opened O_APPEND). mild: no real time, for users who may not.
 */
#include "workload.h"
#include <poll.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { CONNECTIONS = 16 };

static socklen_t address(struct sockaddr_un *un, const char *path, int abstract)
{
	un->sun_family = AF_UNIX;
	memset(un->sun_path, 0, sizeof(un->sun_path));
	if (strlen(path) + 1 + abstract > sizeof(un->sun_path)) {
		errno = ENAMETOOLONG;
		die(path);
	}
	strcpy(un->sun_path + abstract, path);
	return offsetof(struct sockaddr_un, sun_path) + strlen(path) + 1;
}

static int listener(const char *path, int abstract)
{
	struct sockaddr_un un;
	socklen_t length = address(&un, path, abstract);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	if (fd < 0 || bind(fd, (struct sockaddr *)&un, length) < 0 || listen(fd, 8) < 0)
		die(path);
	return fd;
}

static void client(const char *path, const char *ready_file, const char *progress)
{
	struct sockaddr_un un;
	socklen_t length = address(&un, path, 0);
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	int out = open(progress, O_WRONLY | O_CREAT | O_APPEND, 0644);
	unsigned sent, echo;

	prctl(PR_SET_NAME, "x11-client");
	if (out < 0)
		die(progress);
	if (fd < 0 || connect(fd, (struct sockaddr *)&un, length) < 0)
		die(path);
	for (sent = 1;; sent++) {
		if (write(fd, &sent, sizeof(sent)) != sizeof(sent))
			die("send");
		if (recv(fd, &echo, sizeof(echo), MSG_WAITALL) != sizeof(echo) || echo != sent)
			die("echo");
		append(out, "echo", sent);
		if (sent == 1)
			ready(ready_file);
		sleep_ms(100);
	}
}

static int mild;

static void *realtime_thread(void *started)
{
	struct sched_param param = { .sched_priority = 99 };

	prctl(PR_SET_NAME, "x11-realtime");
	if (!mild && syscall(SYS_sched_setscheduler, 0, SCHED_FIFO | SCHED_RESET_ON_FORK, &param) < 0)
		die("SCHED_FIFO 99");
	pthread_barrier_wait(started);
	sleep_forever();
}

static void serve(struct pollfd *fds, int listeners)
{
	int n = listeners;
	char buffer[4096];

	for (;;) {
		if (poll(fds, n, -1) < 0 && errno != EINTR)
			die("poll");
		for (int i = 0; i < n; i++) {
			if (!fds[i].revents)
				continue;
			if (i < listeners) {
				int fd = accept(fds[i].fd, NULL, NULL);

				if (fd >= 0 && n == CONNECTIONS)
					close(fd);
				else if (fd >= 0)
					fds[n++] = (struct pollfd){ fd, POLLIN, 0 };
				continue;
			}
			ssize_t got = read(fds[i].fd, buffer, sizeof(buffer));
			if (got <= 0 || write(fds[i].fd, buffer, got) != got) {
				close(fds[i].fd);
				fds[i--] = fds[--n];
			}
		}
	}
}

int main(int argc, char **argv)
{
	struct pollfd fds[CONNECTIONS] = { 0 };
	pthread_barrier_t started;
	pthread_t thread;
	char path[4096];

	mild = argc == 5 && !strcmp(argv[4], "mild");
	if (argc != 4 && !mild)
		return 2;
	signal(SIGPIPE, SIG_IGN);
	if ((mkdir(argv[2], 0700) < 0 && errno != EEXIST) || chmod(argv[2], 01777) < 0)
		die(argv[2]);
	snprintf(path, sizeof(path), "%s/X7", argv[2]);
	fds[0] = (struct pollfd){ listener(path, 0), POLLIN, 0 };
	fds[1] = (struct pollfd){ listener(path, 1), POLLIN, 0 };

	switch (fork()) {
	case -1:
		die("fork");
	case 0:
		close(fds[0].fd);
		close(fds[1].fd);
		client(path, argv[1], argv[3]);
	}
	pthread_barrier_init(&started, NULL, 2);
	errno = pthread_create(&thread, NULL, realtime_thread, &started);
	if (errno)
		die("pthread_create");
	pthread_barrier_wait(&started);
	serve(fds, 2);
}
