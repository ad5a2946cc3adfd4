/* Tasks with terminals.
 *
 *     terminal READY pair          both ends of a pseudoterminal, which controls no session
 *     terminal READY exclusive     the same, opened exclusively (TIOCEXCL), in packet mode
 *     terminal READY master        a master end, and a child that leads the session it controls
 *     terminal READY hung-up       a slave end whose master is closed
 *     terminal READY job           this process holds the master end; a "shell" leads the session on the
 *                                  slave end; below it, a job in the foreground: 0-2 on the terminal
 *     terminal READY keeper        a "shell" that leads a session on the slave end keeps /dev/tty open;
 *                                  this process holds the master end
 *     terminal READY pairs N       N pseudoterminals, to take their numbers
 *     terminal READY open PATH     the device PATH, which becomes no controlling terminal
 */
#include "workload.h"
#include <sys/ioctl.h>
#include <termios.h>

static int open_master(char *slave, size_t size)
{
	int master = open("/dev/ptmx", O_RDWR | O_NOCTTY);

	if (master < 0 || grantpt(master) < 0 || unlockpt(master) < 0 ||
	    ptsname_r(master, slave, size) != 0)
		die("/dev/ptmx");
	return master;
}

static int open_slave(const char *path)
{
	int slave = open(path, O_RDWR | O_NOCTTY);

	if (slave < 0)
		die(path);
	return slave;
}

/* Lead a session on the terminal. */
static void lead(int slave)
{
	if (setsid() < 0 || ioctl(slave, TIOCSCTTY, 0) < 0)
		die("TIOCSCTTY");
}

static void job(int master, const char *path)
{
	int done[2];
	char byte;

	if (pipe(done) < 0)
		die("pipe");
	if (fork() == 0) {
		int slave = open_slave(path);
		pid_t child;

		prctl(PR_SET_NAME, "shell");
		close(master);
		close(done[0]);
		lead(slave);
		signal(SIGTTOU, SIG_IGN);
		child = fork();
		if (child == 0) {
			prctl(PR_SET_NAME, "job");
			if (setpgid(0, 0) < 0 || tcsetpgrp(slave, getpid()) < 0)
				die("tcsetpgrp");
			signal(SIGTTOU, SIG_DFL);
			for (int fd = 0; fd < 3; fd++)
				dup2(slave, fd);
			close(slave);
			if (write(done[1], "", 1) != 1)
				die("write");
			close(done[1]);
			signal(SIGHUP, SIG_IGN);
			sleep_forever();
		}
		close(done[1]);
		waitpid(child, NULL, 0);
		sleep_forever();
	}
	close(done[1]);
	if (read(done[0], &byte, 1) != 1)
		die("the job ended");
	close(done[0]);
}

static void keeper(int master, const char *path)
{
	int done[2];
	char byte;

	if (pipe(done) < 0)
		die("pipe");
	if (fork() == 0) {
		int slave = open_slave(path);

		prctl(PR_SET_NAME, "shell");
		close(master);
		close(done[0]);
		lead(slave);
		for (int fd = 0; fd < 3; fd++)
			dup2(slave, fd);
		close(slave);
		if (open("/dev/tty", O_RDWR) < 0)
			die("/dev/tty");
		if (write(done[1], "", 1) != 1)
			die("write");
		close(done[1]);
		sleep_forever();
	}
	close(done[1]);
	if (read(done[0], &byte, 1) != 1)
		die("the shell ended");
	close(done[0]);
}

int main(int argc, char **argv)
{
	char path[64];
	int master, slave;

	if (argc < 3)
		return 2;
	signal(SIGHUP, SIG_IGN);
	if (argc == 4 && !strcmp(argv[2], "pairs")) {
		for (int i = atoi(argv[3]); i > 0; i--)
			open_master(path, sizeof(path));
	} else if (argc == 4 && !strcmp(argv[2], "open")) {
		open_slave(argv[3]);
	} else if (!strcmp(argv[2], "pair")) {
		open_master(path, sizeof(path));
		open_slave(path);
	} else if (!strcmp(argv[2], "exclusive")) {
		int on = 1;

		master = open_master(path, sizeof(path));
		if (ioctl(open_slave(path), TIOCEXCL) < 0 || ioctl(master, TIOCPKT, &on) < 0)
			die("TIOCEXCL");
	} else if (!strcmp(argv[2], "hung-up")) {
		master = open_master(path, sizeof(path));
		open_slave(path);
		close(master);
	} else if (!strcmp(argv[2], "keeper")) {
		master = open_master(path, sizeof(path));
		keeper(master, path);
	} else if (!strcmp(argv[2], "job")) {
		master = open_master(path, sizeof(path));
		job(master, path);
	} else if (!strcmp(argv[2], "master")) {
		int done[2];
		char byte;

		if (pipe(done) < 0)
			die("pipe");
		master = open_master(path, sizeof(path));
		if (fork() == 0) {
			close(master);
			close(done[0]);
			slave = open_slave(path);
			lead(slave);
			close(slave);
			if (write(done[1], "", 1) != 1)
				die("write");
			close(done[1]);
			sleep_forever();
		}
		close(done[1]);
		if (read(done[0], &byte, 1) != 1)
			die("the child ended");
		close(done[0]);
	} else {
		return 2;
	}
	ready(argv[1]);
	while (wait(NULL) > 0)
		;
	sleep_forever();
}
