/* SPDX-License-Identifier: MIT */
/*
 * timed COMMAND...: runs it with its output thrown away and prints wall seconds, user seconds,
 * system seconds, peak KiB and exit status. Small by intention: a child begins with the peak memory
 * of the process that forked it.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static double seconds(struct timeval tv)
{
	return (double)tv.tv_sec + (double)tv.tv_usec / 1e6;
}

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec + (double)ts.tv_nsec / 1e9;
}

int main(int argc, char **argv)
{
	struct rusage usage;
	int status, nowhere = open("/dev/null", O_RDWR);

	if (argc < 2 || nowhere < 0)
		return 2;
	double begin = now();
	pid_t pid = fork();
	if (pid == 0) {
		dup2(nowhere, STDIN_FILENO);
		dup2(nowhere, STDOUT_FILENO);
		dup2(nowhere, STDERR_FILENO);
		execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0)
		return 1;
	printf("%.6f %.6f %.6f %ld %d\n", now() - begin, seconds(usage.ru_utime),
	       seconds(usage.ru_stime), usage.ru_maxrss,
	       WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}
