/* A client of CRIU's RPC, as a container runtime is one.
 *
 *     rpc-client REQUEST RESPONSE DELAY COMMAND…
 *
 * Starts COMMAND… swrk FD, waits DELAY ms, sends the bytes of the file REQUEST, agrees to every
 * notification and writes the response to the file RESPONSE. Prints the notifications' number and
 * its children that are left when CRIU has ended, and exits as CRIU did. Without a REQUEST ("") it
 * closes its end instead.
 */
#include "workload.h"
#include <sys/socket.h>

int main(int argc, char **argv)
{
	static const char agreed[] = { 8, 6, 24, 1 }; /* type NOTIFY, notify_success */
	static char bytes[65536];
	int ends[2], status, notified = 0, fd;
	char number[16], path[64], **command = argv + 4;
	ssize_t length;
	pid_t criu;

	if (argc < 5 || socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) < 0)
		return 2;
	criu = fork();
	if (criu == 0) {
		char *words[argc];
		int i;

		close(ends[0]);
		snprintf(number, sizeof(number), "%d", ends[1]);
		for (i = 0; command[i]; i++)
			words[i] = command[i];
		words[i++] = "swrk";
		words[i++] = number;
		words[i] = NULL;
		execvp(words[0], words);
		_exit(127);
	}
	close(ends[1]);
	sleep_ms(atoi(argv[3]));
	if (argv[1][0]) {
		fd = open(argv[1], O_RDONLY);
		length = read(fd, bytes, sizeof(bytes));
		close(fd);
		if (send(ends[0], bytes, length, 0) != length)
			die("send");
		while ((length = recv(ends[0], bytes, sizeof(bytes), 0)) > 1 && bytes[0] == 8 && bytes[1] == 6) {
			notified++;
			send(ends[0], agreed, sizeof(agreed), 0);
		}
		fd = open(argv[2], O_WRONLY | O_CREAT | O_TRUNC, 0600);
		if (length > 0 && write(fd, bytes, length) != length)
			die(argv[2]);
		close(fd);
	}
	close(ends[0]);
	if (waitpid(criu, &status, 0) != criu)
		die("waitpid");
	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	fd = open(path, O_RDONLY);
	length = read(fd, bytes, sizeof(bytes) - 1);
	bytes[length > 0 ? length : 0] = 0;
	printf("notified %d children %s\n", notified, bytes);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
