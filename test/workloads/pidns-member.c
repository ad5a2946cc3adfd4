/* A pid namespace with an init (`pidns-init`) and a second task (`member`), which leads a session of
 * its own and is no child of the init.
 *
 *     pidns-member READY
 *
 * Its number there is 77, so that another one of that number can take its place.
 */
#include "workload.h"

int main(int argc, char **argv)
{
	pid_t init, member, wanted[2] = { 77, 0 };
	struct clone_args args = { .exit_signal = SIGCHLD, .set_tid_size = 1 };
	int own, inner;
	char path[64];

	if (argc != 2)
		return 2;
	own = open("/proc/self/ns/pid", O_RDONLY);
	if (own < 0 || unshare(CLONE_NEWPID) < 0)
		die("unshare");
	init = fork();
	if (init < 0)
		die("fork of the init");
	if (init == 0) {
		prctl(PR_SET_NAME, "pidns-init");
		signal(SIGCHLD, SIG_IGN);
		sleep_forever();
	}
	snprintf(path, sizeof(path), "/proc/%d/ns/pid", init);
	inner = open(path, O_RDONLY);
	if (inner < 0 || setns(inner, CLONE_NEWPID) < 0)
		die("setns");
	args.set_tid = (uintptr_t)wanted;
	member = syscall(SYS_clone3, &args, sizeof(args));
	if (member < 0)
		die("clone3");
	if (member == 0) {
		prctl(PR_SET_NAME, "member");
		close(inner);
		close(own);
		if (setsid() < 0)
			die("setsid");
		ready(argv[1]);
		sleep_forever();
	}
	waitpid(member, NULL, 0);
	sleep_forever();
}
