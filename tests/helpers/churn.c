/* SPDX-License-Identifier: MIT */
/*
 * churn steady N: N loopback conversations, both ends held; {"cookie","inode","pid"} for each end.
 * churn peers N: conversations with 127.7.0.0 and the N-1 addresses after it.
 * churn reset|fin RATE SECONDS: RATE connections a second are opened and closed, spread over 16
 * destinations; "fin" leaves the client end in TIME_WAIT, "reset" leaves nothing.
 */
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "helper.h"

#define N_DESTINATIONS 16

static void print_end(int fd)
{
	printf("{\"cookie\":%llu,\"inode\":%llu,\"pid\":%d}\n", (unsigned long long)cookie_of(fd),
	       (unsigned long long)inode_of(fd), getpid());
}

static void make_steady(unsigned int n)
{
	int listener = tcp_listener(LOOPBACK, 0, 128);
	uint16_t port = port_of(listener);

	for (unsigned int i = 0; i < n; i++) {
		print_end(tcp_connect(LOOPBACK, port, false));
		print_end(must(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept"));
	}
	say_ready();
	wait_for_end();
}

/* one listener each, on port 7000 */
static void make_peers(unsigned int n)
{
	for (unsigned int i = 0; i < n; i++) {
		int listener = tcp_listener(0x7f070000 + i, 7000, 1);

		print_end(tcp_connect(0x7f070000 + i, 7000, false));
		print_end(must(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept"));
	}
	say_ready();
	wait_for_end();
}

static void reset_on_close(int fd)
{
	struct linger linger = { .l_onoff = 1, .l_linger = 0 };

	must(setsockopt(fd, SOL_SOCKET, SO_LINGER, &linger, sizeof(linger)), "SO_LINGER");
}

static void open_and_close(const int *listeners, unsigned int i, bool reset)
{
	uint32_t addr = LOOPBACK + 0x100 + i % N_DESTINATIONS;
	int listener = listeners[i % N_DESTINATIONS];
	int client = tcp_connect(addr, port_of(listener), false);
	int server = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept");

	if (reset)
		reset_on_close(client);
	close(client);
	close(server);
}

static void churn(bool reset, unsigned int rate, unsigned int seconds)
{
	int listeners[N_DESTINATIONS];
	struct pace pace = { 0 };

	for (unsigned int i = 0; i < N_DESTINATIONS; i++)
		listeners[i] = tcp_listener(LOOPBACK + 0x100 + i, 0, 16);
	say_ready();
	double end = now() + seconds;
	for (unsigned int i = 0; i % 64 || (now() < end && !end_is_near()); i++) {
		open_and_close(listeners, i, reset);
		pace_step(&pace, rate);
	}
	printf("%llu\n", (unsigned long long)pace.steps);
}

int main(int argc, char **argv)
{
	helper_begin(600);
	raise_descriptor_limit();
	if (argc == 3 && !strcmp(argv[1], "steady"))
		make_steady(number(argv[2], 9000));
	else if (argc == 3 && !strcmp(argv[1], "peers"))
		make_peers(number(argv[2], 255));
	else if (argc == 4)
		churn(!strcmp(argv[1], "reset"), number(argv[2], 30000), number(argv[3], 300));
	else
		die("usage: churn steady N | peers N | reset|fin RATE SECONDS");
	return 0;
}
