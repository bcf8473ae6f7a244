/* SPDX-License-Identifier: MIT */
/*
 * talkers N: N loopback conversations, both ends held by this one process. Prints "ready", waits
 * for the end of standard input. Copied under many names it makes a host of many programs.
 */
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

static int must(int r, const char *what)
{
	if (r < 0) {
		perror(what);
		exit(1);
	}
	return r;
}

int main(int argc, char **argv)
{
	struct sockaddr_in addr = { .sin_family = AF_INET,
				    .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t len = sizeof(addr);
	long n = argc > 1 ? strtol(argv[1], NULL, 10) : 1;
	int listener;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	alarm(600);
	listener = must(socket(AF_INET, SOCK_STREAM, 0), "socket");
	must(bind(listener, (struct sockaddr *)&addr, len), "bind");
	must(listen(listener, (int)n), "listen");
	must(getsockname(listener, (struct sockaddr *)&addr, &len), "getsockname");
	for (long i = 0; i < n; i++) {
		int fd = must(socket(AF_INET, SOCK_STREAM, 0), "socket");

		must(connect(fd, (struct sockaddr *)&addr, len), "connect");
		must(accept(listener, NULL, NULL), "accept");
	}
	puts("ready");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
