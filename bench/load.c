/* SPDX-License-Identifier: MIT */
/*
 * load N: N loopback conversations in this network namespace, both ends held, spread over processes
 * of at most 8,000 sockets; and one listener for each 1,000. Prints "ready", waits for the end of
 * standard input. Bound to an hour and to its parent's life.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_CONVERSATIONS 200000
#define PER_PROCESS 4000 /* conversations; each has two sockets */
#define PER_LISTENER 1000
#define FIRST_PORT 20000 /* listeners: one port for each, outside the ephemeral range */

static int must(int r, const char *what)
{
	if (r < 0) {
		perror(what);
		exit(1);
	}
	return r;
}

static struct sockaddr_in address(unsigned int listener)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
				     .sin_port = htons((uint16_t)(FIRST_PORT + listener)),
				     .sin_addr.s_addr = htonl(INADDR_LOOPBACK + listener) };
}

static int listen_at(const struct sockaddr_in *sa)
{
	int one = 1, fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");

	must(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one)), "SO_REUSEADDR");
	must(bind(fd, (const struct sockaddr *)sa, sizeof(*sa)), "bind");
	must(listen(fd, 64), "listen");
	return fd;
}

static void converse(const struct sockaddr_in *sa, int listener)
{
	int client = must(socket(AF_INET, SOCK_STREAM, 0), "socket");

	must(connect(client, (const struct sockaddr *)sa, sizeof(*sa)), "connect");
	must(accept(listener, NULL, NULL), "accept");
}

/* conversations first..end-1, and their listeners */
static void hold(unsigned int first, unsigned int end)
{
	int listener = -1;

	for (unsigned int i = first; i < end; i++) {
		struct sockaddr_in sa = address(i / PER_LISTENER);

		if (i == first || i % PER_LISTENER == 0)
			listener = listen_at(&sa);
		converse(&sa, listener);
	}
}

static pid_t start_holder(unsigned int first, unsigned int end, int done)
{
	pid_t pid = must(fork(), "fork");

	if (pid)
		return pid;
	must(prctl(PR_SET_PDEATHSIG, SIGKILL), "PR_SET_PDEATHSIG");
	hold(first, end);
	must((int)write(done, "x", 1), "write");
	for (;;)
		pause();
}

static void raise_descriptor_limit(void)
{
	struct rlimit limit;

	must(getrlimit(RLIMIT_NOFILE, &limit), "getrlimit");
	limit.rlim_cur = limit.rlim_max;
	must(setrlimit(RLIMIT_NOFILE, &limit), "setrlimit");
}

int main(int argc, char **argv)
{
	unsigned long n = argc == 2 ? strtoul(argv[1], NULL, 10) : 0;
	pid_t holders[MAX_CONVERSATIONS / PER_PROCESS];
	size_t n_holders = 0;
	int done[2];
	char c;

	if (!n || n > MAX_CONVERSATIONS) {
		fprintf(stderr, "usage: load N (up to %d)\n", MAX_CONVERSATIONS);
		return 2;
	}
	must(prctl(PR_SET_PDEATHSIG, SIGKILL), "PR_SET_PDEATHSIG");
	alarm(3600);
	raise_descriptor_limit();
	must(pipe(done), "pipe");
	for (unsigned int i = 0; i < n; i += PER_PROCESS) {
		holders[n_holders++] = start_holder(
			i, (unsigned int)(n - i < PER_PROCESS ? n : i + PER_PROCESS), done[1]);
		if (read(done[0], &c, 1) != 1)
			return 1;
	}
	close(done[1]);
	puts("ready");
	fflush(stdout);
	while (read(STDIN_FILENO, &c, 1) > 0)
		;
	/* the next load binds the same ports */
	for (size_t i = 0; i < n_holders; i++) {
		kill(holders[i], SIGKILL);
		waitpid(holders[i], NULL, 0);
	}
	return 0;
}
