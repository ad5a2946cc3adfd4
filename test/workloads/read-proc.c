/* What the kernel takes to tell all that a verification asks of a tree, for the benchmarks.
 *
 *     read-proc PID  prints: processes, microseconds
 *
 * The calls that recriu makes for each process below PID, and none that it could do without: its state and status at
 * both points of the gate, threads, children, namespaces, descriptors, mappings, program, directory, limits, scheduling,
 * oom_score_adj, personality. Nothing is looked at.
 */
#include "workload.h"
#include <dirent.h>
#include <sched.h>
#include <sys/resource.h>

static char space[1 << 16];

static void look(int directory, const char *name)
{
	int fd = openat(directory, name, O_RDONLY);

	if (fd < 0)
		return;
	while (read(fd, space, sizeof(space)) > 0)
		;
	close(fd);
}

static void look_at(pid_t pid)
{
	static const char *namespaces[] = { "ns/pid", "ns/net", "ns/ipc", "ns/uts", "ns/mnt", "ns/user", "exe", "cwd" };
	static const char *files[] = { "stat", "status", "stat", "status", "maps", "oom_score_adj", "personality" };
	char path[64];
	struct rlimit limit;
	struct sched_param param;
	struct dirent *entry;
	int directory;
	DIR *list;

	snprintf(path, sizeof(path), "/proc/%d", pid);
	directory = open(path, O_PATH | O_DIRECTORY);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		look(directory, files[i]);
	for (size_t i = 0; i < sizeof(namespaces) / sizeof(*namespaces); i++)
		if (readlinkat(directory, namespaces[i], space, sizeof(space)) < 0)
			break;
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	list = opendir(path);
	while (list && readdir(list))
		;
	if (list)
		closedir(list);
	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	list = opendir(path);
	while (list && (entry = readdir(list)))
		if (entry->d_name[0] != '.') {
			if (readlinkat(dirfd(list), entry->d_name, space, sizeof(space)) < 0)
				continue;
			snprintf(path, sizeof(path), "fdinfo/%.20s", entry->d_name);
			look(directory, path);
		}
	if (list)
		closedir(list);
	for (int resource = 0; resource < 16; resource++)
		prlimit(pid, resource, NULL, &limit);
	sched_getscheduler(pid);
	sched_getparam(pid, &param);
	getpriority(PRIO_PROCESS, pid);
	close(directory);
}

static int walk(pid_t pid)
{
	char path[64];
	int child, count = 1;
	FILE *children;

	look_at(pid);
	snprintf(path, sizeof(path), "/proc/%d/task/%d/children", pid, pid);
	children = fopen(path, "r");
	while (children && fscanf(children, "%d", &child) == 1)
		count += walk(child);
	if (children)
		fclose(children);
	return count;
}

int main(int argc, char **argv)
{
	struct timespec start, end;
	int count;

	if (argc != 2)
		return 2;
	clock_gettime(CLOCK_MONOTONIC, &start);
	count = walk(atoi(argv[1]));
	clock_gettime(CLOCK_MONOTONIC, &end);
	printf("%d %lld\n", count, (end.tv_sec - start.tv_sec) * 1000000LL + (end.tv_nsec - start.tv_nsec) / 1000);
	return 0;
}
