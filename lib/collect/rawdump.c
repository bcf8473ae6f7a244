/* SPDX-License-Identifier: MIT */
/* Raw dumps: reading one as the sockets of a host, and writing one. */
#include "collect/rawdump.h"

#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/inet_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <portavoz/dump.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "collect/rows.h"
#include "netlink/message.h"
#include "netlink/rawdump.h"
#include "redact/redact.h"

#define SEQUENCE 1

bool collect_is_rawdump(const char *path)
{
	struct stat st;

	return path && stat(path, &st) == 0 && !S_ISDIR(st.st_mode);
}

int collect_rawdump(struct collector *c, const char *path)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct rows rows = { .c = c };
	struct sink sink = rows_merge_sink(&rows);
	struct netlink_parse_stats stats = { 0 };
	struct netlink_rawdump_error error;
	struct pv_netns nothing = { 0 };
	int r = vec_push(&c->snapshot->netns, nothing);

	if (r == 0)
		r = file_read_at(AT_FDCWD, path, &b);
	if (r == 0)
		r = netlink_rawdump_parse(b.data ? b.data : "", b.len, c->needs, &sink, &stats,
					  &error);
	if (r == 0 && stats.malformed)
		r = snapshot_add_gap(c->snapshot, PV_GAP_MALFORMED, stats.malformed, "tcp");
	for (size_t i = 0; i < c->snapshot->n_rows; i++)
		snapshot_row(c->snapshot, i)->owner_reason =
			c->needs & PV_NEED_OWNERS ? PV_REASON_NOT_RECORDED : PV_REASON_NOT_ASKED;
	return r < 0 ? r
		     : snapshot_add_source(c->snapshot, "tcp", "raw dump", PV_SOURCE_WORKING, NULL);
}

static int take_none(void *userdata, const struct pv_conversation *row)
{
	(void)userdata;
	(void)row;
	return 0;
}

int pv_dump_check(const char *path, struct pv_dump_error *error)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct sink sink = { .row = take_none };
	struct netlink_parse_stats stats = { 0 };
	struct netlink_rawdump_error at = { 0 };
	int r = file_read_at(AT_FDCWD, path, &b);

	if (r == 0)
		r = netlink_rawdump_parse(b.data ? b.data : "", b.len, 0, &sink, &stats, &at);
	*error = (struct pv_dump_error){ at.offset, at.message };
	return r;
}

/* One dump on its way to a file. */
struct writer {
	int fd;
	const struct map *wanted; /* cookies; NULL = every socket */
	const struct pv_redactor *redactor;
	struct buf out;
	size_t n;
};

static bool is_wanted(const struct writer *w, const struct nlmsghdr *nlh)
{
	const struct inet_diag_msg *m = mnl_nlmsg_get_payload(nlh);

	if (nlh->nlmsg_type < NLMSG_MIN_TYPE || nlh->nlmsg_len < NLMSG_LENGTH(sizeof(*m)))
		return false;
	return !w->wanted || map_get(w->wanted, (uint64_t)m->id.idiag_cookie[1] << 32 |
							m->id.idiag_cookie[0]) != MAP_NONE;
}

static int write_datagram(void *userdata, const struct netlink_datagram *d)
{
	struct writer *w = userdata;
	const struct nlmsghdr *nlh = d->data;
	size_t left = d->len;
	int r;

	buf_clear(&w->out);
	for (; message_is_whole(nlh, left); nlh = message_next(nlh, &left)) {
		if (!is_wanted(w, nlh))
			continue;
		w->n++;
		if (w->redactor) {
			r = redact_put_message(w->redactor, nlh, &w->out);
			if (r < 0)
				return r;
			continue;
		}
		buf_put(&w->out, nlh, nlh->nlmsg_len);
		buf_pad(&w->out, '\0', MNL_ALIGN(nlh->nlmsg_len) - nlh->nlmsg_len);
	}
	if (buf_error(&w->out) < 0)
		return -ENOMEM;
	return w->out.len ? fd_write_all(w->fd, w->out.data, w->out.len) : 0;
}

static int write_family(struct writer *w, uint8_t family, uint32_t states)
{
	_cleanup_(cleanup_fd) int fd = netlink_open();
	_Alignas(struct nlmsghdr) char req[NETLINK_REQUEST_MAX];
	struct netlink_query q = { .proto = PV_PROTO_TCP,
				   .family = family,
				   .states = states,
				   .needs = PV_NEED_TCPINFO | PV_NEED_MEM | PV_NEED_ATTRIBUTES };
	struct netlink_dump_result result;
	size_t len;
	int r = fd < 0 ? fd : netlink_query_encode(&q, SEQUENCE, req, sizeof(req), &len);

	if (r == 0)
		r = netlink_dump(fd, req, len, write_datagram, w, &result);
	return r == NETLINK_REFUSED ? result.error : r;
}

/* ss reads up to the first one of these. */
static int write_end(int fd)
{
	struct {
		struct nlmsghdr nlh;
		int32_t error;
	} done = { .nlh = { .nlmsg_len = sizeof(done),
			    .nlmsg_type = NLMSG_DONE,
			    .nlmsg_flags = NLM_F_MULTI,
			    .nlmsg_seq = SEQUENCE } };

	return fd_write_all(fd, &done, sizeof(done));
}

static int write_families(struct writer *w, const struct pv_request *request)
{
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	bool is_partial = false;

	for (size_t i = 0; i < 2; i++) {
		int r = (i ? request->inet6 : request->inet)
				? write_family(w, families[i], request->states)
				: 0;

		if (r < 0)
			return r;
		is_partial |= r == NETLINK_PARTIAL;
	}
	return is_partial ? PV_DUMP_PARTIAL : 0;
}

/* The cookies of what matches, which takes more than the kernel knows. */
static int find_wanted(const struct pv_request *request, struct map *wanted)
{
	struct pv_request q = *request;
	struct pv_snapshot *s;
	int r;

	q.protos = PV_PROTO_BIT(PV_PROTO_TCP);
	q.redactor = NULL;
	r = pv_collect(&q, &s);
	if (r < 0)
		return r;
	for (size_t i = 0; r == 0 && i < pv_snapshot_count(s); i++)
		r = map_put(wanted, pv_snapshot_get(s, i)->cookie, 0);
	pv_snapshot_free(s);
	return r;
}

int pv_dump_write(const struct pv_request *request, int fd, size_t *ret_n)
{
	_cleanup_(cleanup_map) struct map wanted = MAP_INIT;
	struct writer w = { .fd = fd, .redactor = request->redactor, .out = BUF_INIT };
	int r = request->size == sizeof(*request) ? 0 : -EINVAL;
	int end = 0;

	if (r == 0 && request->filter) {
		r = find_wanted(request, &wanted);
		w.wanted = &wanted;
	}
	if (r == 0)
		r = write_families(&w, request);
	if (r >= 0)
		end = write_end(fd);
	buf_deinit(&w.out);
	*ret_n = w.n;
	return r < 0 ? r : end < 0 ? end : r;
}
