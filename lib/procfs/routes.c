/* SPDX-License-Identifier: MIT */
/* net/route and net/ipv6_route, and what all tables of this kind share. */
#include <errno.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/tape.h"
#include "base/vec.h"
#include "procfs/tables.h"

int procfs_table_read(const char *path, struct buf *b)
{
	struct tape t = TAPE_INIT;
	int r = tape_open(&t, NULL, NULL);

	if (r == 0)
		r = tape_proc_read(&t, -1, path, b);
	tape_close(&t);
	return r == 0 ? buf_error(b) : r;
}

void procfs_ifname_set(char name[static PV_IFNAME_MAX], struct text t)
{
	size_t n = text_len(t) < PV_IFNAME_MAX ? text_len(t) : PV_IFNAME_MAX - 1;

	memcpy(name, t.p, n);
	name[n] = 0;
}

bool procfs_inet6_of(struct text t, uint8_t addr[static 16])
{
	if (text_len(t) != 32)
		return false;
	for (size_t i = 0; i < 16; i++) {
		uint32_t byte;

		if (!text_u32((struct text){ t.p + 2 * i, t.p + 2 * i + 2 }, 16, &byte))
			return false;
		addr[i] = (uint8_t)byte;
	}
	return true;
}

/* An address of IPv4 is printed as a number of this machine. */
static bool word_inet(struct text *line, uint8_t addr[static 4])
{
	uint32_t v;

	if (!text_word_u32(line, 16, &v))
		return false;
	memcpy(addr, &v, 4);
	return true;
}

static bool word_inet6(struct text *line, uint8_t addr[static 16])
{
	struct text w;

	return text_word(line, &w) && procfs_inet6_of(w, addr);
}

/* interface, destination, gateway, flags, references, use, metric, mask, MSS, window, irtt */
static bool parse_inet(struct text line, struct pv_route *route)
{
	struct text name;

	if (!text_word(&line, &name) || !word_inet(&line, route->destination) ||
	    !word_inet(&line, route->gateway) || !text_word_u32(&line, 16, &route->flags) ||
	    !text_word_u32(&line, 10, &route->references) ||
	    !text_word_u32(&line, 10, &route->use) || !text_word_u32(&line, 10, &route->metric) ||
	    !word_inet(&line, route->mask) || !text_word_u32(&line, 10, &route->mss) ||
	    !text_word_u32(&line, 10, &route->window) || !text_word_u32(&line, 10, &route->irtt))
		return false;
	procfs_ifname_set(route->interface, name);
	return true;
}

/* destination, its length, source, its length, gateway, metric, references, use, flags, name */
static bool parse_inet6(struct text line, struct pv_route *route)
{
	uint32_t prefix;
	struct text name;

	if (!word_inet6(&line, route->destination) || !text_word_u32(&line, 16, &prefix) ||
	    prefix > 128 || !text_skip(&line, 2) || !word_inet6(&line, route->gateway) ||
	    !text_word_u32(&line, 16, &route->metric) ||
	    !text_word_u32(&line, 16, &route->references) ||
	    !text_word_u32(&line, 16, &route->use) || !text_word_u32(&line, 16, &route->flags) ||
	    !text_word(&line, &name))
		return false;
	route->prefix = (uint8_t)prefix;
	procfs_ifname_set(route->interface, name);
	return true;
}

int procfs_routes_parse(int family, const void *data, size_t len, struct pv_route **ret_routes,
			size_t *ret_n)
{
	struct text t = text_of(data, len), line;
	VEC(struct pv_route) routes = { 0 };
	bool is_whole;

	/* the table of IPv4 names its columns */
	if (family == AF_INET)
		text_line(&t, &line, NULL);
	while (text_line(&t, &line, &is_whole)) {
		struct pv_route route = { .family = (uint8_t)family };

		if (!is_whole ||
		    !(family == AF_INET ? parse_inet(line, &route) : parse_inet6(line, &route)))
			continue;
		if (vec_push(&routes, route) < 0) {
			vec_deinit(&routes);
			return -ENOMEM;
		}
	}
	*ret_routes = routes.items;
	*ret_n = routes.n;
	return 0;
}

int pv_routes_read(int family, struct pv_route **ret_routes, size_t *ret_n)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int r = procfs_table_read(family == AF_INET ? "net/route" : "net/ipv6_route", &b);

	return r < 0 ? r : procfs_routes_parse(family, b.data, b.len, ret_routes, ret_n);
}
