/* The parent of everything that a test stages.
 *
 *     supervisor CLEAN-UP ARGUMENT ...
 *
 * It is a subreaper, so that tasks which CRIU leaves behind become its children, and it reaps at
 * once, so that their numbers are free for the next restore. When its stdin closes (the test ended
 * or died) it kills every descendant and becomes the command CLEAN-UP: no test can leave a process
 * behind. It works in a child of the process that was started, as `bun test` kills what a test
 * started when its time is over; then too the child cleans up.
 *
 * stdin, one line a command, fields separated by tabs:
 *     STDOUT-FILE STDERR-FILE CWD ARGV0 ARGV1 ...
 * stdout, one line an event:
 *     supervisor PID      the first line
 *     started PID         the command of the line before (in its own session, stdin on /dev/null)
 *     exited PID STATUS   any child, adopted ones too; STATUS is wait(2)'s
 */
#include "workload.h"
#include <poll.h>
#include <sys/signalfd.h>

static char line[1 << 16];
static size_t filled;

static void redirect(const char *path, int flags, int fd)
{
	int opened = open(path, flags, 0644);

	if (opened < 0)
		die(path);
	if (opened != fd) {
		dup2(opened, fd);
		close(opened);
	}
}

static void start(char *command)
{
	char *field[1024], *rest = command;
	int n = 0;
	pid_t pid;

	while (n < 1023 && (field[n] = strsep(&rest, "\t")))
		n++;
	field[n] = NULL;
	if (n < 4) {
		fprintf(stderr, "supervisor: a command of %d fields\n", n);
		exit(2);
	}
	pid = fork();
	if (pid < 0)
		die("fork");
	if (pid == 0) {
		sigset_t none;

		sigemptyset(&none);
		sigprocmask(SIG_SETMASK, &none, NULL);
		setsid();
		redirect("/dev/null", O_RDONLY, 0);
		redirect(field[0], O_WRONLY | O_CREAT | O_APPEND, 1);
		redirect(field[1], O_WRONLY | O_CREAT | O_APPEND, 2);
		if (chdir(field[2]) < 0)
			die(field[2]);
		execvp(field[3], field + 3);
		fprintf(stderr, "%s: %s\n", field[3], strerror(errno));
		_exit(127);
	}
	printf("started %d\n", pid);
}

static void reap(void)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		printf("exited %d %d\n", pid, status);
}

/* Returns 0 when stdin is at its end. */
static int read_commands(void)
{
	ssize_t got = read(0, line + filled, sizeof(line) - filled);
	char *from = line, *newline;

	if (got <= 0)
		return 0;
	filled += got;
	while ((newline = memchr(from, '\n', line + filled - from))) {
		*newline = 0;
		start(from);
		from = newline + 1;
	}
	filled -= from - line;
	memmove(line, from, filled);
	return filled < sizeof(line);
}

/* Children of killed children come to us, so killing goes on until there are none. */
static void kill_all(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", getpid());
	for (;;) {
		FILE *children = fopen(path, "r");
		int pid, any = 0;

		while (children && fscanf(children, "%d", &pid) == 1) {
			kill(pid, SIGKILL);
			any = 1;
		}
		if (children)
			fclose(children);
		if (!any)
			return;
		sleep_ms(1);
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
	}
}

/* The process that was started: waits for the supervisor and ends as it does. */
static void stand_in(pid_t supervisor)
{
	int status;
	sigset_t none;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	close(0);
	close(1);
	while (waitpid(supervisor, &status, 0) < 0 && errno == EINTR)
		;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

int main(int argc, char **argv)
{
	struct pollfd fds[2] = { { 0, POLLIN, 0 }, { -1, POLLIN, 0 } };
	struct signalfd_siginfo info;
	pid_t parent = getpid(), child;
	sigset_t set;

	if (argc < 2)
		return 2;
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	child = fork();
	if (child < 0)
		die("fork");
	if (child > 0)
		stand_in(child);

	if (prctl(PR_SET_CHILD_SUBREAPER, 1) < 0)
		die("PR_SET_CHILD_SUBREAPER");
	prctl(PR_SET_NAME, "stage-init");
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		raise(SIGTERM);
	setsid();
	signal(SIGPIPE, SIG_IGN);
	fds[1].fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fds[1].fd < 0)
		die("signalfd");
	setvbuf(stdout, NULL, _IOLBF, BUFSIZ);
	printf("supervisor %d\n", getpid());

	for (;;) {
		if (poll(fds, 2, -1) < 0 && errno != EINTR)
			die("poll");
		if (fds[1].revents & POLLIN && read(fds[1].fd, &info, sizeof(info)) > 0) {
			reap();
			if (info.ssi_signo == SIGTERM)
				break;
		}
		if (fds[0].revents && !read_commands())
			break;
	}
	kill_all();
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	signal(SIGPIPE, SIG_DFL);
	execvp(argv[1], argv + 1);
	die(argv[1]);
}
