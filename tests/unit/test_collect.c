/* SPDX-License-Identifier: MIT */
/*
 * The joins over rows made by hand, and the choice of sources over recordings made by hand: dumps
 * that disagree, that stay unstable, and owners that the search does not find.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>

#include <cmocka.h>

#include <portavoz/filter.h>
#include <portavoz/snapshot.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "bpf/sock_record.h"
#include "collect/collector.h"
#include "collect/rows.h"
#include "model/owner_record.h"

/* ---- rows by hand ---- */

static void set_addr(struct pv_endpoint *e, int family, const char *text, uint32_t port)
{
	*e = (struct pv_endpoint){ .port = port };
	assert_int_equal(inet_pton(family, text, e->addr), 1);
}

struct world {
	struct pv_snapshot *s;
	struct collector c;
};

static int setup(void **state)
{
	struct world *w = calloc(1, sizeof(*w));
	struct pv_netns n = { .inode = 1, .ephemeral_first = 32768, .ephemeral_last = 60999 };

	w->s = snapshot_new();
	w->c.snapshot = w->s;
	assert_int_equal(vec_push(&w->s->netns, n), 0);
	n.inode = 2;
	assert_int_equal(vec_push(&w->s->netns, n), 0);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	pv_snapshot_free(w->s);
	free(w);
	return 0;
}

static struct pv_conversation *add(struct world *w, enum pv_proto proto, enum pv_state state,
				   const char *local, uint32_t lport, const char *remote,
				   uint32_t rport)
{
	int family = strchr(local, ':') ? AF_INET6 : AF_INET;
	struct pv_conversation row = { .proto = (uint8_t)proto,
				       .state = (uint8_t)state,
				       .family = (uint8_t)family };

	set_addr(&row.local, family, local, lport);
	set_addr(&row.remote, family, remote, rport);
	return snapshot_add(w->s, &row);
}

static void assert_direction(const struct pv_conversation *row, enum pv_direction d,
			     enum pv_direction_by by)
{
	assert_string_equal(pv_direction_name(row->direction), pv_direction_name(d));
	assert_string_equal(pv_direction_by_name(row->direction_by), pv_direction_by_name(by));
}

#define EST PV_PROTO_TCP, PV_STATE_ESTABLISHED
#define LIS PV_PROTO_TCP, PV_STATE_LISTEN

static void test_direction(void **state)
{
	struct world *w = *state;
	struct pv_conversation *listener = add(w, LIS, "0.0.0.0", 8080, "0.0.0.0", 0);
	struct pv_conversation *in = add(w, EST, "10.0.0.1", 8080, "10.0.0.9", 40000);
	struct pv_conversation *to_self = add(w, EST, "127.0.0.1", 40001, "127.0.0.1", 8080);
	struct pv_conversation *to_other = add(w, EST, "10.0.0.1", 1500, "10.0.0.9", 8080);
	struct pv_conversation *out = add(w, EST, "10.0.0.1", 40002, "10.0.0.9", 443);
	struct pv_conversation *unheard = add(w, EST, "10.0.0.1", 5000, "10.0.0.9", 50001);
	struct pv_conversation *neither = add(w, EST, "10.0.0.1", 40003, "10.0.0.9", 40004);
	struct pv_conversation *low = add(w, EST, "10.0.0.1", 22, "10.0.0.9", 23);
	struct pv_conversation *syn =
		add(w, PV_PROTO_TCP, PV_STATE_SYN_SENT, "10.0.0.1", 8080, "10.0.0.9", 8080);
	struct pv_conversation *elsewhere = add(w, EST, "10.0.0.1", 8080, "10.0.0.9", 8081);

	elsewhere->netns = 1;
	assert_int_equal(collect_directions(&w->c), 0);
	assert_direction(listener, PV_DIR_LISTEN, PV_BY_STATE);
	assert_direction(in, PV_DIR_INCOMING, PV_BY_LISTENER);
	assert_direction(to_self, PV_DIR_OUTGOING, PV_BY_PEER_LISTENER);
	assert_direction(to_other, PV_DIR_UNKNOWN, PV_BY_NONE);
	assert_direction(out, PV_DIR_OUTGOING, PV_BY_PORTS);
	assert_direction(unheard, PV_DIR_INCOMING, PV_BY_PORTS);
	assert_direction(neither, PV_DIR_UNKNOWN, PV_BY_NONE);
	/* the lower port is no evidence */
	assert_direction(low, PV_DIR_UNKNOWN, PV_BY_NONE);
	assert_direction(syn, PV_DIR_OUTGOING, PV_BY_STATE);
	assert_direction(elsewhere, PV_DIR_UNKNOWN, PV_BY_NONE);
}

static void test_direction_families(void **state)
{
	struct world *w = *state;
	struct pv_conversation *any6 = add(w, LIS, "::", 80, "::", 0);
	struct pv_conversation *only6 = add(w, LIS, "::", 81, "::", 0);
	struct pv_conversation *one = add(w, LIS, "10.0.0.1", 82, "0.0.0.0", 0);
	struct pv_conversation *mapped = add(w, EST, "::ffff:10.0.0.1", 80, "::ffff:10.0.0.9", 20);
	struct pv_conversation *plain = add(w, EST, "10.0.0.1", 80, "10.0.0.9", 21);
	struct pv_conversation *not6 = add(w, EST, "10.0.0.1", 81, "10.0.0.9", 22);
	struct pv_conversation *here = add(w, EST, "10.0.0.1", 82, "10.0.0.9", 23);
	struct pv_conversation *not_here = add(w, EST, "10.0.0.2", 82, "10.0.0.9", 24);

	(void)any6, (void)one;
	only6->flags |= PV_CONV_V6ONLY | PV_CONV_V6ONLY_KNOWN;
	assert_int_equal(collect_directions(&w->c), 0);
	assert_direction(mapped, PV_DIR_INCOMING, PV_BY_LISTENER);
	assert_direction(plain, PV_DIR_INCOMING, PV_BY_LISTENER);
	assert_direction(not6, PV_DIR_UNKNOWN, PV_BY_NONE);
	assert_direction(here, PV_DIR_INCOMING, PV_BY_LISTENER);
	assert_direction(not_here, PV_DIR_UNKNOWN, PV_BY_NONE);
}

static void test_direction_udp(void **state)
{
	struct world *w = *state;
	struct pv_conversation *server =
		add(w, PV_PROTO_UDP, PV_STATE_CLOSE, "0.0.0.0", 53, "0.0.0.0", 0);
	struct pv_conversation *client =
		add(w, PV_PROTO_UDP, PV_STATE_CLOSE, "0.0.0.0", 40000, "0.0.0.0", 0);
	struct pv_conversation *talk =
		add(w, PV_PROTO_UDP, PV_STATE_ESTABLISHED, "10.0.0.1", 53, "10.0.0.9", 999);
	struct pv_conversation *tcp = add(w, EST, "10.0.0.1", 53, "10.0.0.9", 999);

	assert_int_equal(collect_directions(&w->c), 0);
	assert_direction(server, PV_DIR_LISTEN, PV_BY_STATE);
	assert_direction(client, PV_DIR_UNKNOWN, PV_BY_NONE);
	assert_direction(talk, PV_DIR_INCOMING, PV_BY_LISTENER);
	assert_direction(tcp, PV_DIR_UNKNOWN, PV_BY_NONE);
}

static void test_direction_unix(void **state)
{
	static const struct pv_bytes name = { "/run/a server", 13 },
				     other = { "/run/b server", 13 };
	struct world *w = *state;
	struct pv_conversation row = { .proto = PV_PROTO_UNIX,
				       .family = AF_UNIX,
				       .type = SOCK_STREAM,
				       .state = PV_STATE_LISTEN,
				       .inode = 10,
				       .path = &name };
	struct pv_conversation *server = snapshot_add(w->s, &row), *accepted, *client, *pair, *same;

	row.state = PV_STATE_ESTABLISHED;
	row.inode = 11;
	row.peer_inode = 12;
	accepted = snapshot_add(w->s, &row);
	row.type = SOCK_SEQPACKET;
	same = snapshot_add(w->s, &row);
	row = (struct pv_conversation){ .proto = PV_PROTO_UNIX,
					.family = AF_UNIX,
					.type = SOCK_STREAM,
					.state = PV_STATE_ESTABLISHED,
					.inode = 12,
					.peer_inode = 11 };
	client = snapshot_add(w->s, &row);
	row.inode = 13;
	row.peer_inode = 14;
	row.path = &other;
	pair = snapshot_add(w->s, &row);
	assert_int_equal(collect_directions(&w->c), 0);
	assert_direction(server, PV_DIR_LISTEN, PV_BY_STATE);
	assert_direction(accepted, PV_DIR_INCOMING, PV_BY_LISTENER);
	assert_direction(client, PV_DIR_OUTGOING, PV_BY_PEER_LISTENER);
	assert_direction(pair, PV_DIR_UNKNOWN, PV_BY_NONE);
	assert_direction(same, PV_DIR_UNKNOWN, PV_BY_NONE);
}

static void test_pairs(void **state)
{
	struct world *w = *state;
	struct pv_conversation *a = add(w, EST, "127.0.0.1", 1, "127.0.0.1", 2);
	struct pv_conversation *b = add(w, EST, "127.0.0.1", 2, "127.0.0.1", 1);
	struct pv_conversation *mapped = add(w, EST, "::ffff:127.0.0.1", 3, "::ffff:127.0.0.1", 4);
	struct pv_conversation *plain = add(w, EST, "127.0.0.1", 4, "127.0.0.1", 3);
	struct pv_conversation *self = add(w, EST, "127.0.0.1", 5, "127.0.0.1", 5);
	struct pv_conversation *udp =
		add(w, PV_PROTO_UDP, PV_STATE_ESTABLISHED, "127.0.0.1", 6, "127.0.0.1", 7);
	struct pv_conversation *tcp = add(w, EST, "127.0.0.1", 7, "127.0.0.1", 6);
	struct pv_conversation *far = add(w, EST, "127.0.0.1", 8, "127.0.0.1", 9);
	struct pv_conversation *near = add(w, EST, "127.0.0.1", 9, "127.0.0.1", 8);
	struct pv_conversation *twin1 = add(w, EST, "127.0.0.1", 10, "127.0.0.1", 11);
	struct pv_conversation *twin2 = add(w, EST, "127.0.0.1", 10, "127.0.0.1", 11);
	struct pv_conversation *of_twins = add(w, EST, "127.0.0.1", 11, "127.0.0.1", 10);

	(void)twin1, (void)twin2;
	far->netns = 1;
	assert_int_equal(collect_pairs(&w->c), 0);
	assert_ptr_equal(pv_snapshot_peer(w->s, a), b);
	assert_ptr_equal(pv_snapshot_peer(w->s, b), a);
	assert_ptr_equal(pv_snapshot_peer(w->s, mapped), plain);
	assert_ptr_equal(pv_snapshot_peer(w->s, plain), mapped);
	assert_null(pv_snapshot_peer(w->s, self));
	assert_null(pv_snapshot_peer(w->s, udp));
	assert_null(pv_snapshot_peer(w->s, tcp));
	assert_null(pv_snapshot_peer(w->s, near));
	assert_null(pv_snapshot_peer(w->s, of_twins));
}

static void test_pairs_unix(void **state)
{
	struct world *w = *state;
	struct pv_conversation row = { .proto = PV_PROTO_UNIX,
				       .family = AF_UNIX,
				       .state = PV_STATE_ESTABLISHED,
				       .inode = 11,
				       .peer_inode = 12 };
	struct pv_conversation *a = snapshot_add(w->s, &row), *b;

	row.inode = 12;
	row.peer_inode = 11;
	b = snapshot_add(w->s, &row);
	assert_int_equal(collect_pairs(&w->c), 0);
	assert_ptr_equal(pv_snapshot_peer(w->s, a), b);
	assert_ptr_equal(pv_snapshot_peer(w->s, b), a);
}

static void test_service_port(void **state)
{
	struct world *w = *state;
	struct pv_conversation *row = add(w, EST, "10.0.0.1", 40000, "10.0.0.9", 8080);

	row->direction = PV_DIR_OUTGOING;
	assert_int_equal(pv_snapshot_service_port(w->s, row), 8080);
	row->direction = PV_DIR_INCOMING;
	assert_int_equal(pv_snapshot_service_port(w->s, row), 40000);
	row->direction = PV_DIR_UNKNOWN;
	row->remote.port = 443;
	assert_int_equal(pv_snapshot_service_port(w->s, row), 443);
	/* 41641/udp is in common use, but not registered; 45678 is registered for eba */
	row->proto = PV_PROTO_UDP;
	row->local.port = 41641;
	row->remote.port = 45678;
	assert_int_equal(pv_snapshot_service_port(w->s, row), 45678);
	row->remote.port = 40001;
	assert_int_equal(pv_snapshot_service_port(w->s, row), 0);
	row->proto = PV_PROTO_UNIX;
	assert_int_equal(pv_snapshot_service_port(w->s, row), 0);
}

static void test_rows(void **state)
{
	struct world *w = *state;
	struct rows rows = { .c = &w->c };
	struct sink append = rows_append_sink(&rows), merge = rows_merge_sink(&rows);
	static const uint64_t cookies[] = { 5, 6, 5, 7, 6, 8 };
	struct pv_detail detail = { .present = PV_DETAIL_MEM };
	struct pv_conversation row = { .proto = PV_PROTO_TCP, .state = PV_STATE_ESTABLISHED };

	for (size_t i = 0; i < 6; i++) {
		row.cookie = cookies[i];
		row.inode = (uint32_t)i;
		row.detail = i == 2 ? &detail : NULL;
		assert_int_equal(append.row(append.userdata, &row), 0);
	}
	assert_int_equal(rows_index(&rows), 0);
	assert_int_equal(w->s->n_rows, 4);
	assert_int_equal(rows.n_late, 4);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(snapshot_row(w->s, i)->cookie, 5 + i);
	/* the first sighting stays, with the detail of the second */
	assert_int_equal(snapshot_row(w->s, 0)->inode, 0);
	assert_non_null(snapshot_row(w->s, 0)->detail);
	row.cookie = 7;
	assert_int_equal(merge.row(merge.userdata, &row), 0);
	row.cookie = 9;
	row.state = PV_STATE_TIME_WAIT;
	row.uid = 0;
	assert_int_equal(merge.row(merge.userdata, &row), 0);
	assert_int_equal(w->s->n_rows, 5);
	assert_int_equal(rows.n_late, 4);
	assert_int_equal(snapshot_row(w->s, 4)->uid, UINT32_MAX);
	/* without a cookie the inode tells, and an inode named twice nothing */
	row = (struct pv_conversation){ .proto = PV_PROTO_UNIX, .family = AF_UNIX, .inode = 70 };
	assert_int_equal(merge.row(merge.userdata, &row), 0);
	assert_int_equal(merge.row(merge.userdata, &row), 0);
	assert_int_equal(w->s->n_rows, 6);
	row.flags = PV_CONV_INODE_TWICE;
	assert_int_equal(merge.row(merge.userdata, &row), 0);
	assert_int_equal(merge.row(merge.userdata, &row), 0);
	assert_int_equal(w->s->n_rows, 8);
	map_deinit(&w->c.by_cookie);
}

/* ---- recordings by hand ---- */

struct recording {
	char dir[64];
	int fd;
};

static void recording_init(struct recording *r)
{
	snprintf(r->dir, sizeof(r->dir), "/tmp/test-collect-XXXXXX");
	assert_non_null(mkdtemp(r->dir));
	r->fd = open(r->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(r->fd >= 0);
	assert_int_equal(mkdirat(r->fd, "streams", 0700), 0);
	assert_int_equal(file_append_at(r->fd, "manifest", "portavoz-recording=1\n", 21), 0);
}

static void recording_remove(struct recording *r)
{
	char command[128];

	close(r->fd);
	snprintf(command, sizeof(command), "rm -r %s", r->dir);
	assert_int_equal(system(command), 0);
}

static void recording_text(struct recording *r, const char *path, const char *text)
{
	assert_int_equal(mkdir_parents_at(r->fd, path), 0);
	assert_int_equal(file_append_at(r->fd, path, text, strlen(text)), 0);
}

struct diag_row {
	struct nlmsghdr header;
	struct inet_diag_msg body;
};

/* One datagram with sockets first...last; cookie, inode and port are the number. */
static void put_datagram(struct buf *b, uint32_t first, uint32_t last, bool done)
{
	size_t at = b->len;
	uint32_t head[2] = { 0, 0 };

	buf_put(b, head, sizeof(head));
	for (uint32_t n = first; n <= last; n++) {
		struct diag_row row = {
			.header = { .nlmsg_len = sizeof(row),
				    .nlmsg_type = TCPDIAG_GETSOCK,
				    .nlmsg_flags = NLM_F_MULTI },
			.body = { .idiag_family = AF_INET,
				  .idiag_state = PV_STATE_LISTEN,
				  .idiag_inode = n,
				  .id = { .idiag_sport = htons((uint16_t)n),
					  .idiag_cookie = { n, 0 } } },
		};

		buf_put(b, &row, sizeof(row));
	}
	if (done) {
		struct {
			struct nlmsghdr header;
			int error;
		} end = { { .nlmsg_len = sizeof(end),
			    .nlmsg_type = NLMSG_DONE,
			    .nlmsg_flags = NLM_F_MULTI },
			  0 };

		buf_put(b, &end, sizeof(end));
	}
	assert_int_equal(buf_error(b), 0);
	head[0] = (uint32_t)(b->len - at - sizeof(head));
	memcpy(b->data + at, head, sizeof(head));
}

/* A dump of TCP sockets in two datagrams, which is never exact. */
static void record_dump(struct recording *r, unsigned attempt, uint32_t last, uint32_t without)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	char path[64];

	put_datagram(&b, 1, without - 1, false);
	put_datagram(&b, without + 1, last, true);
	snprintf(path, sizeof(path), "streams/diag-tcp-any.%u", attempt);
	assert_int_equal(file_append_at(r->fd, path, b.data, b.len), 0);
}

static struct pv_snapshot *replay(const struct recording *r, enum pv_owners owners)
{
	struct pv_request q = PV_REQUEST_INIT;
	struct pv_snapshot *s = NULL;

	q.protos = PV_PROTO_BIT(PV_PROTO_TCP);
	q.needs = PV_NEED_OWNERS;
	q.owners = owners;
	q.replay_dir = r->dir;
	assert_int_equal(pv_collect(&q, &s), 0);
	return s;
}

static uint64_t gap_of(const struct pv_snapshot *s, enum pv_gap_kind kind, const char *detail)
{
	const struct pv_coverage *c = pv_snapshot_coverage(s);

	for (size_t i = 0; i < c->n_gaps; i++)
		if (c->gaps[i].kind == kind &&
		    (!detail || (c->gaps[i].detail && !strcmp(c->gaps[i].detail, detail))))
			return c->gaps[i].count;
	return 0;
}

static void test_union(void **state)
{
	struct recording r;
	struct pv_snapshot *s;

	(void)state;
	recording_init(&r);
	/* each dump misses one socket, the second brings back what the first one missed */
	record_dump(&r, 0, 40, 7);
	record_dump(&r, 1, 40, 20);
	record_dump(&r, 2, 40, 30);
	record_dump(&r, 3, 50, 30);
	s = replay(&r, PV_OWNERS_NONE);
	assert_int_equal(pv_snapshot_count(s), 40);
	assert_int_equal(gap_of(s, PV_GAP_UNSTABLE, "tcp"), 0);
	pv_snapshot_free(s);
	recording_remove(&r);
}

static void test_unstable(void **state)
{
	struct recording r;
	struct pv_snapshot *s;

	(void)state;
	recording_init(&r);
	for (unsigned i = 0; i < 8; i++)
		record_dump(&r, i, 40 + 3 * i, 7);
	s = replay(&r, PV_OWNERS_NONE);
	/* five dumps, no more; the last one added three */
	assert_int_equal(pv_snapshot_count(s), 51);
	assert_int_equal(gap_of(s, PV_GAP_UNSTABLE, "tcp"), 3);
	assert_false(pv_snapshot_coverage(s)->complete);
	pv_snapshot_free(s);
	recording_remove(&r);
}

static void record_owner(struct recording *r, const char *stream, uint64_t cookie, int32_t pid,
			 int32_t fd)
{
	struct owner_record o = { .cookie = cookie,
				  .start_ticks = 1,
				  .inode = (uint32_t)cookie,
				  .pid = pid,
				  .fd = fd,
				  .flags = OWNER_COMM_KNOWN,
				  .comm = "holder" };

	assert_int_equal(file_append_at(r->fd, stream, &o, sizeof(o)), 0);
}

static void test_owners(void **state)
{
	uint64_t gone[2] = { 3, 1 };
	struct recording r;
	struct pv_snapshot *s;
	const struct pv_conversation *row;

	(void)state;
	recording_init(&r);
	record_dump(&r, 0, 5, 3);
	record_dump(&r, 1, 5, 4);
	record_dump(&r, 2, 5, 4);
	recording_text(&r, "proc/self/status", "CapEff:\t000001ffffffffff\n");
	recording_text(&r, "proc/self/ns/pid.link", "pid:[4026531836]");
	recording_text(&r, "proc/self/mountinfo", "1 2 0:3 / /proc rw - proc proc rw\n");
	/* 1: two holders, one of them named twice; 2: one; 3: gone; 4, 5: in no table */
	record_owner(&r, "streams/iter-owners.0", 1, 100, 4);
	record_owner(&r, "streams/iter-owners.0", 1, 100, 4);
	record_owner(&r, "streams/iter-owners.0", 2, 100, 5);
	record_owner(&r, "streams/iter-owners.0", 1, 101, 4);
	record_owner(&r, "streams/iter-owners.0", 99, 101, 5);
	assert_int_equal(file_append_at(r.fd, "streams/gone", gone, sizeof(gone)), 0);
	s = replay(&r, PV_OWNERS_BPF);
	assert_int_equal(pv_snapshot_count(s), 5);
	for (size_t i = 0; i < 5; i++) {
		row = pv_snapshot_get(s, i);
		if (row->inode <= 2) {
			assert_int_equal(row->n_holders, row->inode == 1 ? 2 : 1);
			assert_int_equal(row->owner_reason, PV_REASON_NONE);
		} else {
			assert_int_equal(row->n_holders, 0);
			assert_int_equal(row->owner_reason,
					 row->inode == 3 ? PV_REASON_GONE : PV_REASON_NO_TABLE);
		}
	}
	assert_int_equal(gap_of(s, PV_GAP_OWNER_GONE, NULL), 1);
	assert_int_equal(gap_of(s, PV_GAP_OWNER_NO_TABLE, NULL), 2);
	pv_snapshot_free(s);
	recording_remove(&r);
}

/* The file of an MPTCP socket names that socket's cookie, and the inode that its subflow shares. */
static void test_owners_of_subflows(void **state)
{
	struct owner_record o = { .cookie = 77,
				  .start_ticks = 1,
				  .inode = 2,
				  .pid = 100,
				  .fd = 4,
				  .flags = OWNER_COMM_KNOWN,
				  .comm = "holder" };
	struct recording r;
	struct pv_snapshot *s;

	(void)state;
	recording_init(&r);
	record_dump(&r, 0, 3, 3);
	record_dump(&r, 1, 3, 3);
	recording_text(&r, "proc/self/status", "CapEff:\t000001ffffffffff\n");
	recording_text(&r, "proc/self/ns/pid.link", "pid:[4026531836]");
	recording_text(&r, "proc/self/mountinfo", "1 2 0:3 / /proc rw - proc proc rw\n");
	record_owner(&r, "streams/iter-owners.0", 1, 101, 3);
	assert_int_equal(file_append_at(r.fd, "streams/iter-owners.0", &o, sizeof(o)), 0);
	o.pid = 101;
	assert_int_equal(file_append_at(r.fd, "streams/iter-owners.0", &o, sizeof(o)), 0);
	s = replay(&r, PV_OWNERS_BPF);
	assert_int_equal(pv_snapshot_count(s), 2);
	for (size_t i = 0; i < 2; i++) {
		const struct pv_conversation *row = pv_snapshot_get(s, i);

		assert_int_equal(row->n_holders, row->inode);
		assert_int_equal(row->owner_reason, PV_REASON_NONE);
	}
	assert_int_equal(gap_of(s, PV_GAP_OWNER_NO_TABLE, NULL), 0);
	pv_snapshot_free(s);
	recording_remove(&r);
}

/* A stream that is all hole: refused before it is read into memory. */
static void test_sparse_stream(void **state)
{
	struct recording r;
	struct pv_snapshot *s;
	int fd;

	(void)state;
	recording_init(&r);
	fd = openat(r.fd, "streams/diag-tcp-any.0", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)1 << 40), 0);
	close(fd);
	s = replay(&r, PV_OWNERS_NONE);
	assert_int_equal(pv_snapshot_count(s), 0);
	assert_false(pv_snapshot_coverage(s)->complete);
	pv_snapshot_free(s);
	recording_remove(&r);
}

static void test_bad_folders(void **state)
{
	struct pv_request q = PV_REQUEST_INIT;
	struct pv_snapshot *s = NULL;
	struct recording r;

	(void)state;
	recording_init(&r);
	q.record_dir = r.dir;
	assert_int_equal(pv_collect(&q, &s), -EEXIST);
	q.record_dir = NULL;
	q.replay_dir = "/nowhere/at/all";
	assert_int_equal(pv_collect(&q, &s), -ENOENT);
	q.size = sizeof(q) - 8;
	assert_int_equal(pv_collect(&q, &s), -EINVAL);
	q.size = sizeof(q);
	q.replay_dir = "/";
	assert_int_equal(pv_collect(&q, &s), -EINVAL);
	assert_null(s);
	recording_remove(&r);
}

/* What an earlier dump listed stays, though a later one of the same protocol is not there. */
static void test_later_dump_fails(void **state)
{
	struct recording r;
	struct pv_snapshot *s;

	(void)state;
	recording_init(&r);
	record_dump(&r, 0, 40, 7);
	s = replay(&r, PV_OWNERS_NONE);
	assert_int_equal(pv_snapshot_count(s), 39);
	assert_int_equal(gap_of(s, PV_GAP_NOT_RECORDED, "tcp"), 1);
	assert_int_equal(gap_of(s, PV_GAP_PROTOCOL, "tcp"), 0);
	assert_string_equal(pv_snapshot_coverage(s)->sources[0].via, "sock_diag");
	pv_snapshot_free(s);
	recording_remove(&r);
}

/* An iterator that may skip sockets settles nothing: dumps go on until one adds none. */
static void test_inexact_iterator(void **state)
{
	struct sock_record seen = { .cookie = 42,
				    .inode = 42,
				    .local_port = 42,
				    .family = AF_INET,
				    .state = PV_STATE_LISTEN,
				    .type = SOCK_STREAM,
				    .protocol = IPPROTO_TCP,
				    .size = sizeof(seen) };
	struct recording r;
	struct pv_snapshot *s;

	(void)state;
	recording_init(&r);
	record_dump(&r, 0, 40, 7);
	record_dump(&r, 1, 41, 7);
	record_dump(&r, 2, 43, 7);
	record_dump(&r, 3, 43, 7);
	recording_text(&r, "proc/self/status", "CapEff:\t000001ffffffffff\n");
	assert_int_equal(file_append_at(r.fd, "streams/iter-tcp.0", &seen, sizeof(seen)), 0);
	s = replay(&r, PV_OWNERS_NONE);
	assert_int_equal(pv_snapshot_count(s), 42);
	assert_int_equal(gap_of(s, PV_GAP_UNSTABLE, "tcp"), 0);
	pv_snapshot_free(s);
	recording_remove(&r);
}

#define BPF_RIGHTS "CapEff:\t000000c000000000\n" /* CAP_PERFMON, CAP_BPF */

/* Few files, which a scan reads faster: but it would not be let into others' processes. */
static void test_owners_by_rights(void **state)
{
	struct recording r;
	struct pv_snapshot *s;

	(void)state;
	recording_init(&r);
	record_dump(&r, 0, 3, 2);
	record_dump(&r, 1, 3, 2);
	recording_text(&r, "proc/self/status", BPF_RIGHTS);
	recording_text(&r, "proc/self/ns/pid.link", "pid:[4026531836]");
	recording_text(&r, "proc/sys/fs/file-nr", "10\t0\t100\n");
	recording_text(&r, "proc/loadavg", "0.00 0.00 0.00 1/10 99\n");
	record_owner(&r, "streams/iter-owners.0", 1, 100, 4);
	recording_text(&r, "streams/iter-owners.0", "cut");
	s = replay(&r, PV_OWNERS_AUTO);
	assert_int_equal(pv_snapshot_get(s, 0)->n_holders, 1);
	/* records that make no sense are counted */
	assert_int_equal(gap_of(s, PV_GAP_MALFORMED, "owners"), 1);
	pv_snapshot_free(s);
	recording_remove(&r);
}

/* Where no /proc tells the rights, the recording does. */
static void test_rights_without_proc(void **state)
{
	const uint64_t rights = UINT64_C(0xc000000000);
	struct recording r;
	struct pv_snapshot *s;

	(void)state;
	recording_init(&r);
	record_dump(&r, 0, 3, 2);
	record_dump(&r, 1, 3, 2);
	assert_int_equal(file_append_at(r.fd, "streams/rights", &rights, sizeof(rights)), 0);
	record_owner(&r, "streams/iter-owners.0", 1, 100, 4);
	s = replay(&r, PV_OWNERS_AUTO);
	assert_int_equal(pv_snapshot_get(s, 0)->n_holders, 1);
	pv_snapshot_free(s);
	recording_remove(&r);
}

/* A damaged recording of owners is no question of privilege. */
static void test_damaged_owners(void **state)
{
	struct recording r;
	struct pv_snapshot *s;

	(void)state;
	recording_init(&r);
	record_dump(&r, 0, 3, 2);
	record_dump(&r, 1, 3, 2);
	recording_text(&r, "streams/owners-proc.0", "cut");
	recording_text(&r, "streams/owners-proc.0.stats", "n_processes=1\n");
	s = replay(&r, PV_OWNERS_PROC);
	assert_int_equal(pv_snapshot_get(s, 0)->owner_reason, PV_REASON_NOT_RECORDED);
	assert_int_equal(gap_of(s, PV_GAP_NOT_RECORDED, NULL), 2);
	pv_snapshot_free(s);
	recording_remove(&r);
}

/* Every detail that is missing has its reason. */
static void test_detail_reasons(void **state)
{
	static const struct {
		const char *error;
		enum pv_reason reason;
	} cases[] = {
		{ "13", PV_REASON_NO_PERMISSION }, { "3", PV_REASON_GONE },
		{ "110", PV_REASON_BUSY },	   { "24", PV_REASON_LIMIT },
		{ NULL, PV_REASON_NOT_RECORDED },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct recording r;
		struct pv_snapshot *s;

		recording_init(&r);
		record_dump(&r, 0, 3, 2);
		record_dump(&r, 1, 3, 2);
		record_owner(&r, "streams/owners-proc.0", 0, 100, 4);
		record_owner(&r, "streams/iter-owners.0", 1, 100, 4);
		recording_text(&r, "proc/self/status", BPF_RIGHTS);
		recording_text(
			&r, "proc/100/stat",
			"100 (holder) S 1 1 1 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 1 0 0\n");
		recording_text(&r, "proc/100/exe.link", "/bin/holder");
		recording_text(&r, "proc/100/cgroup", "0::/\n");
		recording_text(&r, "proc/100/status", "Uid:\t0\t0\t0\t0\n");
		if (cases[i].error)
			recording_text(&r, "proc/100/cmdline.error", cases[i].error);
		s = replay(&r, PV_OWNERS_BPF);
		assert_int_equal(pv_snapshot_process_count(s), 1);
		assert_string_equal(pv_reason_name(pv_snapshot_process(s, 0)->reason),
				    pv_reason_name(cases[i].reason));
		assert_int_equal(gap_of(s, PV_GAP_DETAIL, pv_reason_text(cases[i].reason)), 1);
		pv_snapshot_free(s);
		recording_remove(&r);
	}
}

/* Without a filter that names states, LISTEN with CLOSE asks for servers: an idle socket is none.
 */
static void test_idle_states(void **state)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct pv_request q = PV_REQUEST_INIT;
	struct pv_filter *filter = NULL;
	struct pv_snapshot *s = NULL;
	struct nlmsghdr header;
	struct recording r;

	(void)state;
	recording_init(&r);
	put_datagram(&b, 1, 2, true);
	memcpy(&header, b.data + 8, sizeof(header));
	/* the second row's state */
	b.data[8 + header.nlmsg_len + sizeof(header) +
	       offsetof(struct inet_diag_msg, idiag_state)] = PV_STATE_CLOSE;
	assert_int_equal(file_append_at(r.fd, "streams/diag-tcp-any.0", b.data, b.len), 0);
	q.protos = PV_PROTO_BIT(PV_PROTO_TCP);
	q.states = PV_STATE_BIT(PV_STATE_LISTEN) | PV_STATE_BIT(PV_STATE_CLOSE);
	q.replay_dir = r.dir;
	assert_int_equal(pv_collect(&q, &s), 0);
	assert_int_equal(pv_snapshot_count(s), 1);
	pv_snapshot_free(s);
	assert_int_equal(pv_filter_parse("state listening or state close", &filter, NULL), 0);
	q.filter = filter;
	assert_int_equal(pv_collect(&q, &s), 0);
	assert_int_equal(pv_snapshot_count(s), 2);
	pv_snapshot_free(s);
	pv_filter_free(filter);
	recording_remove(&r);
}

/* A recording that could not be written in full is none. */
static void test_full_disk(void **state)
{
	struct rlimit old, little = { .rlim_cur = 64 };
	char dir[] = "/tmp/test-collect-XXXXXX", command[64];
	struct pv_request q = PV_REQUEST_INIT;
	struct pv_snapshot *s = NULL;
	int r;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	little.rlim_max = old.rlim_max;
	signal(SIGXFSZ, SIG_IGN);
	q.record_dir = dir;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &little), 0);
	r = pv_collect(&q, &s);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	signal(SIGXFSZ, SIG_DFL);
	assert_int_equal(r, -EFBIG);
	assert_null(s);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_direction, setup, teardown),
		cmocka_unit_test_setup_teardown(test_direction_families, setup, teardown),
		cmocka_unit_test_setup_teardown(test_direction_udp, setup, teardown),
		cmocka_unit_test_setup_teardown(test_direction_unix, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pairs, setup, teardown),
		cmocka_unit_test_setup_teardown(test_pairs_unix, setup, teardown),
		cmocka_unit_test_setup_teardown(test_service_port, setup, teardown),
		cmocka_unit_test_setup_teardown(test_rows, setup, teardown),
		cmocka_unit_test(test_union),
		cmocka_unit_test(test_unstable),
		cmocka_unit_test(test_owners),
		cmocka_unit_test(test_owners_of_subflows),
		cmocka_unit_test(test_sparse_stream),
		cmocka_unit_test(test_bad_folders),
		cmocka_unit_test(test_later_dump_fails),
		cmocka_unit_test(test_inexact_iterator),
		cmocka_unit_test(test_owners_by_rights),
		cmocka_unit_test(test_rights_without_proc),
		cmocka_unit_test(test_damaged_owners),
		cmocka_unit_test(test_detail_reasons),
		cmocka_unit_test(test_idle_states),
		cmocka_unit_test(test_full_disk),
	};

	return cmocka_run_group_tests_name("collect", tests, NULL, NULL);
}
