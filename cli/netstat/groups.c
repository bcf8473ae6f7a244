/* SPDX-License-Identifier: MIT */
/* netstat -g: multicast groups. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "cli/netstat/netstat.h"

static int put_family(const struct netstat_values *v, struct buf *b, int family)
{
	_cleanup_(cleanup_free) struct pv_group *groups = NULL;
	_cleanup_(cleanup_free) struct pv_name *names = NULL;
	struct pv_names *owner = NULL;
	size_t n = 0;
	int r = pv_groups_read(family, &groups, &n);

	/* a kernel without IPv6 has no groups of it */
	if (r < 0)
		return r == -ENOENT ? 0 : r;
	if (v->redactor)
		r = pv_redact_groups(v->redactor, groups, n);
	if (r < 0)
		return r;
	names = calloc(n + 1, sizeof(*names));
	if (!names)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		names[i].family = (uint8_t)family;
		memcpy(names[i].addr, groups[i].addr, sizeof(names[i].addr));
	}
	r = netstat_resolve(v, names, n, &owner);
	for (size_t i = 0; r == 0 && i < n; i++) {
		buf_printf(b, "%-15s %-6u ", groups[i].interface, groups[i].users);
		netstat_put_host(b, family, groups[i].addr, names[i].name,
				 v->numeric & NETSTAT_NUMERIC_HOSTS);
		buf_putc(b, '\n');
	}
	pv_names_free(owner);
	return r;
}

int netstat_groups(const struct netstat_values *v, struct buf *b)
{
	uint32_t named = v->families & (NETSTAT_INET | NETSTAT_INET6);
	int r = 0;

	buf_puts(b, "IPv6/IPv4 Group Memberships\n"
		    "Interface       RefCnt Group\n"
		    "--------------- ------ ---------------------\n");
	if (!named || named & NETSTAT_INET)
		r = put_family(v, b, AF_INET);
	if (r == 0 && (!named || named & NETSTAT_INET6))
		r = put_family(v, b, AF_INET6);
	return r;
}
