/* A server in a mount and a pid namespace of its own, as a container has.
 *
 *     container READY ROOT SOCKET [TYPE SOURCE INSIDE]...
 *
 * ROOT becomes the root of a new mount namespace (pivot_root(2)), in which a copy of this program,
 * statically linked, is pid 1 and listens on SOCKET, a path inside. It makes ROOT/app, ROOT/dev/null
 * and the directories of SOCKET. At each INSIDE, which has to be there, SOURCE is mounted: TYPE is a
 * file system, `bind`, or `shared`, a bind mount that becomes a shared one; with TYPE `nested` it is mounted (a tmpfs) only in a namespace of its own, each
 * by a child that has a file open there; with `readonly` what is mounted at INSIDE is only to be read as soon as it listens; `autofs` the server mounts, and keeps both ends of the pipe. Ends when the
 * server does.
 */
#include "workload.h"
#include <libgen.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

/* A child with a mount namespace of its own. */
static void nest(const char *inside)
{
	int done[2];
	char byte;

	if (pipe(done) < 0)
		_exit(3);
	if (fork() > 0) {
		close(done[1]);
		if (read(done[0], &byte, 1) != 1)
			_exit(4);
		close(done[0]);
		return;
	}
	if (unshare(CLONE_NEWNS) < 0 || mount("none", inside, "tmpfs", 0, NULL) < 0 ||
	    chdir(inside) < 0 || open("file", O_RDWR | O_CREAT, 0600) < 0 || write(done[1], "", 1) != 1)
		_exit(5);
	close(done[0]);
	close(done[1]);
	sleep_forever();
}

static void automount(const char *inside)
{
	char options[64];
	int fds[2];

	if (pipe(fds) < 0)
		_exit(6);
	snprintf(options, sizeof(options), "fd=%d,pgrp=%d,minproto=5,maxproto=5,indirect", fds[1], getpgrp());
	if (mount("recriu", inside, "autofs", 0, options) < 0)
		_exit(7);
}

static void serve(const char *path, char **inside)
{
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	const char *readonly = NULL;
	int fd, client;

	for (fd = 0; fd < 64; fd++)
		close(fd);
	for (fd = 0; fd < 3; fd++)
		if (open("/dev/null", O_RDWR) != fd)
			_exit(1);
	for (; *inside; inside++)
		if (**inside == '=')
			readonly = *inside + 1;
		else if (**inside == '@')
			automount(*inside + 1);
		else
			nest(*inside);
	strncpy(un.sun_path, path, sizeof(un.sun_path) - 1);
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	if (fd < 0 || bind(fd, (struct sockaddr *)&un, sizeof(un)) < 0 || listen(fd, 8) < 0)
		_exit(2);
	if (readonly && mount(NULL, readonly, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
		_exit(8);
	for (;;) {
		client = accept(fd, NULL, NULL);
		if (client < 0 || write(client, "here", 4) != 4)
			continue;
		while (read(client, un.sun_path, sizeof(un.sun_path)) > 0)
			;
		close(client);
	}
}

static void copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY), out = open(to, O_WRONLY | O_CREAT | O_TRUNC, 0755);
	struct stat st;

	if (in < 0 || out < 0 || fstat(in, &st) < 0 || sendfile(out, in, NULL, st.st_size) != st.st_size)
		die(to);
	close(in);
	close(out);
}

/* Every directory of a path that ends in a file. */
static void parents(char *path)
{
	for (char *slash = strchr(path + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = 0;
		mkdir(path, 0755);
		*slash = '/';
	}
}

static void enter(const char *root, char *socket, char **mounts)
{
	char at[4096], *words[64] = { "app", socket };
	int known = 2;

	if (setsid() < 0 || unshare(CLONE_NEWNS) < 0 ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		die("private mounts");
	if (mount(root, root, NULL, MS_BIND, NULL) < 0 || chdir(root) < 0)
		die(root);
	for (; *mounts; mounts += 3) {
		int shared = !strcmp(mounts[0], "shared"), bind = shared || !strcmp(mounts[0], "bind");

		/* By the server: `@` before a path tells it to mount an autofs, `=` to have the mount there be only read. */
		if (!strcmp(mounts[0], "nested") || !strcmp(mounts[0], "autofs") || !strcmp(mounts[0], "readonly")) {
			if (known < 63 && asprintf(&words[known], "%s%s", *mounts[0] == 'a' ? "@" : *mounts[0] == 'r' ? "=" : "", mounts[2]) > 0)
				known++;
			continue;
		}
		snprintf(at, sizeof(at), "%s%s", root, mounts[2]);
		if (!strcmp(mounts[0], "unmount")) {
			if (umount2(at, MNT_DETACH) < 0)
				die(at);
			continue;
		}
		if (mount(mounts[1], at, bind ? NULL : mounts[0], bind ? MS_BIND : 0, NULL) < 0)
			die(at);
		if (shared && mount(NULL, at, NULL, MS_SHARED, NULL) < 0)
			die("MS_SHARED");
	}
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 || chdir("/") < 0)
		die("pivot_root");
	execv("/app", words);
	die("/app");
}

int main(int argc, char **argv)
{
	char at[4096], inside[4096];
	struct stat st;
	pid_t pid;

	if (!strcmp(argv[0], "app"))
		serve(argv[1], argv + 2);
	if (argc < 4 || (argc - 4) % 3)
		return 2;
	snprintf(at, sizeof(at), "%s/app", argv[2]);
	copy("/proc/self/exe", at);
	snprintf(at, sizeof(at), "%s/dev/null", argv[2]);
	parents(at);
	if (mknod(at, S_IFCHR | 0666, makedev(1, 3)) < 0 && errno != EEXIST)
		die(at);
	snprintf(inside, sizeof(inside), "%s%s", argv[2], argv[3]);
	parents(inside);
	if (unshare(CLONE_NEWPID) < 0)
		die("unshare");
	pid = fork();
	if (pid == 0)
		enter(argv[2], argv[3], argv + 4);
	/* As the server sees it: a mount may lie over its directory. */
	snprintf(inside, sizeof(inside), "/proc/%d/root%s", pid, argv[3]);
	while (stat(inside, &st) < 0) {
		if (waitpid(pid, NULL, WNOHANG) == pid)
			die("the server ended");
		sleep_ms(2);
	}
	ready(argv[1]);
	waitpid(pid, NULL, 0);
	return 0;
}
