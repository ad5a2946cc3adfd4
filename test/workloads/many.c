/* Much of something, for the benchmarks.
 *
 *     many READY TASKS DESCRIPTORS MAPPINGS MIB
 *
 * The root has TASKS - 1 children that sleep. It has DESCRIPTORS files open (its own program, each opened
 * anew), MAPPINGS mappings that cannot be one, and MIB MiB of memory with something in every page.
 */
#include "workload.h"
#include <sys/mman.h>

static void *map(size_t length)
{
	void *at = mmap(NULL, length, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (at == MAP_FAILED)
		die("mmap");
	return at;
}

int main(int argc, char **argv)
{
	size_t page = sysconf(_SC_PAGESIZE), memory;
	char *at;

	if (argc != 6)
		return 2;
	for (int i = 0; i < atoi(argv[3]); i++)
		if (open("/proc/self/exe", O_RDONLY) < 0)
			die("open");
	at = map(page * (atoi(argv[4]) + 1));
	for (int i = 0; i < atoi(argv[4]); i++)
		if (i % 2 && mprotect(at + i * page, page, PROT_READ) < 0)
			die("mprotect");
	memory = (size_t)atoi(argv[5]) << 20;
	if (memory > 0) {
		at = map(memory);
		for (size_t i = 0; i < memory; i += page)
			*(size_t *)(at + i) = i + 1;
	}
	for (int i = 1; i < atoi(argv[2]); i++) {
		pid_t child = fork();

		if (child < 0)
			die("fork");
		if (child == 0)
			sleep_forever();
	}
	ready(argv[1]);
	sleep_forever();
}
