/* SPDX-License-Identifier: MIT */
/*
 * many sockets N       N UDP sockets in one process
 * many processes N     N processes with one UDP socket each
 * many threads T N     T threads and N listening sockets in one process
 * many forks RATE SECONDS   RATE processes a second that live for a moment, holding a socket
 * Prints {"pid","n"}.
 */
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "helper.h"

static void many_sockets(unsigned int n)
{
	raise_descriptor_limit();
	for (unsigned int i = 0; i < n; i++)
		inet_bound(SOCK_DGRAM, LOOPBACK + i / 20000, 0, false);
	printf("{\"pid\":%d,\"n\":%u}\n", getpid(), n);
}

static void many_processes(unsigned int n)
{
	int ends[2];
	char c;

	must(pipe(ends), "pipe");
	for (unsigned int i = 0; i < n; i++) {
		if (fork_child())
			continue;
		inet_bound(SOCK_DGRAM, LOOPBACK, 0, false);
		must((int)write(ends[1], "x", 1), "write");
		for (;;)
			pause();
	}
	for (unsigned int i = 0; i < n; i++)
		must((int)read(ends[0], &c, 1), "read");
	printf("{\"pid\":%d,\"n\":%u}\n", getpid(), n);
}

static void *idle(void *arg)
{
	for (;;)
		pause();
	return arg;
}

static void many_threads(unsigned int threads, unsigned int sockets)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (unsigned int i = 0; i < threads; i++)
		must(-pthread_create(&thread, &attr, idle, NULL), "thread");
	for (unsigned int i = 0; i < sockets; i++)
		tcp_listener(LOOPBACK, 0, 5);
	printf("{\"pid\":%d,\"n\":%u}\n", getpid(), sockets);
}

static void fork_storm(unsigned int rate, unsigned int seconds)
{
	struct pace pace = { 0 };

	signal(SIGCHLD, SIG_IGN);
	say_ready();
	double end = now() + seconds;
	while (now() < end && !end_is_near()) {
		if (!fork_child()) {
			inet_bound(SOCK_DGRAM, LOOPBACK, 0, false);
			usleep(2000);
			_exit(0);
		}
		pace_step(&pace, rate);
	}
	printf("%llu\n", (unsigned long long)pace.steps);
}

int main(int argc, char **argv)
{
	const char *what = argc > 2 ? argv[1] : "";

	helper_begin(600);
	if (!strcmp(what, "sockets"))
		many_sockets(number(argv[2], 19900));
	else if (!strcmp(what, "processes"))
		many_processes(number(argv[2], 10000));
	else if (!strcmp(what, "threads") && argc == 4)
		many_threads(number(argv[2], 4000), number(argv[3], 10000));
	else if (!strcmp(what, "forks") && argc == 4) {
		fork_storm(number(argv[2], 5000), number(argv[3], 300));
		return 0;
	} else {
		die("usage: many sockets N | processes N | threads T N | forks RATE SECONDS");
	}
	say_ready();
	wait_for_end();
	return 0;
}
