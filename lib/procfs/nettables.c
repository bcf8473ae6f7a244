/* SPDX-License-Identifier: MIT */
#include "procfs/nettables.h"

#include <errno.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/map.h"
#include "procfs/nettables-internal.h"

static const struct table tables[] = {
	{ PV_PROTO_TCP, AF_INET, SOCK_STREAM, "net/tcp", NULL, nettables_inet_line },
	{ PV_PROTO_TCP, AF_INET6, SOCK_STREAM, "net/tcp6", NULL, nettables_inet_line },
	{ PV_PROTO_UDP, AF_INET, SOCK_DGRAM, "net/udp", NULL, nettables_inet_line },
	{ PV_PROTO_UDP, AF_INET6, SOCK_DGRAM, "net/udp6", NULL, nettables_inet_line },
	{ PV_PROTO_UDPLITE, AF_INET, SOCK_DGRAM, "net/udplite", NULL, nettables_inet_line },
	{ PV_PROTO_UDPLITE, AF_INET6, SOCK_DGRAM, "net/udplite6", NULL, nettables_inet_line },
	{ PV_PROTO_RAW, AF_INET, SOCK_RAW, "net/raw", NULL, nettables_inet_line },
	{ PV_PROTO_RAW, AF_INET6, SOCK_RAW, "net/raw6", NULL, nettables_inet_line },
	{ PV_PROTO_PING, AF_INET, SOCK_DGRAM, "net/icmp", NULL, nettables_inet_line },
	{ PV_PROTO_PING, AF_INET6, SOCK_DGRAM, "net/icmp6", NULL, nettables_inet_line },
	{ PV_PROTO_SCTP, AF_UNSPEC, SOCK_STREAM, "net/sctp/assocs", "net/sctp/eps",
	  nettables_assoc_line },
	{ PV_PROTO_UNIX, AF_UNSPEC, 0, "net/unix", NULL, NULL },
	{ PV_PROTO_PACKET, AF_UNSPEC, SOCK_RAW, "net/packet", NULL, nettables_packet_line },
	{ PV_PROTO_NETLINK, AF_UNSPEC, SOCK_RAW, "net/netlink", NULL, nettables_netlink_line },
};

static const struct table *table_of(enum pv_proto proto, int family)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		if (tables[i].proto == proto &&
		    (tables[i].family == family || tables[i].family == AF_UNSPEC))
			return &tables[i];
	return NULL;
}

bool nettables_is_pointer(struct text word)
{
	uint64_t v;

	/* what 4.15 to 5.1 write until there is enough randomness to hash with */
	if (text_is(word, "(____ptrval____)"))
		return true;
	return (text_len(word) == 8 || text_len(word) == 16) && text_u64(word, 16, &v);
}

/* Rows seen so far, found again by a hash of what identifies them. */
struct reading {
	const struct table *table;
	int family;
	const struct sink *sink;
	struct procfs_table_stats *stats;
	const char *start; /* of the text that `seen` has offsets in */
	struct map seen;
};

static bool parse_row(const struct table *table, struct text line, struct pv_conversation *row)
{
	*row = (struct pv_conversation){ .uid = UINT32_MAX,
					 .proto = (uint8_t)table->proto,
					 .family = (uint8_t)table->family,
					 .type = table->type,
					 .state = PV_STATE_CLOSE };
	return table->line(line, table, row);
}

static bool is_same(const struct pv_conversation *a, const struct pv_conversation *b)
{
	return a->inode == b->inode && a->local.port == b->local.port &&
	       a->remote.port == b->remote.port && a->ifindex == b->ifindex &&
	       !memcmp(a->local.addr, b->local.addr, sizeof(a->local.addr)) &&
	       !memcmp(a->remote.addr, b->remote.addr, sizeof(a->remote.addr));
}

static uint64_t key_of(const struct pv_conversation *row)
{
	uint64_t h = map_mix(row->inode, (uint64_t)row->local.port << 32 | row->remote.port), v[4];

	memcpy(v, row->local.addr, 16);
	memcpy(v + 2, row->remote.addr, 16);
	for (size_t i = 0; i < 4; i++)
		h = map_mix(h, v[i]);
	return h;
}

/*
 * Was this very socket given before? The kernel resumes a table by counting rows, so one may come
 * again when others before it went away. 1, 0 or -ENOMEM.
 */
static int is_doubled(struct reading *rd, struct text line, const struct pv_conversation *row)
{
	uint32_t offset = (uint32_t)(line.p - rd->start), old;
	struct pv_conversation before;
	struct text t, first;
	int r = map_insert(&rd->seen, key_of(row), offset, &old);

	if (r <= 0)
		return r;
	t = (struct text){ rd->start + old, line.p };
	return text_line(&t, &first, NULL) && parse_row(rd->table, first, &before) &&
	       is_same(&before, row);
}

static bool is_wanted(const struct reading *rd, const struct pv_conversation *row)
{
	return rd->table->family != AF_UNSPEC || rd->table->proto != PV_PROTO_SCTP ||
	       row->family == rd->family;
}

static int take_line(struct reading *rd, struct text line)
{
	struct pv_conversation row;
	int r;

	if (!parse_row(rd->table, line, &row)) {
		rd->stats->n_malformed++;
		return 0;
	}
	if (!is_wanted(rd, &row))
		return 0;
	r = is_doubled(rd, line, &row);
	if (r < 0)
		return r;
	if (r > 0) {
		rd->stats->n_doubled++;
		return 0;
	}
	rd->stats->n_rows++;
	return rd->sink->row(rd->sink->userdata, &row);
}

/* The first line names the columns; a last line without newline was cut. */
static int take_text(struct reading *rd, struct text t)
{
	struct text line;
	bool is_whole;
	int r = 0;

	rd->start = t.p;
	if (text_len(t) >= MAP_NONE)
		return -EMSGSIZE;
	if (!text_line(&t, &line, NULL))
		return 0;
	while (r == 0 && text_line(&t, &line, &is_whole)) {
		if (is_whole)
			r = take_line(rd, line);
		else
			rd->stats->n_malformed++;
	}
	return r;
}

/* Remembers the sockets that have associations, and passes the rows on. */
struct assoc_sink {
	const struct sink *sink;
	struct procfs_table_stats *stats;
	struct map inodes;
};

static int note_assoc(void *userdata, const struct pv_conversation *row)
{
	struct assoc_sink *a = userdata;
	int r = row->inode ? map_put(&a->inodes, row->inode, 0) : 0;

	return r < 0 ? r : a->sink->row(a->sink->userdata, row);
}

/* A socket that has associations is shown by them, unless it listens for more. */
static int take_endpoint(void *userdata, const struct pv_conversation *row)
{
	struct assoc_sink *a = userdata;

	if (row->state != PV_STATE_LISTEN && map_get(&a->inodes, row->inode) != MAP_NONE) {
		a->stats->n_rows--;
		return 0;
	}
	return a->sink->row(a->sink->userdata, row);
}

static int parse_sctp(struct reading *rd, struct text assocs, struct text endpoints)
{
	static const struct table endpoint_table = { PV_PROTO_SCTP, AF_UNSPEC,
						     SOCK_STREAM,   "net/sctp/eps",
						     NULL,	    nettables_endpoint_line };
	struct assoc_sink a = { .sink = rd->sink, .stats = rd->stats, .inodes = MAP_INIT };
	struct sink notes = { note_assoc, &a }, rest = { take_endpoint, &a };
	int r;

	rd->sink = &notes;
	r = take_text(rd, assocs);
	if (r == 0) {
		map_deinit(&rd->seen);
		rd->seen = (struct map)MAP_INIT;
		rd->table = &endpoint_table;
		rd->sink = &rest;
		r = take_text(rd, endpoints);
	}
	map_deinit(&a.inodes);
	return r;
}

int procfs_table_parse(enum pv_proto proto, int family, const void *data, size_t len,
		       const void *data2, size_t len2, const struct sink *sink,
		       struct procfs_table_stats *ret_stats)
{
	const struct table *table = table_of(proto, family);
	struct reading rd = {
		.table = table, .family = family, .sink = sink, .stats = ret_stats, .seen = MAP_INIT
	};
	int r;

	*ret_stats = (struct procfs_table_stats){ 0 };
	if (!table)
		return PROCFS_E_NO_TABLE;
	if (proto == PV_PROTO_UNIX)
		return nettables_unix_parse(text_of(data, len), sink, ret_stats);
	r = proto == PV_PROTO_SCTP ? parse_sctp(&rd, text_of(data, len), text_of(data2, len2))
				   : take_text(&rd, text_of(data, len));
	map_deinit(&rd.seen);
	return r;
}

int procfs_read_table(struct tape *t, enum pv_proto proto, int family, const struct sink *sink,
		      struct procfs_table_stats *ret_stats)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT, b2 = BUF_INIT;
	const struct table *table = table_of(proto, family);
	int r;

	*ret_stats = (struct procfs_table_stats){ 0 };
	if (!table)
		return PROCFS_E_NO_TABLE;
	r = tape_proc_read(t, -1, table->path, &b);
	if (r == 0 && table->path2)
		r = tape_proc_read(t, -1, table->path2, &b2);
	if (r < 0)
		return r;
	return procfs_table_parse(proto, family, b.data, b.len, b2.data, b2.len, sink, ret_stats);
}
