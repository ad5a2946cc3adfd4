/* A tree of two that ends as it is told: the root and a child, each by signal.
 *
 *     ends READY
 *
 * SIGUSR1 uses up memory, 256 MiB; SIGUSR2 reads where nothing is; SIGTERM exits with 3.
 */
#include "workload.h"

static void hungry(int signal)
{
	size_t size = 256 << 20;
	volatile char *memory = malloc(size);

	(void)signal;
	for (size_t at = 0; memory && at < size; at += 4096)
		memory[at] = 1;
}

static void lost(int signal)
{
	(void)signal;
	*(volatile int *)8 = 0;
}

static void three(int signal)
{
	(void)signal;
	_exit(3);
}

int main(int argc, char **argv)
{
	int made[2];
	char byte;

	if (argc != 2 || pipe(made) < 0)
		return 2;
	signal(SIGUSR1, hungry);
	signal(SIGUSR2, lost);
	signal(SIGTERM, three);
	signal(SIGCHLD, SIG_IGN);
	if (fork() == 0) {
		if (write(made[1], "", 1) != 1)
			die("write");
		close(made[0]);
		close(made[1]);
		sleep_forever();
	}
	close(made[1]);
	if (read(made[0], &byte, 1) != 1)
		die("the child ended");
	close(made[0]);
	ready(argv[1]);
	sleep_forever();
}
