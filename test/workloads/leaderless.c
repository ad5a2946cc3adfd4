/* Its first thread has ended, the other lives for MS milliseconds: the process is shown as a zombie meanwhile.
 *
 *     leaderless READY MS
 */
#include "workload.h"
#include <pthread.h>

static void *lives(void *ms)
{
	sleep_ms(atoi(ms));
	_exit(0);
}

int main(int argc, char **argv)
{
	pthread_t thread;

	if (argc != 3)
		return 2;
	if (pthread_create(&thread, NULL, lives, argv[2]) != 0)
		die("pthread_create");
	ready(argv[1]);
	pthread_exit(NULL);
}
