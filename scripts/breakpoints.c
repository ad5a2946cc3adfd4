/* Exit 0 where a hardware breakpoint stops a traced process (ptrace(2), PTRACE_POKEUSER of a debug register), 1 where it
 * does not, as in some virtual machines. CRIU before 4.2 waits for such a stop for ever.
 */
#include <signal.h>
#include <stddef.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

static void __attribute__((noinline)) here(void)
{
	__asm__ volatile("nop");
}

int main(void)
{
#if defined(__x86_64__)
	int status, stopped;
	pid_t child = fork();

	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, 0, 0);
		raise(SIGSTOP);
		here();
		_exit(0);
	}
	waitpid(child, &status, 0);
	ptrace(PTRACE_POKEUSER, child, offsetof(struct user, u_debugreg[0]), (void *)here);
	ptrace(PTRACE_POKEUSER, child, offsetof(struct user, u_debugreg[7]), (void *)1);
	ptrace(PTRACE_CONT, child, 0, 0);
	waitpid(child, &status, 0);
	stopped = WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP;
	kill(child, SIGKILL);
	return !stopped;
#else
	return 0;
#endif
}
