/* SPDX-License-Identifier: MIT */
/*
 * The iterators on the real kernel, in network namespaces of our own, against two oracles: a raw
 * sock_diag dump of the same sockets, member by member, and what each process knows of itself.
 * Skipped as a whole where BPF iterators may not be used.
 */
#include "bpf_live.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <linux/unix_diag.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* ---- the oracle: a dump by sock_diag ---- */

static uint64_t join_cookie(const uint32_t cookie[2])
{
	return (uint64_t)cookie[1] << 32 | cookie[0];
}

static void take_inet(struct rows *rows, const struct nlmsghdr *nlh, uint8_t proto)
{
	const struct inet_diag_msg *m = NLMSG_DATA(nlh);
	int len = (int)nlh->nlmsg_len - (int)NLMSG_SPACE(sizeof(*m));
	const struct nlattr *a = (const void *)(m + 1);
	struct seen s = { .row = { .cookie = join_cookie(m->id.idiag_cookie),
				   .family = m->idiag_family,
				   .proto = proto,
				   .state = m->idiag_state,
				   .uid = m->idiag_uid,
				   .inode = m->idiag_inode,
				   .recv_q = m->idiag_rqueue,
				   .send_q = m->idiag_wqueue,
				   .ifindex = m->id.idiag_if } };

	s.row.local.port = ntohs(m->id.idiag_sport);
	s.row.remote.port = ntohs(m->id.idiag_dport);
	memcpy(s.row.local.addr, m->id.idiag_src, m->idiag_family == AF_INET ? 4 : 16);
	memcpy(s.row.remote.addr, m->id.idiag_dst, m->idiag_family == AF_INET ? 4 : 16);
	for (; len >= NLA_HDRLEN; len -= NLA_ALIGN(a->nla_len),
				  a = (const void *)((const char *)a + NLA_ALIGN(a->nla_len))) {
		const void *value = a + 1;

		if (a->nla_type == INET_DIAG_MARK)
			memcpy(&s.row.mark, value, 4);
		if (a->nla_type == INET_DIAG_SHUTDOWN)
			s.row.shutdown = *(const uint8_t *)value;
		if (a->nla_type == INET_DIAG_SKV6ONLY)
			s.row.flags |= PV_CONV_V6ONLY_KNOWN |
				       (*(const uint8_t *)value ? PV_CONV_V6ONLY : 0);
	}
	assert_int_equal(vec_push(&rows->sockets, s), 0);
}

static void take_unix_attr(struct seen *s, const struct nlattr *a)
{
	const struct unix_diag_rqlen *rq;
	const void *value = a + 1;

	switch (a->nla_type) {
	case UNIX_DIAG_NAME:
		s->path_len = a->nla_len - NLA_HDRLEN;
		memcpy(s->path, value, s->path_len);
		break;
	case UNIX_DIAG_PEER:
		memcpy(&s->row.peer_inode, value, 4);
		break;
	case UNIX_DIAG_RQLEN:
		rq = value;
		s->row.recv_q = rq->udiag_rqueue;
		s->row.send_q = rq->udiag_wqueue;
		break;
	case UNIX_DIAG_SHUTDOWN:
		s->row.shutdown = *(const uint8_t *)value;
		break;
	case UNIX_DIAG_UID:
		memcpy(&s->row.uid, value, 4);
		break;
	}
}

static void take_unix(struct rows *rows, const struct nlmsghdr *nlh)
{
	const struct unix_diag_msg *m = NLMSG_DATA(nlh);
	int len = (int)nlh->nlmsg_len - (int)NLMSG_SPACE(sizeof(*m));
	const struct nlattr *a = (const void *)(m + 1);
	struct seen s = { .row = { .cookie = join_cookie(m->udiag_cookie),
				   .family = AF_UNIX,
				   .proto = PV_PROTO_UNIX,
				   .type = m->udiag_type,
				   .state = m->udiag_state,
				   .inode = m->udiag_ino } };

	for (; len >= NLA_HDRLEN; len -= NLA_ALIGN(a->nla_len),
				  a = (const void *)((const char *)a + NLA_ALIGN(a->nla_len)))
		take_unix_attr(&s, a);
	/* a file's name comes with the NUL behind it */
	if (s.path_len > 1 && s.path[0] && !s.path[s.path_len - 1])
		s.path_len--;
	assert_int_equal(vec_push(&rows->sockets, s), 0);
}

static void dump(struct rows *rows, const void *request, size_t size, uint8_t proto)
{
	_cleanup_(cleanup_fd) int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	static _Alignas(8) char answer[1 << 16];
	const struct nlmsghdr *nlh;
	ssize_t n;

	assert_int_equal(send(fd, request, size, 0), size);
	for (;;) {
		n = recv(fd, answer, sizeof(answer), 0);
		assert_true(n > 0);
		for (nlh = (const void *)answer; NLMSG_OK(nlh, n); nlh = NLMSG_NEXT(nlh, n)) {
			if (nlh->nlmsg_type == NLMSG_DONE)
				return;
			assert_int_equal(nlh->nlmsg_type, SOCK_DIAG_BY_FAMILY);
			if (proto == PV_PROTO_UNIX)
				take_unix(rows, nlh);
			else
				take_inet(rows, nlh, proto);
		}
	}
}

static struct rows dump_inet(uint8_t proto)
{
	struct {
		struct nlmsghdr nlh;
		struct inet_diag_req_v2 r;
	} request = { .nlh = { .nlmsg_len = sizeof(request),
			       .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		      .r = { .sdiag_protocol = proto == PV_PROTO_TCP ? IPPROTO_TCP : IPPROTO_UDP,
			     .idiag_ext = 1 << (INET_DIAG_SHUTDOWN - 1),
			     .idiag_states = 0xfff } };
	struct rows rows = { 0 };

	request.r.sdiag_family = AF_INET;
	dump(&rows, &request, sizeof(request), proto);
	request.r.sdiag_family = AF_INET6;
	dump(&rows, &request, sizeof(request), proto);
	return rows;
}

static struct rows dump_unix(void)
{
	struct {
		struct nlmsghdr nlh;
		struct unix_diag_req r;
	} request = { .nlh = { .nlmsg_len = sizeof(request),
			       .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		      .r = { .sdiag_family = AF_UNIX,
			     .udiag_states = UINT32_MAX,
			     .udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN |
					   UDIAG_SHOW_UID } };
	struct rows rows = { 0 };

	dump(&rows, &request, sizeof(request), PV_PROTO_UNIX);
	return rows;
}

static bool is_full(const struct pv_conversation *row)
{
	return row->state != PV_STATE_SYN_RECV && row->state != PV_STATE_TIME_WAIT && row->inode;
}

static void compare(const struct seen *bpf, const struct seen *diag)
{
	const struct pv_conversation *a = &bpf->row, *b = &diag->row;

	assert_int_equal(a->proto, b->proto);
	assert_int_equal(a->family, b->family);
	assert_int_equal(a->state, b->state);
	assert_memory_equal(&a->local, &b->local, sizeof(a->local));
	assert_memory_equal(&a->remote, &b->remote, sizeof(a->remote));
	assert_int_equal(a->inode, b->inode);
	assert_int_equal(a->recv_q, b->recv_q);
	assert_int_equal(a->send_q, b->send_q);
	assert_int_equal(a->ifindex, b->ifindex);
	assert_int_equal(a->mark, b->mark);
	assert_int_equal(a->peer_inode, b->peer_inode);
	assert_int_equal(bpf->path_len, diag->path_len);
	assert_memory_equal(bpf->path, diag->path, sizeof(bpf->path));
	/* sock_diag says 0 of a request, the iterator names the listener's user */
	if (a->state != PV_STATE_SYN_RECV)
		assert_int_equal(a->uid, b->uid);
	if (is_full(b)) {
		assert_int_equal(a->shutdown, b->shutdown);
		assert_int_equal(a->flags & ~PV_CONV_KERNEL, b->flags);
	}
	if (a->proto == PV_PROTO_UNIX)
		assert_int_equal(a->type, b->type);
}

static void compare_all(const struct rows *bpf, const struct rows *diag)
{
	assert_int_equal(bpf->sockets.n, diag->sockets.n);
	for (size_t i = 0; i < diag->sockets.n; i++) {
		const struct seen *seen = live_find(bpf, diag->sockets.items[i].row.cookie);

		assert_non_null(seen);
		compare(seen, &diag->sockets.items[i]);
	}
}

static struct rows dump_kind(enum bpf_iter_kind kind)
{
	if (kind == BPF_KIND_UNIX)
		return dump_unix();
	return dump_inet(kind == BPF_KIND_TCP ? PV_PROTO_TCP : PV_PROTO_UDP);
}

static bool are_same(const struct rows *a, const struct rows *b)
{
	return a->sockets.n == b->sockets.n && !memcmp(a->sockets.items, b->sockets.items,
						       a->sockets.n * sizeof(a->sockets.items[0]));
}

/*
 * The iterator's rows, read between two dumps that agree in every byte: the kernel moves data
 * between queues at its own pace, so only then the three told of the same moment.
 */
static struct rows rows_as_dumped(enum bpf_iter_kind kind)
{
	struct rows before, bpf, after;
	bool steady = false;

	for (int turn = 0; turn < 100 && !steady; turn++) {
		before = dump_kind(kind);
		bpf = live_rows(kind);
		after = dump_kind(kind);
		steady = are_same(&before, &after);
		if (steady)
			compare_all(&bpf, &after);
		else
			rows_deinit(&bpf);
		rows_deinit(&before);
		rows_deinit(&after);
		if (!steady)
			usleep(20000);
	}
	assert_true(steady);
	return bpf;
}

/* ---- sockets to look at ---- */

/* Both ends of a connection: ends[0] opened it. */
static void tcp_pair(struct pool *pool, int family, int ends[2])
{
	int fd = listener(pool, family, 1);

	ends[0] = client(pool, fd);
	ends[1] = keep(pool, accept4(fd, NULL, NULL, SOCK_CLOEXEC));
	drop(pool, fd);
}

/* Writes until the other end's window is shut, and waits until both queues are at rest. */
static void stuff(int fd)
{
	static const char data[65536];
	int flags = fcntl(fd, F_GETFL), queued = -1, before;

	fcntl(fd, F_SETFL, flags | O_NONBLOCK);
	do {
		before = queued;
		while (send(fd, data, sizeof(data), MSG_NOSIGNAL) > 0)
			;
		usleep(20000);
		assert_int_equal(ioctl(fd, TIOCOUTQ, &queued), 0);
	} while (queued != before);
	fcntl(fd, F_SETFL, flags);
	assert_true(queued > 0);
}

/* An address whose listener accepts no more: connections to it stay in SYN_SENT. */
static void make_syn_sent(struct pool *pool)
{
	int fd = listener(pool, AF_INET, 0);
	union any_addr a = name_of(fd);
	int waiting;

	client(pool, fd);
	waiting = keep(pool, socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
	assert_int_equal(connect(waiting, &a.sa, addr_size(AF_INET)), -1);
	assert_int_equal(errno, EINPROGRESS);
}

/* A deferring listener leaves a connection without data as a request. */
static void make_syn_recv(struct pool *pool, int family)
{
	int fd = bound(pool, family, SOCK_STREAM);

	set_int(fd, IPPROTO_TCP, TCP_DEFER_ACCEPT, 30);
	assert_int_equal(listen(fd, 4), 0);
	client(pool, fd);
}

static void make_closing_states(struct pool *pool, int family)
{
	int half[2], orphan[2], gone[2], wait1[2], last[2];

	tcp_pair(pool, family, half); /* FIN_WAIT2 and CLOSE_WAIT */
	assert_int_equal(shutdown(half[0], SHUT_WR), 0);
	tcp_pair(pool, family, orphan); /* the same, with FIN_WAIT2 without a process */
	drop(pool, orphan[0]);
	tcp_pair(pool, family, gone); /* TIME_WAIT */
	drop(pool, gone[0]);
	drop(pool, gone[1]);
	tcp_pair(pool, family, wait1); /* FIN_WAIT1: the FIN waits behind data */
	stuff(wait1[0]);
	assert_int_equal(shutdown(wait1[0], SHUT_WR), 0);
	tcp_pair(pool, family, last); /* LAST_ACK: as before, after the other's FIN */
	assert_int_equal(shutdown(last[1], SHUT_WR), 0);
	stuff(last[0]);
	assert_int_equal(shutdown(last[0], SHUT_WR), 0);
}

static void make_tcp(struct pool *pool, int family)
{
	int pair[2], fd = listener(pool, family, 5);

	client(pool, fd);
	client(pool, fd);
	tcp_pair(pool, family, pair);
	assert_int_equal(send(pair[0], "unread", 6, 0), 6);
	tcp_pair(pool, family, pair);
	stuff(pair[1]);
	set_int(pair[1], SOL_SOCKET, SO_MARK, 77);
	fd = bound(pool, family, SOCK_STREAM);
	assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, "lo", 3), 0);
	assert_int_equal(listen(fd, 3), 0);
	make_syn_recv(pool, family);
	make_closing_states(pool, family);
}

static void make_v6only(struct pool *pool, int type, int value)
{
	union any_addr a = { .v6 = { .sin6_family = AF_INET6 } };
	int fd = keep(pool, socket(AF_INET6, type | SOCK_CLOEXEC, 0));

	set_int(fd, IPPROTO_IPV6, IPV6_V6ONLY, value);
	assert_int_equal(bind(fd, &a.sa, sizeof(a.v6)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(fd, 1), 0);
}

static uint32_t states_of(const struct rows *rows, int family)
{
	uint32_t states = 0;

	for (size_t i = 0; i < rows->sockets.n; i++)
		if (rows->sockets.items[i].row.family == family)
			states |= PV_STATE_BIT(rows->sockets.items[i].row.state);
	return states;
}

/* ---- tests ---- */

static void tcp_is_what_sock_diag_says(void **state)
{
	const uint32_t expected =
		PV_STATE_BIT(PV_STATE_ESTABLISHED) | PV_STATE_BIT(PV_STATE_SYN_RECV) |
		PV_STATE_BIT(PV_STATE_FIN_WAIT1) | PV_STATE_BIT(PV_STATE_FIN_WAIT2) |
		PV_STATE_BIT(PV_STATE_TIME_WAIT) | PV_STATE_BIT(PV_STATE_CLOSE_WAIT) |
		PV_STATE_BIT(PV_STATE_LAST_ACK) | PV_STATE_BIT(PV_STATE_LISTEN);
	struct pool pool = { .n = 0 };
	struct rows bpf;

	(void)state;
	enter_netns();
	make_tcp(&pool, AF_INET);
	make_tcp(&pool, AF_INET6);
	make_syn_sent(&pool);
	make_v6only(&pool, SOCK_STREAM, 0);
	make_v6only(&pool, SOCK_STREAM, 1);
	usleep(50000);
	bpf = rows_as_dumped(BPF_KIND_TCP);
	assert_int_equal(states_of(&bpf, AF_INET), expected | PV_STATE_BIT(PV_STATE_SYN_SENT));
	assert_int_equal(states_of(&bpf, AF_INET6), expected);
	rows_deinit(&bpf);
	pool_deinit(&pool);
}

static void udp_is_what_sock_diag_says(void **state)
{
	struct pool pool = { .n = 0 };
	const struct seen *seen;
	struct rows bpf;
	int v4, v6, connected, mapped;
	union any_addr a;

	(void)state;
	enter_netns();
	v4 = bound(&pool, AF_INET, SOCK_DGRAM);
	v6 = bound(&pool, AF_INET6, SOCK_DGRAM);
	connected = client(&pool, v4);
	assert_int_equal(send(connected, "unread", 6, 0), 6);
	assert_int_equal(send(connected, "read", 4, 0), 4);
	assert_int_equal(recv(v4, &a, sizeof(a), 0), 6);
	assert_int_equal(send(client(&pool, v6), "unread", 6, 0), 6);
	/* an IPv6 socket that talks IPv4 */
	mapped = keep(&pool, socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	a = (union any_addr){ .v6 = { .sin6_family = AF_INET6, .sin6_port = htons(9) } };
	assert_int_equal(inet_pton(AF_INET6, "::ffff:127.0.0.1", &a.v6.sin6_addr), 1);
	assert_int_equal(connect(mapped, &a.sa, sizeof(a.v6)), 0);
	make_v6only(&pool, SOCK_DGRAM, 1);
	set_int(v6, SOL_SOCKET, SO_MARK, 5);
	bpf = rows_as_dumped(BPF_KIND_UDP);
	assert_int_equal(bpf.sockets.n, 6);
	seen = live_find(&bpf, cookie_of(v4));
	assert_non_null(seen);
	assert_true(seen->row.recv_q > 0);
	rows_deinit(&bpf);
	pool_deinit(&pool);
}

static int unix_socket(struct pool *pool, int type, const char *name, size_t len)
{
	union any_addr a = { .un = { .sun_family = AF_UNIX } };
	int fd = keep(pool, socket(AF_UNIX, type | SOCK_CLOEXEC, 0));

	memcpy(a.un.sun_path, name, len);
	assert_int_equal(bind(fd, &a.sa, (socklen_t)(sizeof(sa_family_t) + len)), 0);
	return fd;
}

/* A listener with two connections nobody accepted, one of them to read from. */
static void unix_backlog(struct pool *pool, const char *name, size_t len)
{
	int fd = unix_socket(pool, SOCK_STREAM, name, len), one;
	union any_addr a = { .un = { .sun_family = AF_UNIX } };

	assert_int_equal(listen(fd, 7), 0);
	memcpy(a.un.sun_path, name, len);
	for (int i = 0; i < 2; i++) {
		one = keep(pool, socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0));
		assert_int_equal(connect(one, &a.sa, (socklen_t)(sizeof(sa_family_t) + len)), 0);
	}
	assert_int_equal(send(one, "unread", 6, 0), 6);
}

static void unix_is_what_unix_diag_says(void **state)
{
	static const char odd[] = "\0abstract\0with\nodd\033bytes";
	char long_name[108], path[] = "/tmp/test_bpf-XXXXXX/socket";
	struct pool pool = { .n = 0 };
	int pair[2];
	struct rows bpf;

	(void)state;
	enter_netns();
	path[20] = 0;
	assert_non_null(mkdtemp(path));
	path[20] = '/';
	memset(long_name, 'n', sizeof(long_name));
	long_name[0] = 0;
	unix_backlog(&pool, path, sizeof(path));
	unix_backlog(&pool, odd, sizeof(odd));
	unix_socket(&pool, SOCK_DGRAM, long_name, sizeof(long_name));
	keep(&pool, socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0));
	unix_pair(&pool, SOCK_STREAM, pair);
	assert_int_equal(send(pair[0], "unread", 6, 0), 6);
	assert_int_equal(shutdown(pair[0], SHUT_WR), 0);
	for (int type = SOCK_DGRAM; type <= SOCK_SEQPACKET; type += SOCK_SEQPACKET - SOCK_DGRAM) {
		unix_pair(&pool, type, pair);
		assert_int_equal(send(pair[1], "first", 5, 0), 5);
		assert_int_equal(send(pair[1], "second", 6, 0), 6);
	}
	bpf = rows_as_dumped(BPF_KIND_UNIX);
	/* connections in a backlog have no rows, neither here nor there */
	assert_int_equal(bpf.sockets.n, 14);
	assert_true(bpf_sockets_are_exact(&bpf.stats));
	rows_deinit(&bpf);
	pool_deinit(&pool);
	unlink(path);
	path[20] = 0;
	rmdir(path);
}

/* More than one read of the file would hold, and more than the first ring holds. */
static void no_unix_socket_is_lost_among_many(void **state)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	char name[100], number[16];
	struct rows bpf;

	(void)state;
	assert_non_null(pool);
	enter_netns();
	memset(name, 'x', sizeof(name));
	name[0] = 0;
	for (int i = 0; i < MAX_FDS; i++) {
		snprintf(number, sizeof(number), "%06d", i);
		memcpy(name + 1, number, 6);
		unix_socket(pool, SOCK_DGRAM, name, sizeof(name));
	}
	bpf = live_rows(BPF_KIND_UNIX);
	assert_int_equal(bpf.sockets.n, MAX_FDS);
	for (int i = 0; i < MAX_FDS; i += 97)
		assert_non_null(live_find(&bpf, cookie_of(pool->fds[i])));
	rows_deinit(&bpf);
	pool_deinit(pool);
	free(pool);
}

struct churn {
	uint16_t port;
	volatile bool stop;
};

static void *churn(void *userdata)
{
	struct churn *c = userdata;
	union any_addr a = loopback(AF_INET);

	a.v4.sin_port = c->port;
	while (!c->stop) {
		int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), one = 1;

		setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one));
		bind(fd, &a.sa, sizeof(a.v4));
		close(fd);
	}
	return NULL;
}

#define STEADY 2000

/* Sockets that share a port, and so a hash slot. */
static uint16_t make_steady(struct pool *pool, uint64_t cookies[static STEADY])
{
	union any_addr a = loopback(AF_INET);

	for (int i = 0; i < STEADY; i++) {
		int fd = keep(pool, socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0));

		set_int(fd, SOL_SOCKET, SO_REUSEPORT, 1);
		assert_int_equal(bind(fd, &a.sa, sizeof(a.v4)), 0);
		a = name_of(fd);
		cookies[i] = cookie_of(fd);
	}
	return a.v4.sin_port;
}

static size_t sightings(const struct rows *rows, const uint64_t cookies[static STEADY])
{
	size_t n = 0;

	for (size_t i = 0; i < rows->sockets.n; i++)
		for (size_t k = 0; k < STEADY; k++)
			n += rows->sockets.items[i].row.cookie == cookies[k];
	return n;
}

static void lasting_sockets_are_visited_once_under_churn(void **state)
{
	struct pool *pool = calloc(1, sizeof(*pool));
	struct churn c = { .stop = false };
	uint64_t cookies[STEADY];
	pthread_t thread;
	struct rows bpf;

	(void)state;
	assert_non_null(pool);
	enter_netns();
	c.port = make_steady(pool, cookies);
	assert_int_equal(pthread_create(&thread, NULL, churn, &c), 0);
	for (int turn = 0; turn < 5; turn++) {
		bpf = live_rows(BPF_KIND_UDP);
		if (bpf_sockets_are_exact(&bpf.stats))
			assert_int_equal(sightings(&bpf, cookies), STEADY);
		rows_deinit(&bpf);
	}
	c.stop = true;
	pthread_join(thread, NULL);
	pool_deinit(pool);
	free(pool);
}

static void sockets_are_those_of_the_opener_s_namespace(void **state)
{
	struct tape tape = TAPE_INIT;
	struct pool pool = { .n = 0 };
	struct bpf_iter it = BPF_ITER_INIT;
	struct rows rows = { .kind = BPF_KIND_TCP };
	uint64_t cookie;

	(void)state;
	enter_netns();
	cookie = cookie_of(listener(&pool, AF_INET, 1));
	assert_int_equal(bpf_iter_open(BPF_KIND_TCP, &it), 0);
	enter_netns();
	listener(&pool, AF_INET, 1);
	assert_int_equal(bpf_iter_read(&tape, &it, 0, live_chunk, &rows), 0);
	bpf_iter_close(&it);
	assert_int_equal(rows.sockets.n, 1);
	assert_int_equal(rows.sockets.items[0].row.cookie, cookie);
	rows_deinit(&rows);
	pool_deinit(&pool);
}

static int record_without_caps(void)
{
	struct tape tape = TAPE_INIT;
	struct rows rows;

	return set_caps(0) < 0 || tape_open(&tape, "record-2", NULL) < 0 ||
	       live_read(&tape, BPF_KIND_UDP, &rows) != -EPERM;
}

static void what_was_recorded_is_replayed(void **state)
{
	char dir[] = "/tmp/test_bpf-XXXXXX", command[64];
	struct pool pool = { .n = 0 };
	struct tape tape = TAPE_INIT;
	struct rows live, replayed;

	(void)state;
	enter_netns();
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	make_tcp(&pool, AF_INET);
	assert_int_equal(tape_open(&tape, "record-1", NULL), 0);
	assert_int_equal(live_read(&tape, BPF_KIND_TCP, &live), 0);
	tape_close(&tape);
	pool_deinit(&pool);
	assert_int_equal(tape_open(&tape, NULL, "record-1"), 0);
	assert_int_equal(live_read(&tape, BPF_KIND_TCP, &replayed), 0);
	assert_true(live.sockets.n > 10);
	assert_int_equal(live.sockets.n, replayed.sockets.n);
	assert_memory_equal(live.sockets.items, replayed.sockets.items,
			    live.sockets.n * sizeof(live.sockets.items[0]));
	rows_deinit(&live);
	rows_deinit(&replayed);
	assert_int_equal(live_read(&tape, BPF_KIND_OWNERS, &replayed), -ENODATA);
	tape_close(&tape);
	assert_int_equal(in_child(record_without_caps), 0);
	assert_int_equal(tape_open(&tape, NULL, "record-2"), 0);
	assert_int_equal(live_read(&tape, BPF_KIND_UDP, &replayed), -EPERM);
	tape_close(&tape);
	assert_int_equal(chdir("/"), 0);
	snprintf(command, sizeof(command), "rm -r %s", dir);
	assert_int_equal(system(command), 0);
}

static int run_all(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_is_what_sock_diag_says),
		cmocka_unit_test(udp_is_what_sock_diag_says),
		cmocka_unit_test(unix_is_what_unix_diag_says),
		cmocka_unit_test(no_unix_socket_is_lost_among_many),
		cmocka_unit_test(lasting_sockets_are_visited_once_under_churn),
		cmocka_unit_test(sockets_are_those_of_the_opener_s_namespace),
		cmocka_unit_test(what_was_recorded_is_replayed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return live_main(run_all);
}
