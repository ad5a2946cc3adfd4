/* A task that shares a file by a mapping, writes to one, maps one privately and appends to one.
 *
 *     shares READY SHARED WRITTEN PRIVATE APPENDED
 *
 * Each has to be there, of a page at least but for the last; the descriptors of the mapped ones are closed.
 */
#include "workload.h"
#include <sys/mman.h>

static void map(const char *path, int flags, int prot)
{
	int fd = open(path, prot & PROT_WRITE ? O_RDWR : O_RDONLY);

	if (fd < 0 || mmap(NULL, 4096, prot, flags, fd, 0) == MAP_FAILED)
		die(path);
	close(fd);
}

int main(int argc, char **argv)
{
	if (argc != 6)
		return 2;
	map(argv[2], MAP_SHARED, PROT_READ | PROT_WRITE);
	map(argv[4], MAP_PRIVATE, PROT_READ);
	if (open(argv[3], O_RDWR) < 0 || open(argv[5], O_WRONLY | O_APPEND) < 0)
		die(argv[3]);
	ready(argv[1]);
	sleep_forever();
}
