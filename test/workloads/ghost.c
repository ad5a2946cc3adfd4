/* A task with a file open that has no name any more.
 *
 *     ghost READY FILE
 */
#include "workload.h"

int main(int argc, char **argv)
{
	int fd;

	if (argc != 3)
		return 2;
	fd = open(argv[2], O_RDWR | O_CREAT | O_EXCL, 0600);
	if (fd < 0)
		die(argv[2]);
	if (write(fd, "ghost", 5) != 5)
		die("write");
	if (unlink(argv[2]) < 0)
		die("unlink");
	ready(argv[1]);
	sleep_forever();
}
