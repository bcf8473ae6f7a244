/* SPDX-License-Identifier: MIT */
/*
 * pidreuse SECONDS: one process id, taken by a new process every two milliseconds. Each is named
 * "own" and the port it listens on, so an owner is right exactly when its name ends in the port.
 * Needs a pid namespace of its own, where the id is free. Prints the number of reuses at the end.
 */
#include <errno.h>
#include <linux/sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper.h"

#define REUSED_PID 4242
#define FIRST_PORT 10000
#define N_PORTS 20000
#define N_LASTING 10

static void live_briefly(unsigned int port, bool lasting)
{
	char name[16];

	follow_parent();
	snprintf(name, sizeof(name), "own%u", port);
	prctl(PR_SET_NAME, name);
	tcp_listener(LOOPBACK, (uint16_t)port, 5);
	if (lasting)
		for (;;)
			pause();
	usleep(1500);
	_exit(0);
}

static void reuse_once(unsigned int port)
{
	pid_t wanted = REUSED_PID;
	struct clone_args args = { .exit_signal = SIGCHLD,
				   .set_tid = (uintptr_t)&wanted,
				   .set_tid_size = 1 };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0)
		skip("clone3 with set_tid");
	if (!pid)
		live_briefly(port, false);
	must(waitpid((pid_t)pid, NULL, 0), "waitpid");
}

int main(int argc, char **argv)
{
	if (argc != 2)
		die("usage: pidreuse SECONDS");
	helper_begin(300);
	for (unsigned int i = 0; i < N_LASTING; i++)
		if (!fork_child())
			live_briefly(FIRST_PORT - 1 - i, true);
	reuse_once(FIRST_PORT);
	say_ready();
	double end = now() + number(argv[1], 200);
	unsigned long n = 1;
	for (; now() < end && !end_is_near(); n++)
		reuse_once(FIRST_PORT + (unsigned int)(n % N_PORTS));
	printf("%lu\n", n);
	return 0;
}
