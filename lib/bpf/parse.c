/* SPDX-License-Identifier: MIT */
/*
 * Records of the iterators, as foreign bytes: a recording may hold anything. A record with wrong
 * values is skipped; one whose size cannot be right ends the chunk, since the next cannot be found.
 */
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

#include "bpf/iter.h"
#include "bpf/sock_record.h"

#define TYPE_MAX SOCK_PACKET
#define OWNER_BATCH 256

/* What a socket record of a kind must say. */
static const struct shape {
	uint8_t protocol;
	uint8_t proto;
	bool is_inet;
} shapes[] = {
	[BPF_KIND_TCP] = { IPPROTO_TCP, PV_PROTO_TCP, true },
	[BPF_KIND_UDP] = { IPPROTO_UDP, PV_PROTO_UDP, true },
	[BPF_KIND_UNIX] = { 0, PV_PROTO_UNIX, false },
};

static bool is_size_right(const struct sock_record *r, size_t left)
{
	return r->path_len <= SOCK_RECORD_PATH_MAX && r->size <= left &&
	       r->size == sizeof(*r) + SOCK_RECORD_PAD(r->path_len);
}

static bool is_record_right(const struct sock_record *r, const struct shape *shape)
{
	bool is_family = shape->is_inet ? r->family == AF_INET || r->family == AF_INET6
					: r->family == AF_UNIX;

	return is_family && r->protocol == shape->protocol && r->cookie && r->state &&
	       r->state < PV_STATE_N && r->type && r->type <= TYPE_MAX && r->shutdown <= 3 &&
	       (!r->path_len || !shape->is_inet);
}

/* V6ONLY as inet_diag tells it: of sockets that can still accept, so that both sources agree. */
static uint8_t row_flags(const struct sock_record *r)
{
	uint8_t flags = r->flags & SOCK_RECORD_KERNEL ? PV_CONV_KERNEL : 0;

	if (r->flags & SOCK_RECORD_TLS)
		flags |= PV_CONV_TLS;
	if (r->family == AF_INET6 && (r->state == PV_STATE_LISTEN || r->state == PV_STATE_CLOSE)) {
		flags |= PV_CONV_V6ONLY_KNOWN;
		if (r->flags & SOCK_RECORD_V6ONLY)
			flags |= PV_CONV_V6ONLY;
	}
	return flags;
}

static void fill_row(struct pv_conversation *row, const struct sock_record *r, uint8_t proto)
{
	size_t addr_len = r->family == AF_INET ? 4 : r->family == AF_INET6 ? 16 : 0;

	memset(row, 0, sizeof(*row));
	row->cookie = r->cookie;
	memcpy(row->local.addr, r->local, addr_len);
	memcpy(row->remote.addr, r->remote, addr_len);
	row->local.port = r->local_port;
	row->remote.port = r->remote_port;
	row->inode = r->inode;
	row->uid = r->uid;
	row->recv_q = r->recv_q;
	row->send_q = r->send_q;
	row->ifindex = r->ifindex;
	row->mark = r->mark;
	row->peer_inode = r->peer_inode;
	row->family = r->family;
	row->proto = proto;
	row->state = r->state == PV_STATE_NEW_SYN_RECV ? PV_STATE_SYN_RECV : r->state;
	row->type = r->type;
	row->shutdown = r->shutdown;
	row->flags = row_flags(r);
}

/* A path that is a file's name is kept with the NUL behind it, which is no part of the name. */
static struct pv_bytes row_path(const char *path, uint16_t len)
{
	if (len > 1 && path[0] && !path[len - 1])
		len--;
	return (struct pv_bytes){ path, len };
}

int bpf_parse_sockets(const void *data, size_t len, enum bpf_iter_kind kind,
		      const struct sink *sink, struct bpf_stats *stats)
{
	const struct shape *shape = &shapes[kind];
	const char *p = data, *end = p + len;
	struct pv_conversation row;
	struct sock_record r;
	struct pv_bytes path;
	int error;

	for (; p < end; p += r.size) {
		if ((size_t)(end - p) >= sizeof(r))
			memcpy(&r, p, sizeof(r));
		if ((size_t)(end - p) < sizeof(r) || !is_size_right(&r, (size_t)(end - p))) {
			stats->n_malformed++;
			return 0;
		}
		if (!is_record_right(&r, shape)) {
			stats->n_malformed++;
			continue;
		}
		fill_row(&row, &r, shape->proto);
		path = row_path(p + sizeof(r), r.path_len);
		row.path = path.len ? &path : NULL;
		stats->n_rows++;
		stats->n_exact += r.flags & SOCK_RECORD_EXACT ? 1 : 0;
		error = sink->row(sink->userdata, &row);
		if (error < 0)
			return error;
	}
	return 0;
}

static bool is_owner_right(const struct owner_record *r)
{
	return r->pid > 0 && r->fd >= 0 && (r->cookie || r->inode) &&
	       !(r->flags & ~(uint32_t)OWNER_FLAGS);
}

static int hand_out(const struct owner_record *rows, size_t n, bpf_owner_rows take, void *userdata,
		    struct bpf_stats *stats)
{
	stats->n_rows += n;
	return n ? take(userdata, rows, n) : 0;
}

/* `rows` is aligned. */
static int parse_owner_run(const struct owner_record *rows, size_t n, bpf_owner_rows take,
			   void *userdata, struct bpf_stats *stats)
{
	size_t start = 0, i;
	int error;

	for (i = 0; i < n; i++) {
		if (is_owner_right(&rows[i]))
			continue;
		stats->n_malformed++;
		error = hand_out(rows + start, i - start, take, userdata, stats);
		if (error < 0)
			return error;
		start = i + 1;
	}
	return hand_out(rows + start, n - start, take, userdata, stats);
}

int bpf_parse_owners(const void *data, size_t len, bpf_owner_rows rows, void *userdata,
		     struct bpf_stats *stats)
{
	struct owner_record batch[OWNER_BATCH];
	size_t n = len / sizeof(batch[0]), step;
	const char *p = data;
	int error;

	if (len % sizeof(batch[0]))
		stats->n_malformed++;
	if ((uintptr_t)p % _Alignof(struct owner_record) == 0)
		return parse_owner_run((const struct owner_record *)(const void *)p, n, rows,
				       userdata, stats);
	for (; n; n -= step, p += step * sizeof(batch[0])) {
		step = n < OWNER_BATCH ? n : OWNER_BATCH;
		memcpy(batch, p, step * sizeof(batch[0]));
		error = parse_owner_run(batch, step, rows, userdata, stats);
		if (error < 0)
			return error;
	}
	return 0;
}
