/* Seccomp filters.
 *
 *     seccomp READY lax|strict        a sleeping task under a filter that allows everything, or that
 *                                     kills it at any call but ppoll(2), exit(2) and sigreturn
 *     seccomp run COMMAND ...         becomes the command, under a filter that allows everything
 */
#include "workload.h"
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>

#define ALLOW BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)
#define ALLOW_CALL(nr) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1), ALLOW

static void install(struct sock_filter *filter, size_t length)
{
	struct sock_fprog program = { .len = length, .filter = filter };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		die("PR_SET_NO_NEW_PRIVS");
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) < 0)
		die("SECCOMP_SET_MODE_FILTER");
}

int main(int argc, char **argv)
{
	struct sock_filter lax[] = { ALLOW };
	struct sock_filter strict[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW_CALL(__NR_ppoll),
		ALLOW_CALL(__NR_exit_group),
		ALLOW_CALL(__NR_rt_sigreturn),
		ALLOW_CALL(__NR_restart_syscall),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};

	if (argc > 2 && !strcmp(argv[1], "run")) {
		install(lax, 1);
		execvp(argv[2], argv + 2);
		die(argv[2]);
	}
	if (argc != 3)
		return 2;
	ready(argv[1]);
	if (!strcmp(argv[2], "lax"))
		install(lax, 1);
	else
		install(strict, sizeof(strict) / sizeof(*strict));
	for (;;)
		syscall(__NR_ppoll, NULL, 0, NULL, NULL, 0);
}
