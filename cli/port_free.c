/* SPDX-License-Identifier: MIT */
/*
 * Free ports are found by binding them, the only test that sees what no table shows: sockets bound
 * without listening, ports held by a connection's remains, ports this user may not bind.
 */
#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "cli/port.h"

static int bind_wildcard(int family, enum pv_transport transport, uint16_t port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };
	int type = transport == PV_TRANSPORT_UDP ? SOCK_DGRAM : SOCK_STREAM;
	_cleanup_(cleanup_fd) int fd = socket(family, type | SOCK_CLOEXEC, 0);
	int one = 1;

	if (fd < 0)
		return -errno;
	/*
	 * No SO_REUSEADDR: without it the kernel refuses the wildcard when any socket holds the
	 * port on any address, TIME_WAIT included, so that success is good for every address.
	 */
	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof(one)) < 0)
		return -errno;
	if (family == AF_INET6)
		return bind(fd, (struct sockaddr *)&in6, sizeof(in6)) < 0 ? -errno : 0;
	return bind(fd, (struct sockaddr *)&in, sizeof(in)) < 0 ? -errno : 0;
}

/* 0, -EADDRINUSE, -EACCES; other errors are not about the port. */
static int bind_everywhere(enum pv_transport transport, uint16_t port)
{
	int r4 = bind_wildcard(AF_INET, transport, port);
	int r6 = r4 == 0 || r4 == -EAFNOSUPPORT ? bind_wildcard(AF_INET6, transport, port) : 0;

	if (r4 < 0 && r4 != -EAFNOSUPPORT)
		return r4;
	/* a kernel without IPv6, or with ipv6.disable=1: there is no such address to bind */
	if (r6 == -EAFNOSUPPORT)
		return r4;
	return r6;
}

static bool is_reserved(const struct pv_netns *netns, uint32_t port)
{
	return netns->reserved && netns->reserved[port / 64] >> (port % 64) & 1;
}

/* In the registry on any transport: who configures a service wants none of them. */
static bool is_registered(uint16_t port)
{
	size_t cursor = 0;

	return pv_service_next_by_port(port, &cursor) != NULL;
}

static bool is_passed_over(const struct port_free_request *request, uint16_t port,
			   struct port_free_tally *tally)
{
	if (is_reserved(request->netns, port))
		tally->reserved++;
	else if (pv_netns_is_ephemeral(request->netns, port))
		tally->ephemeral++;
	else if (!request->registered && is_registered(port))
		tally->registered++;
	else
		return false;
	return true;
}

int port_free_find(const struct port_free_request *request, uint16_t *ret_ports,
		   struct port_free_tally *ret_tally)
{
	uint32_t n = 0;

	*ret_tally = (struct port_free_tally){ 0 };
	for (uint32_t port = request->first; port <= request->last && n < request->wanted; port++) {
		int r;

		/* bind() takes 0 as "any" */
		if (!port || is_passed_over(request, (uint16_t)port, ret_tally))
			continue;
		r = bind_everywhere(request->transport, (uint16_t)port);
		if (r == 0)
			ret_ports[n++] = (uint16_t)port;
		else if (r == -EADDRINUSE)
			ret_tally->in_use++;
		else if (r == -EACCES || r == -EPERM)
			ret_tally->forbidden++;
		else
			return r;
	}
	return (int)n;
}
