/* A task with files open that have no name any more.
 *
 *     ghost READY FILE [COUNT]
 *
 * With COUNT there are as many, FILE.0 and so on.
 */
#include "workload.h"

static void deleted(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL, 0600);

	if (fd < 0)
		die(path);
	if (write(fd, "ghost", 5) != 5)
		die("write");
	if (unlink(path) < 0)
		die("unlink");
}

int main(int argc, char **argv)
{
	char path[4096];
	int i;

	if (argc < 3)
		return 2;
	if (argc == 3)
		deleted(argv[2]);
	else
		for (i = 0; i < atoi(argv[3]); i++) {
			snprintf(path, sizeof(path), "%s.%d", argv[2], i);
			deleted(path);
		}
	ready(argv[1]);
	sleep_forever();
}
