/* Memory of every kind that a checkpoint has contents of.
 *
 *     contents READY FILE
 *
 * Private memory, some of it behind PROT_NONE, some written with zeros, some never touched; a huge mapping of which
 * one page is used; shared memory without and with a name (memfd), used in parts; FILE mapped privately, one page of it
 * written; an AIO ring; a thread; and a child that has changed every second page of what it shared with its parent.
 */
#include "workload.h"
#include <linux/aio_abi.h>
#include <sys/mman.h>

enum { PAGE = 4096, PAGES = 600 };

static char *map(size_t pages, int prot, int flags, int fd)
{
	char *at = mmap(NULL, pages * PAGE, prot, flags, fd, 0);

	if (at == MAP_FAILED)
		die("mmap");
	return at;
}

static void fill(char *at, int from, int to, int step, char what)
{
	for (int i = from; i < to; i += step)
		memset(at + i * PAGE, what + i % 20, PAGE);
}

static void *nothing(void *arg)
{
	(void)arg;
	sleep_forever();
}

int main(int argc, char **argv)
{
	int anonymous = MAP_PRIVATE | MAP_ANONYMOUS, rw = PROT_READ | PROT_WRITE, fd;
	char *private, *none, *shared, *named, *file, *sparse;
	aio_context_t ring = 0;
	pthread_t thread;

	if (argc != 3)
		return 2;
	/* No neighbour has these rights, so that the kernel joins it with none. */
	private = map(PAGES, rw | PROT_EXEC, anonymous, -1);
	fill(private, 0, PAGES / 2, 1, 'a');
	fill(private, PAGES / 2, PAGES / 2 + 50, 2, 'b');
	memset(private + (PAGES - 20) * PAGE, 0, 10 * PAGE);
	none = map(8, rw, anonymous, -1);
	fill(none, 0, 8, 1, 'c');
	if (mprotect(none, 8 * PAGE, PROT_NONE) < 0)
		die("mprotect");
	sparse = map(1ul << 26, rw, anonymous | MAP_NORESERVE, -1);
	sparse[(size_t)PAGE << 20] = 1;
	shared = map(64, rw, MAP_SHARED | MAP_ANONYMOUS, -1);
	fill(shared, 3, 40, 3, 'd');
	fd = memfd_create("named", 0);
	if (fd < 0 || ftruncate(fd, 32 * PAGE) < 0)
		die("memfd");
	named = map(32, rw, MAP_SHARED, fd);
	fill(named, 1, 32, 5, 'e');
	fd = open(argv[2], O_RDONLY);
	if (fd < 0)
		die(argv[2]);
	file = map(4, rw, MAP_PRIVATE, fd);
	file[2 * PAGE] = 'f';
	if (syscall(SYS_io_setup, 16, &ring) < 0)
		die("io_setup");
	if (pthread_create(&thread, NULL, nothing, NULL))
		die("pthread_create");
	if (fork() == 0) {
		fill(private, 0, PAGES / 2, 2, 'g');
		if (munmap(private + PAGE * (PAGES / 2), 4 * PAGE) < 0)
			die("munmap");
		ready(argv[1]);
		sleep_forever();
	}
	sleep_forever();
}
