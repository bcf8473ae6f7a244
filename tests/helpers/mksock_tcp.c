/* SPDX-License-Identifier: MIT */
/*
 * The eleven states of TCP, held still on the loopback interface, plus UDP in every variant. A
 * state that waits for a segment is held by a closed window: data that cannot be sent keeps the
 * FIN behind it from being sent.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper.h"
#include "mksock.h"

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

static int listening(enum variant variant, int protocol, int backlog)
{
	int fd = bound_socket(variant, SOCK_STREAM, protocol);

	if (fd >= 0)
		must(listen(fd, backlog), "listen");
	return fd;
}

/* a client of `listener`; of a mapped one an IPv4 client */
static int client_of(enum variant variant, int listener, int protocol, bool nonblock)
{
	struct sockaddr_storage sa;
	socklen_t len = loopback_address(variant == MAPPED ? V4 : variant, &sa);
	int fd = must(socket(sa.ss_family, SOCK_STREAM | SOCK_CLOEXEC, protocol), "socket");

	((struct sockaddr_in *)&sa)->sin_port = htons(port_of(listener));
	if (nonblock)
		fcntl(fd, F_SETFL, O_NONBLOCK);
	if (connect(fd, (struct sockaddr *)&sa, len) < 0 && errno != EINPROGRESS)
		die("connect");
	return fd;
}

static void make_pair(enum variant variant, int protocol, int *ret_client, int *ret_server)
{
	int listener = must(listening(variant, protocol, 1), "socket");

	*ret_client = client_of(variant, listener, protocol, false);
	*ret_server = must(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept");
	close(listener);
}

/* until nothing more is taken: the receiver's window is then closed */
static void fill(int fd)
{
	static const char zeros[1 << 16];
	int flags = fcntl(fd, F_GETFL);

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	for (int quiet = 0; quiet < 3;) {
		if (send(fd, zeros, sizeof(zeros), MSG_NOSIGNAL) >= 0)
			quiet = 0;
		else if (!poll(&(struct pollfd){ .fd = fd, .events = POLLOUT }, 1, 20))
			quiet++;
	}
}

static uint8_t tcp_state_of(int fd)
{
	struct tcp_info info;
	socklen_t len = sizeof(info);

	must(getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &len), "TCP_INFO");
	return info.tcpi_state;
}

static void await_state(int fd, uint8_t state)
{
	for (int i = 0; i < 2000; i++, usleep(1000))
		if (tcp_state_of(fd) == state)
			return;
	die("state %u, wanted %u", tcp_state_of(fd), state);
}

static void make_listen(const char *name, enum variant variant)
{
	announce(name, "tcp", "LISTEN", listening(variant, 0, 7));
}

static void make_v6only(const char *name, enum variant variant)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6 };
	int one = 1, fd = must(socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");

	(void)variant;
	must(setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)), "V6ONLY");
	must(bind(fd, (struct sockaddr *)&any, sizeof(any)), "bind");
	must(listen(fd, 3), "listen");
	announce(name, "tcp", "LISTEN", fd);
}

/* two connections wait to be accepted; a third stays in SYN_SENT, its SYN dropped: the queue is
 * full */
static void make_backlog(const char *name, enum variant variant)
{
	int listener = listening(variant, 0, 1);

	announce(name, "tcp", "LISTEN", listener);
	for (int i = 0; i < 2; i++)
		announce(name, "tcp", "ESTABLISHED", client_of(variant, listener, 0, false));
	announce(name, "tcp", "SYN_SENT", client_of(variant, listener, 0, true));
}

/* with TCP_DEFER_ACCEPT the request stays half open on the server's side until data come */
static void make_syn_recv(const char *name, enum variant variant)
{
	int seconds = 60, listener = listening(variant, 0, 5);

	must(setsockopt(listener, IPPROTO_TCP, TCP_DEFER_ACCEPT, &seconds, sizeof(seconds)),
	     "TCP_DEFER_ACCEPT");
	announce(name, "tcp", "LISTEN", listener);
	announce(name, "tcp", "ESTABLISHED", client_of(variant, listener, 0, false));
}

static void make_established(const char *name, enum variant variant)
{
	int client, server;

	make_pair(variant, 0, &client, &server);
	must((int)send(client, "unread", 6, 0), "send");
	announce(name, "tcp", "ESTABLISHED", client);
	announce(name, "tcp", "ESTABLISHED", server);
}

static void make_unsent(const char *name, enum variant variant)
{
	int client, server;

	make_pair(variant, 0, &client, &server);
	fill(client);
	announce(name, "tcp", "ESTABLISHED", client);
	announce(name, "tcp", "ESTABLISHED", server);
}

static void make_fin_wait1(const char *name, enum variant variant)
{
	int client, server;

	make_pair(variant, 0, &client, &server);
	fill(client);
	must(shutdown(client, SHUT_WR), "shutdown");
	await_state(client, TCP_FIN_WAIT1);
	announce(name, "tcp", "FIN_WAIT1", client);
	announce(name, "tcp", "ESTABLISHED", server);
}

static void make_half_closed(const char *name, enum variant variant)
{
	int client, server;

	make_pair(variant, 0, &client, &server);
	must(shutdown(client, SHUT_WR), "shutdown");
	await_state(client, TCP_FIN_WAIT2);
	await_state(server, TCP_CLOSE_WAIT);
	announce(name, "tcp", "FIN_WAIT2", client);
	announce(name, "tcp", "CLOSE_WAIT", server);
}

static void make_last_ack(const char *name, enum variant variant)
{
	int client, server;

	make_pair(variant, 0, &client, &server);
	fill(server);
	must(shutdown(client, SHUT_WR), "shutdown");
	await_state(server, TCP_CLOSE_WAIT);
	must(shutdown(server, SHUT_WR), "shutdown");
	await_state(server, TCP_LAST_ACK);
	announce(name, "tcp", "LAST_ACK", server);
	announce(name, "tcp", "FIN_WAIT2", client);
}

static void make_closing(const char *name, enum variant variant)
{
	int client, server;

	make_pair(variant, 0, &client, &server);
	fill(client);
	must(shutdown(client, SHUT_WR), "shutdown");
	await_state(client, TCP_FIN_WAIT1);
	must(shutdown(server, SHUT_WR), "shutdown");
	await_state(client, TCP_CLOSING);
	announce(name, "tcp", "CLOSING", client);
	announce(name, "tcp", "FIN_WAIT2", server);
}

static void make_time_wait(const char *name, enum variant variant)
{
	int client, server;
	char c;

	make_pair(variant, 0, &client, &server);
	announce(name, "tcp", "TIME_WAIT", client);
	close(client);
	must((int)read(server, &c, 1), "read");
	close(server);
}

/* data are under way when the process lets go: FIN_WAIT1 without a process */
static void make_orphan(const char *name, enum variant variant)
{
	int client, server;

	make_pair(variant, 0, &client, &server);
	fill(client);
	announce(name, "tcp", "FIN_WAIT1", client);
	close(client);
	announce(name, "tcp", "ESTABLISHED", server);
}

static void make_bound(const char *name, enum variant variant)
{
	announce(name, "tcp", "CLOSE", bound_socket(variant, SOCK_STREAM, 0));
}

static void make_mptcp(const char *name, enum variant variant)
{
	int client, server, listener = listening(variant, IPPROTO_MPTCP, 5);

	if (listener < 0)
		return not_here(name);
	announce(name, "mptcp", "LISTEN", listener);
	make_pair(variant, IPPROTO_MPTCP, &client, &server);
	announce(name, "mptcp", "ESTABLISHED", client);
	announce(name, "mptcp", "ESTABLISHED", server);
}

static void make_datagram(const char *name, enum variant variant, const char *proto, int protocol)
{
	struct sockaddr_storage sa;
	socklen_t len = sizeof(sa);
	int server = bound_socket(variant, SOCK_DGRAM, protocol);

	if (server < 0)
		return not_here(name);
	int client = bound_socket(variant, SOCK_DGRAM, protocol);
	must(getsockname(server, (struct sockaddr *)&sa, &len), "getsockname");
	must(connect(client, (struct sockaddr *)&sa, len), "connect");
	must((int)send(client, "unread", 6, 0), "send");
	announce(name, proto, "UNCONNECTED", server);
	announce(name, proto, "ESTABLISHED", client);
}

static void make_udp(const char *name, enum variant variant)
{
	make_datagram(name, variant, "udp", 0);
}

static void make_udplite(const char *name, enum variant variant)
{
	make_datagram(name, variant, "udplite", IPPROTO_UDPLITE);
}

const struct kind tcp_kinds[] = {
	{ "listen", make_listen },
	{ "v6only", make_v6only },
	{ "backlog", make_backlog },
	{ "syn_recv", make_syn_recv },
	{ "established", make_established },
	{ "unsent", make_unsent },
	{ "fin_wait1", make_fin_wait1 },
	{ "half_closed", make_half_closed },
	{ "last_ack", make_last_ack },
	{ "closing", make_closing },
	{ "time_wait", make_time_wait },
	{ "orphan", make_orphan },
	{ "bound", make_bound },
	{ "mptcp", make_mptcp },
	{ "udp", make_udp },
	{ "udplite", make_udplite },
	{ NULL, NULL },
};
