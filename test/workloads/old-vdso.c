/* For LD_PRELOAD: shows a program the vdso in /proc/PID/maps and smaps as kernels before 6.13 had it.
 *
 * Since then [vvar_vclock] lies between [vvar] and [vdso], at which CRIU 3.17.1 stops before all else.
 * Here both are one [vvar].
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int without_vclock(int maps)
{
	int shown = memfd_create("maps", MFD_CLOEXEC);
	FILE *in = fdopen(maps, "r");
	unsigned long from, to, start = 0;
	bool in_vvar = false;
	char line[8192], rest[8192];

	if (shown < 0 || !in)
		abort();
	while (fgets(line, sizeof(line), in)) {
		/* In smaps, lines about a mapping follow its own: of the two mappings those of the second stay. */
		if (sscanf(line, "%lx-%lx %[^\n]", &from, &to, rest) == 3) {
			in_vvar = strstr(rest, "[vvar]");
			if (in_vvar)
				start = from;
			else if (strstr(rest, "[vvar_vclock]"))
				sprintf(line, "%lx-%lx r--p 00000000 00:00 0 [vvar]\n", start, to);
		}
		if (!in_vvar)
			dprintf(shown, "%s", line);
	}
	fclose(in);
	lseek(shown, 0, SEEK_SET);
	return shown;
}

int openat64(int dir, const char *path, int flags, ...)
{
	int (*real)(int, const char *, int, ...) = dlsym(RTLD_NEXT, "openat64");
	size_t length = strlen(path);
	va_list rest;
	int mode, fd;

	va_start(rest, flags);
	mode = va_arg(rest, int);
	va_end(rest);
	fd = real(dir, path, flags, mode);
	return fd >= 0 && length >= 4 && !strcmp(path + length - 4, "maps") ? without_vclock(fd) : fd;
}
