/* A task at some limit of the kernel, without CAP_SYS_RAWIO and CAP_SYS_RESOURCE.
 *
 *     memory READY low|huge|shared-huge|large|reserved|inherited|plain|full MIB|many COUNT|fd NUMBER
 *
 * low: a page at 0x2000. huge, shared-huge: two huge pages. large: one mapping twice as large as memory.
 * reserved: as many addresses, without access; inherited: a child has them too.
 * many: COUNT mappings. fd: /dev/null under NUMBER. plain: 64 pages that can be told apart.
 * full: so many MiB, all of them written to.
 */
#include "workload.h"
#include <linux/capability.h>
#include <sys/mman.h>
#include <sys/sysinfo.h>

static void map(void *at, size_t length, int protection, int flags)
{
	char *page = mmap(at, length, protection, (flags & MAP_SHARED ? 0 : MAP_PRIVATE) | MAP_ANONYMOUS | flags, -1, 0);

	if (page == MAP_FAILED)
		die("mmap");
	if (protection & PROT_WRITE)
		*page = 1;
}

static void drop(int capability)
{
	struct __user_cap_header_struct header = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2];

	if (prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) < 0)
		die("PR_CAPBSET_DROP");
	if (syscall(SYS_capget, &header, data) < 0)
		die("capget");
	data[0].effective &= ~(1u << capability);
	data[0].permitted &= ~(1u << capability);
	data[0].inheritable &= ~(1u << capability);
	if (syscall(SYS_capset, &header, data) < 0)
		die("capset");
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[2] : "";
	int number = argc > 3 ? atoi(argv[3]) : 0;
	struct sysinfo info;

	if (!strcmp(what, "low")) {
		map((void *)0x2000, 4096, PROT_READ | PROT_WRITE, MAP_FIXED);
	} else if (!strcmp(what, "huge")) {
		map(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_HUGETLB);
	} else if (!strcmp(what, "shared-huge")) {
		map(NULL, 4 << 20, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_HUGETLB);
	} else if (!strcmp(what, "large")) {
		if (sysinfo(&info) < 0)
			die("sysinfo");
		map(NULL, 2 * (info.totalram + info.totalswap) * info.mem_unit, PROT_READ | PROT_WRITE, 0);
	} else if (!strcmp(what, "reserved") || !strcmp(what, "inherited")) {
		if (sysinfo(&info) < 0)
			die("sysinfo");
		map(NULL, 2 * (info.totalram + info.totalswap) * info.mem_unit, PROT_NONE, 0);
		if (!strcmp(what, "inherited") && fork() == 0)
			sleep_forever();
	} else if (!strcmp(what, "many")) {
		/* Every other one is protected otherwise, so that the kernel cannot join them. */
		for (int i = 0; i < number; i++)
			map(NULL, 4096, i & 1 ? PROT_READ : PROT_READ | PROT_WRITE, 0);
	} else if (!strcmp(what, "fd")) {
		if (dup2(0, number) < 0)
			die("dup2");
	} else if (!strcmp(what, "full")) {
		for (int i = 0; i < number * 256; i++)
			map(NULL, 4096, PROT_READ | PROT_WRITE, 0);
	} else if (!strcmp(what, "plain")) {
		for (int i = 0; i < 64; i++)
			map(NULL, 4096, PROT_READ | PROT_WRITE, 0);
	} else {
		return 2;
	}
	drop(CAP_SYS_RAWIO);
	drop(CAP_SYS_RESOURCE);
	ready(argv[1]);
	sleep_forever();
}
