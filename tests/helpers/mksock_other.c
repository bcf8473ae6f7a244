/* SPDX-License-Identifier: MIT */
/* Sockets other than TCP and UDP. */
#include <errno.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_xdp.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

#include "helper.h"
#include "mksock.h"

#define EXPERIMENTAL_PROTOCOL 253 /* RFC 3692: no host answers it */

static void announce_if(const char *name, const char *proto, const char *state, int fd)
{
	if (fd < 0)
		not_here(name);
	else
		announce(name, proto, state, fd);
}

static void make_raw(const char *name, enum variant variant)
{
	(void)variant;
	announce_if(name, "raw", "UNCONNECTED", bound_socket(V4, SOCK_RAW, EXPERIMENTAL_PROTOCOL));
}

static void make_raw6(const char *name, enum variant variant)
{
	(void)variant;
	announce_if(name, "raw", "UNCONNECTED", bound_socket(V6, SOCK_RAW, EXPERIMENTAL_PROTOCOL));
}

/* allowed to the groups of net.ipv4.ping_group_range only */
static void make_ping(const char *name, enum variant variant)
{
	(void)variant;
	announce_if(name, "ping", "UNCONNECTED", bound_socket(V4, SOCK_DGRAM, IPPROTO_ICMP));
}

static void make_ping6(const char *name, enum variant variant)
{
	(void)variant;
	announce_if(name, "ping", "UNCONNECTED", bound_socket(V6, SOCK_DGRAM, IPPROTO_ICMPV6));
}

static socklen_t abstract_address(struct sockaddr_un *sa, const char *what)
{
	*sa = (struct sockaddr_un){ .sun_family = AF_UNIX };
	int n = snprintf(sa->sun_path + 1, sizeof(sa->sun_path) - 1, "mksock-%s-%d", what,
			 getpid());

	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)n);
}

static int unix_listener(const char *what, int type, struct sockaddr_un *sa, socklen_t *len)
{
	int fd = must(socket(AF_UNIX, type | SOCK_CLOEXEC, 0), "socket");

	*len = abstract_address(sa, what);
	must(bind(fd, (struct sockaddr *)sa, *len), "bind");
	must(listen(fd, 3), "listen");
	return fd;
}

/* a listener, an accepted pair and one connection that waits */
static void make_unix_connected(const char *name, int type)
{
	struct sockaddr_un sa;
	socklen_t len;
	int listener = unix_listener(name, type, &sa, &len);

	announce(name, "unix", "LISTEN", listener);
	for (int i = 0; i < 2; i++) {
		int client = must(socket(AF_UNIX, type | SOCK_CLOEXEC, 0), "socket");
		must(connect(client, (struct sockaddr *)&sa, len), "connect");
		announce(name, "unix", "ESTABLISHED", client);
	}
	announce(name, "unix", "ESTABLISHED",
		 must(accept4(listener, NULL, NULL, SOCK_CLOEXEC), "accept"));
}

static void make_unix_stream(const char *name, enum variant variant)
{
	(void)variant;
	make_unix_connected(name, SOCK_STREAM);
}

static void make_unix_seqpacket(const char *name, enum variant variant)
{
	(void)variant;
	make_unix_connected(name, SOCK_SEQPACKET);
}

static void make_unix_dgram(const char *name, enum variant variant)
{
	struct sockaddr_un sa;
	socklen_t len = abstract_address(&sa, name);
	int server = must(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");
	int client = must(socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0), "socket");

	(void)variant;
	must(bind(server, (struct sockaddr *)&sa, len), "bind");
	must(connect(client, (struct sockaddr *)&sa, len), "connect");
	/* the kernel calls the addressed end connected, too (net/unix/af_unix.c, since 5.15) */
	announce(name, "unix", "ESTABLISHED", server);
	announce(name, "unix", "ESTABLISHED", client);
}

static void make_unix_path(const char *name, enum variant variant)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int fd = must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");

	(void)variant;
	snprintf(sa.sun_path, sizeof(sa.sun_path), "/tmp/mksock-%d", getpid());
	must(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), "bind");
	unlink(sa.sun_path);
	must(listen(fd, 3), "listen");
	announce(name, "unix", "LISTEN", fd);
}

static void make_unix_pair(const char *name, enum variant variant)
{
	static const int types[] = { SOCK_STREAM, SOCK_DGRAM, SOCK_SEQPACKET };
	int ends[2];

	(void)variant;
	for (int i = 0; i < 3; i++) {
		must(socketpair(AF_UNIX, types[i] | SOCK_CLOEXEC, 0, ends), "socketpair");
		announce(name, "unix", "ESTABLISHED", ends[0]);
		announce(name, "unix", "ESTABLISHED", ends[1]);
	}
	announce(name, "unix", "UNCONNECTED",
		 must(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), "socket"));
}

static void make_packet(const char *name, enum variant variant)
{
	struct sockaddr_ll sa = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_IP),
				  .sll_ifindex = 1 };
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_IP));

	(void)variant;
	announce_if(name, "packet", "UNCONNECTED",
		    socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ETH_P_ALL)));
	if (fd >= 0)
		must(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), "bind");
	announce_if(name, "packet", "UNCONNECTED", fd);
}

static void make_netlink(const char *name, enum variant variant)
{
	struct sockaddr_nl sa = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int fd = must(socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE), "socket");

	(void)variant;
	must(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), "bind");
	announce(name, "netlink", "UNCONNECTED", fd);
	/* one without an address is in no table of the kernel */
	sa.nl_groups = 0;
	fd = must(socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, NETLINK_GENERIC), "socket");
	must(bind(fd, (struct sockaddr *)&sa, sizeof(sa)), "bind");
	announce(name, "netlink", "UNCONNECTED", fd);
}

static void make_vsock(const char *name, enum variant variant)
{
	struct sockaddr_vm sa = { .svm_family = AF_VSOCK,
				  .svm_cid = VMADDR_CID_ANY,
				  .svm_port = VMADDR_PORT_ANY };
	int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)variant;
	if (fd < 0 || bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(fd, 3) < 0)
		return not_here(name);
	announce(name, "vsock", "LISTEN", fd);
}

static void make_xdp(const char *name, enum variant variant)
{
	(void)variant;
	announce_if(name, "xdp", "UNCONNECTED", socket(AF_XDP, SOCK_RAW | SOCK_CLOEXEC, 0));
}

static void make_sctp(const char *name, enum variant variant)
{
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, IPPROTO_SCTP);

	(void)variant;
	if (fd >= 0)
		must(listen(fd, 3), "listen");
	announce_if(name, "sctp", "LISTEN", fd);
}

static void make_dccp(const char *name, enum variant variant)
{
	(void)variant;
	announce_if(name, "dccp", "CLOSE", socket(AF_INET, SOCK_DCCP | SOCK_CLOEXEC, IPPROTO_DCCP));
}

const struct kind other_kinds[] = {
	{ "raw", make_raw },
	{ "raw6", make_raw6 },
	{ "ping", make_ping },
	{ "ping6", make_ping6 },
	{ "unix_stream", make_unix_stream },
	{ "unix_seqpacket", make_unix_seqpacket },
	{ "unix_dgram", make_unix_dgram },
	{ "unix_path", make_unix_path },
	{ "unix_pair", make_unix_pair },
	{ "packet", make_packet },
	{ "netlink", make_netlink },
	{ "vsock", make_vsock },
	{ "xdp", make_xdp },
	{ "sctp", make_sctp },
	{ "dccp", make_dccp },
	{ NULL, NULL },
};
