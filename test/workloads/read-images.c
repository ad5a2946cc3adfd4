/* read-images DIR: opens and reads every image in it but page data, and prints the microseconds that it took. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static char bytes[4 << 20];

int main(int argc, char **argv)
{
	struct timespec from, to;
	struct dirent *entry;
	struct stat stat;
	DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;

	if (dir == NULL) {
		perror("read-images");
		return 1;
	}
	clock_gettime(CLOCK_MONOTONIC, &from);
	while ((entry = readdir(dir)) != NULL) {
		const char *end = strstr(entry->d_name, ".img");
		int fd;

		if (end == NULL || strncmp(entry->d_name, "pages-", 6) == 0)
			continue;
		fd = openat(dirfd(dir), entry->d_name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || fstat(fd, &stat) < 0 || read(fd, bytes, sizeof(bytes)) != stat.st_size) {
			perror(entry->d_name);
			return 1;
		}
		close(fd);
	}
	clock_gettime(CLOCK_MONOTONIC, &to);
	printf("%lld\n", (to.tv_sec - from.tv_sec) * 1000000LL + (to.tv_nsec - from.tv_nsec) / 1000);
	return 0;
}
