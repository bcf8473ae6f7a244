/* SPDX-License-Identifier: MIT */
/*
 * mksock KIND[@6|@mapped|@linklocal]...: makes sockets of each kind and state. Prints for each
 * {"kind","proto","state","pid","fd","inode","cookie","family","local","local_port","remote",
 * "remote_port"}, or {"kind","missing"} where the kernel lacks it. Without arguments: all kinds,
 * IP ones in every variant. @linklocal needs fe80::1/64 on the loopback interface.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "helper.h"
#include "mksock.h"

static const char *const suffixes[] = {
	[V4] = "", [V6] = "@6", [MAPPED] = "@mapped", [LINKLOCAL] = "@linklocal"
};

static const char *address_text(const struct sockaddr_storage *sa, char *buf, size_t size)
{
	if (sa->ss_family == AF_INET)
		return inet_ntop(AF_INET, &((const struct sockaddr_in *)sa)->sin_addr, buf,
				 (socklen_t)size);
	if (sa->ss_family == AF_INET6)
		return inet_ntop(AF_INET6, &((const struct sockaddr_in6 *)sa)->sin6_addr, buf,
				 (socklen_t)size);
	return "";
}

static unsigned int port_text(const struct sockaddr_storage *sa)
{
	bool inet = sa->ss_family == AF_INET || sa->ss_family == AF_INET6;

	return inet ? ntohs(((const struct sockaddr_in *)sa)->sin_port) : 0;
}

void announce(const char *kind, const char *proto, const char *state, int fd)
{
	struct sockaddr_storage local = { 0 }, remote = { 0 };
	socklen_t local_len = sizeof(local), remote_len = sizeof(remote);
	char a[64], b[64];

	getsockname(fd, (struct sockaddr *)&local, &local_len);
	getpeername(fd, (struct sockaddr *)&remote, &remote_len);
	printf("{\"kind\":\"%s\",\"proto\":\"%s\",\"state\":\"%s\",\"pid\":%d,\"fd\":%d,"
	       "\"inode\":%llu,\"cookie\":%llu,\"family\":%d,\"local\":\"%s\",\"local_port\":%u,"
	       "\"remote\":\"%s\",\"remote_port\":%u}\n",
	       kind, proto, state, getpid(), fd, (unsigned long long)inode_of(fd),
	       (unsigned long long)cookie_of(fd), local.ss_family,
	       address_text(&local, a, sizeof(a)), port_text(&local),
	       address_text(&remote, b, sizeof(b)), port_text(&remote));
}

void not_here(const char *kind)
{
	printf("{\"kind\":\"%s\",\"missing\":\"%s\"}\n", kind, strerror(errno));
}

socklen_t loopback_address(enum variant variant, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *four = (struct sockaddr_in *)ret;

	memset(ret, 0, sizeof(*ret));
	if (variant == V4) {
		four->sin_family = AF_INET;
		four->sin_addr.s_addr = htonl(LOOPBACK);
		return sizeof(*four);
	}
	six->sin6_family = AF_INET6;
	inet_pton(AF_INET6,
		  variant == MAPPED	 ? "::ffff:127.0.0.1"
		  : variant == LINKLOCAL ? "fe80::1"
					 : "::1",
		  &six->sin6_addr);
	six->sin6_scope_id = variant == LINKLOCAL ? 1 : 0; /* lo is 1 in every namespace */
	return sizeof(*six);
}

int bound_socket(enum variant variant, int type, int protocol)
{
	struct sockaddr_storage sa;
	socklen_t len = loopback_address(variant, &sa);
	int fd = socket(sa.ss_family, type | SOCK_CLOEXEC, protocol);

	if (fd >= 0 && bind(fd, (struct sockaddr *)&sa, len) < 0)
		die("bind%s", suffixes[variant]);
	return fd;
}

static enum variant parse_variant(const char *suffix)
{
	for (unsigned int i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (!strcmp(suffix, suffixes[i]))
			return (enum variant)i;
	die("%s: no such variant", suffix);
}

static bool make_from(const struct kind *kinds, const char *wanted)
{
	size_t len = strcspn(wanted, "@");

	for (; kinds->name; kinds++) {
		if (strlen(kinds->name) != len || strncmp(kinds->name, wanted, len))
			continue;
		kinds->make(wanted, parse_variant(wanted + len));
		return true;
	}
	return false;
}

static void make_all(void)
{
	char name[64];

	for (unsigned int v = 0; v < sizeof(suffixes) / sizeof(*suffixes); v++) {
		for (const struct kind *kind = tcp_kinds; kind->name; kind++) {
			snprintf(name, sizeof(name), "%s%s", kind->name, suffixes[v]);
			kind->make(name, (enum variant)v);
		}
	}
	for (const struct kind *kind = other_kinds; kind->name; kind++)
		kind->make(kind->name, V4);
}

int main(int argc, char **argv)
{
	helper_begin(300);
	if (argc == 1)
		make_all();
	for (int i = 1; i < argc; i++)
		if (!make_from(tcp_kinds, argv[i]) && !make_from(other_kinds, argv[i]))
			die("%s: no such kind", argv[i]);
	say_ready();
	wait_for_end();
	return 0;
}
