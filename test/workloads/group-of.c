/* Keeps a number in use as a process group whose leader is dead.
 *
 *     group-of READY PID
 *
 * A child takes exactly the pid PID (clone3(2), set_tid), leads a group and puts another child into
 * it; then the leader dies and is reaped.
 */
#include "workload.h"

int main(int argc, char **argv)
{
	int done[2];
	pid_t leader, member;
	char byte;

	if (argc != 3 || pipe(done) < 0)
		return 2;
	leader = fork_at(atoi(argv[2]));
	if (leader == 0) {
		if (setpgid(0, 0) < 0)
			die("setpgid");
		byte = read(done[0], &byte, 1);
		_exit(0);
	}
	while (getpgid(leader) != leader)
		usleep(1000);
	member = fork();
	if (member == 0) {
		if (setpgid(0, leader) < 0)
			die("setpgid of the member");
		sleep_forever();
	}
	while (getpgid(member) != leader)
		usleep(1000);
	if (write(done[1], "", 1) != 1)
		die("write");
	waitpid(leader, NULL, 0);
	ready(argv[1]);
	sleep_forever();
}
