/* SPDX-License-Identifier: MIT */
/* Questions, and the sentences that hand-made snapshots lead to: which ones, and with which words.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <errno.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "model/snapshot.h"
#include "ui/explain/explain.h"
#include "ui/explain/write.h"
#include "ui_names.h"

#define LOOPBACK                                                                                   \
	{                                                                                          \
		127, 0, 0, 1                                                                       \
	}

/* --- questions --- */

static void test_queries(void **state)
{
	static const struct {
		const char *text, *second;
		int as;
		unsigned readings;
	} good[] = {
		{ "443", NULL, -1,
		  EXPLAIN_BIT(EXPLAIN_PORT) | EXPLAIN_BIT(EXPLAIN_PID) |
			  EXPLAIN_BIT(EXPLAIN_INODE) },
		{ "0", NULL, -1, EXPLAIN_BIT(EXPLAIN_PORT) },
		{ "65536", NULL, -1, EXPLAIN_BIT(EXPLAIN_PID) | EXPLAIN_BIT(EXPLAIN_INODE) },
		{ "4194305", NULL, -1, EXPLAIN_BIT(EXPLAIN_INODE) },
		{ "443", NULL, EXPLAIN_PID, EXPLAIN_BIT(EXPLAIN_PID) },
		{ "443", NULL, EXPLAIN_NAME, EXPLAIN_BIT(EXPLAIN_NAME) },
		{ "53/udp", NULL, -1, EXPLAIN_BIT(EXPLAIN_PORT) },
		{ "https", NULL, -1, EXPLAIN_BIT(EXPLAIN_PORT) | EXPLAIN_BIT(EXPLAIN_NAME) },
		{ "no-such-service", NULL, -1, EXPLAIN_BIT(EXPLAIN_NAME) },
		{ "127.0.0.1:22", NULL, -1, EXPLAIN_BIT(EXPLAIN_SOCKET) },
		{ "[::1]:22", NULL, -1, EXPLAIN_BIT(EXPLAIN_SOCKET) },
		{ "*:22", NULL, -1, EXPLAIN_BIT(EXPLAIN_SOCKET) },
		{ ":22", NULL, -1, EXPLAIN_BIT(EXPLAIN_SOCKET) },
		{ "::1", NULL, -1, EXPLAIN_BIT(EXPLAIN_ADDRESS) },
		{ "2001:db8::1:80", NULL, -1, EXPLAIN_BIT(EXPLAIN_ADDRESS) },
		{ "fe80::1%lo", NULL, -1, EXPLAIN_BIT(EXPLAIN_ADDRESS) },
		{ "127.0.0.1:22 127.0.0.1:99", NULL, -1, EXPLAIN_BIT(EXPLAIN_PAIR) },
		{ "127.0.0.1:22 -> 127.0.0.1:99", NULL, -1, EXPLAIN_BIT(EXPLAIN_PAIR) },
		{ "127.0.0.1:22", "[::1]:99", -1, EXPLAIN_BIT(EXPLAIN_PAIR) },
		{ "/run/x", NULL, -1, EXPLAIN_BIT(EXPLAIN_PATH) },
		{ "/run/a socket", NULL, -1, EXPLAIN_BIT(EXPLAIN_PATH) },
		{ "@x", NULL, -1, EXPLAIN_BIT(EXPLAIN_PATH) },
		{ "two words", NULL, -1, EXPLAIN_BIT(EXPLAIN_NAME) },
	};
	static const struct {
		const char *text, *second;
		int as;
	} bad[] = {
		{ "", NULL, -1 },
		{ "65536", NULL, EXPLAIN_PORT },
		{ "127.0.0.1", NULL, EXPLAIN_SOCKET },
		{ "127.0.0.1:65536", NULL, EXPLAIN_SOCKET },
		{ "127.0.0.1:22", "nonsense", -1 },
		{ "22", "23", -1 },
		{ "99999999999999999999", NULL, EXPLAIN_INODE },
	};
	struct explain_query q;

	(void)state;
	for (size_t i = 0; i < LEN(good); i++) {
		assert_int_equal(explain_query_parse(good[i].text, good[i].second, good[i].as, &q),
				 0);
		assert_int_equal(q.readings, good[i].readings);
	}
	for (size_t i = 0; i < LEN(bad); i++)
		assert_int_equal(explain_query_parse(bad[i].text, bad[i].second, bad[i].as, &q),
				 -EINVAL);
}

/* Whatever a process is called, the filter made of it is one that the parser takes as it is meant.
 */
static void test_filters(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(hostile); i++) {
		_cleanup_(cleanup_buf) struct buf text = BUF_INIT, b = BUF_INIT;
		struct explain_query q;
		struct pv_filter *f;

		buf_put(&text, hostile[i].data, hostile[i].len);
		if (explain_query_parse(buf_str(&text), NULL, EXPLAIN_NAME, &q) < 0)
			continue;
		assert_int_equal(explain_query_filter(&q, &b), 0);
		assert_int_equal(pv_filter_parse(buf_str(&b), &f, NULL), 0);
		pv_filter_free(f);
	}
}

/* --- snapshots --- */

struct fixture {
	struct pv_snapshot *s;
	struct pv_detail detail;
	uint32_t init, parent, child;
};

static uint32_t add_process(struct pv_snapshot *s, int32_t pid, const char *comm, int32_t ppid,
			    uint32_t parent)
{
	struct pv_process p = { .pid = pid,
				.uid = UINT32_MAX,
				.start_ticks = (uint64_t)pid * 100,
				.known = PV_PROCESS_PARENT,
				.ppid = ppid,
				.parent = parent };
	uint32_t index;

	p.comm = (struct pv_bytes){ comm, (uint32_t)strlen(comm) };
	assert_int_equal(snapshot_add_process(s, &p, &index), 0);
	return index;
}

static int setup(void **state)
{
	struct pv_netns netns = { .ephemeral_first = 32768, .ephemeral_last = 60999 };
	struct fixture *f = calloc(1, sizeof(*f));

	if (!f)
		return -1;
	f->s = snapshot_new();
	if (!f->s || vec_push(&f->s->netns, netns) < 0)
		return -1;
	f->s->clock = (struct pv_clock){ 1000000, 360000 };
	f->init = add_process(f->s, 1, "systemd", 0, 0);
	f->parent = add_process(f->s, 20, "sshd", 1, f->init + 1);
	f->child = add_process(f->s, 30, "worker", 20, f->parent + 1);
	f->detail.present = PV_DETAIL_TCP;
	f->detail.tcp_len = 280;
	f->detail.tcp.snd_wnd = f->detail.tcp.rcv_wnd = 1000;
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	pv_snapshot_free(f->s);
	free(f);
	return 0;
}

static struct pv_conversation connection(const struct fixture *f)
{
	return (struct pv_conversation){
		.family = AF_INET,
		.proto = PV_PROTO_TCP,
		.type = SOCK_STREAM,
		.state = PV_STATE_ESTABLISHED,
		.inode = 4711,
		.uid = UINT32_MAX,
		.local = { LOOPBACK, 80 },
		.remote = { LOOPBACK, 40000 },
		.direction = PV_DIR_INCOMING,
		.direction_by = PV_BY_LISTENER,
		.detail = &f->detail,
	};
}

/* The text of the explanation, and its JSON, one behind the other */
static const char *explained(struct fixture *f, const char *what, int as, struct buf *b)
{
	const struct explain_look look = { 0 };
	struct explain_query q;
	struct explanation e;
	int found;

	snapshot_seal(f->s);
	assert_int_equal(explain_query_parse(what, NULL, as, &q), 0);
	explanation_init(&e, f->s, EXPLAIN_NEEDS);
	found = explain_choose(&q, f->s);
	if (found >= 0)
		explain(&e, &q, (enum explain_as)found);
	buf_clear(b);
	assert_int_equal(explain_write_text(&e, &look, b), 0);
	/* every place was filled */
	assert_null(strchr(buf_str(b), '{'));
	assert_int_equal(explain_write_json(&e, what, explain_as_name((enum explain_as)found), b),
			 0);
	explanation_deinit(&e);
	return buf_str(b);
}

static void assert_says(const char *text, const char *sentence)
{
	if (!strstr(text, sentence))
		fail_msg("'%s' is not said in:\n%s", sentence, text ? text : "");
}

static void assert_not(const char *text, const char *sentence)
{
	if (strstr(text, sentence))
		fail_msg("'%s' is said in:\n%s", sentence, text ? text : "");
}

static void add(struct fixture *f, const struct pv_conversation *c, uint32_t process, int32_t fd)
{
	struct pv_conversation *row = snapshot_add(f->s, c);
	struct pv_holder holder = { process, fd };

	assert_non_null(row);
	assert_int_equal(snapshot_set_holders(f->s, row, &holder, 1), 0);
}

/* A change to a plain connection, and the sentence that it alone leads to. */
struct tcp_case {
	const char *says;
	void (*change)(struct pv_conversation *c, struct pv_detail *d);
};

static void set_retransmitting(struct pv_conversation *c, struct pv_detail *d)
{
	(void)d;
	c->timer = PV_TIMER_ON;
	c->retrans = 3;
	c->timer_ms = 1600;
}

static void set_keepalive(struct pv_conversation *c, struct pv_detail *d)
{
	(void)d;
	c->timer = PV_TIMER_KEEPALIVE;
	c->timer_ms = 7200000;
}

static void set_zero_window(struct pv_conversation *c, struct pv_detail *d)
{
	c->send_q = 100;
	d->tcp.snd_wnd = 0;
}

static void set_probe(struct pv_conversation *c, struct pv_detail *d)
{
	(void)d;
	c->timer = PV_TIMER_PROBE;
	c->timer_ms = 400;
}

static void set_closed_window(struct pv_conversation *c, struct pv_detail *d)
{
	c->recv_q = 1;
	d->tcp.rcv_wnd = 0;
}

static void set_app_limited(struct pv_conversation *c, struct pv_detail *d)
{
	(void)c;
	d->tcp.app_limited = 1;
	d->tcp.bytes_sent = 10;
}

static void set_receiver_limited(struct pv_conversation *c, struct pv_detail *d)
{
	(void)c;
	d->tcp.busy_time = 9000000;
	d->tcp.rwnd_limited = 2500000;
}

static void set_buffer_limited(struct pv_conversation *c, struct pv_detail *d)
{
	(void)c;
	d->tcp.busy_time = 9000000;
	d->tcp.sndbuf_limited = 500000;
}

static void set_idle(struct pv_conversation *c, struct pv_detail *d)
{
	(void)c;
	d->tcp.data_segs_in = d->tcp.data_segs_out = 1;
	d->tcp.last_data_recv = 3723000;
	d->tcp.last_data_sent = 9000000;
}

static void set_unused(struct pv_conversation *c, struct pv_detail *d)
{
	(void)c;
	d->tcp.last_data_recv = 65000;
}

static void set_recovering(struct pv_conversation *c, struct pv_detail *d)
{
	(void)c;
	d->tcp.ca_state = 3;
	d->tcp.total_retrans = 1;
	d->tcp.segs_out = 9;
}

static const struct tcp_case tcp_cases[] = {
	{ "It is retransmitting: 3 attempts have had no answer; the next follows in 1.6 s.",
	  set_retransmitting },
	{ "Keepalive is on: the next probe goes out in 2 h 0 min.", set_keepalive },
	{ "The other end's receive window is zero", set_zero_window },
	{ "window is too small for what waits here; the kernel asks again in 400 ms.", set_probe },
	{ "The receive window offered here is zero", set_closed_window },
	{ "It is application-limited", set_app_limited },
	{ "It is receiver-limited: for 2.5 s of the 9.0 s", set_receiver_limited },
	{ "Its send buffer is too small: for 500 ms of the 9.0 s", set_buffer_limited },
	{ "It has been idle for 1 h 2 min: no data in either direction.", set_idle },
	{ "It was established 1 min 5 s ago.", set_unused },
	{ "Of 9 segments sent, 1 was sent again.", set_recovering },
};

static void test_tcp(void **state)
{
	for (size_t i = 0; i < LEN(tcp_cases); i++) {
		_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
		struct pv_conversation c;
		struct fixture *f;
		const char *text;

		assert_int_equal(setup(state), 0);
		f = *state;
		c = connection(f);
		tcp_cases[i].change(&c, &f->detail);
		add(f, &c, f->child, 7);
		text = explained(f, "4711", EXPLAIN_INODE, &b);
		for (size_t k = 0; k < LEN(tcp_cases); k++) {
			/* a connection without data is one of unknown use: its age is always told
			 */
			if (k == i)
				assert_says(text, tcp_cases[k].says);
			else
				assert_not(text, tcp_cases[k].says);
		}
		teardown(state);
	}
	assert_int_equal(setup(state), 0);
}

static void test_direction(void **state)
{
	static const struct {
		uint8_t direction, by;
		const char *says;
	} cases[] = {
		{ PV_DIR_INCOMING, PV_BY_STATE, "The other end opened it: its request is what" },
		{ PV_DIR_OUTGOING, PV_BY_STATE, "It was opened here: the request has been sent" },
		{ PV_DIR_INCOMING, PV_BY_LISTENER, "a listener here has the local port 80." },
		{ PV_DIR_OUTGOING, PV_BY_PEER_LISTENER, "its port 40000 has the listener." },
		{ PV_DIR_INCOMING, PV_BY_PORTS,
		  "Probably the other end opened it: its port 40000" },
		{ PV_DIR_OUTGOING, PV_BY_PORTS, "Probably it was opened here: the local port 80" },
		{ PV_DIR_UNKNOWN, PV_BY_NONE, "Who opened it is not known" },
	};

	for (size_t i = 0; i < LEN(cases); i++) {
		_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
		struct pv_conversation c;
		struct fixture *f;

		assert_int_equal(setup(state), 0);
		f = *state;
		c = connection(f);
		c.direction = cases[i].direction;
		c.direction_by = cases[i].by;
		add(f, &c, f->child, 7);
		assert_says(explained(f, "4711", EXPLAIN_INODE, &b), cases[i].says);
		teardown(state);
	}
	assert_int_equal(setup(state), 0);
}

static void test_process(void **state)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct fixture *f = *state;
	struct pv_conversation c = connection(f);
	const char *text;

	add(f, &c, f->child, 7);
	text = explained(f, "30", EXPLAIN_PID, &b);
	assert_says(text, "Process worker(30)\n");
	assert_says(text, "Its parents are sshd(20), systemd(1).");
	/* started at tick 3000, asked at 360000 */
	assert_says(text, ", 59 min 30 s ago.");
	assert_says(text, "\"process_since\",\"values\":{\"time\":1000030,\"ago\":3570000}");
	assert_says(text, "It holds 1 socket:\n");
	assert_says(text, "tcp ESTABLISHED 127.0.0.1:80 <- 127.0.0.1:40000: worker(30)\n");
	text = explained(f, "1", EXPLAIN_PID, &b);
	assert_says(text, "It has no parent in this pid namespace.");
	assert_says(text, "It holds no socket that can be seen from here.");
}

/* Parents that form a ring must not be followed for ever. */
static void test_ring(void **state)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct fixture *f = *state;

	f->s->processes.items[f->init].parent = f->child + 1;
	assert_says(explained(f, "30", EXPLAIN_PID, &b), "systemd(1), worker(30), sshd(20)");
}

static void test_ports(void **state)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct fixture *f = *state;
	struct pv_conversation c = connection(f);
	const char *text;

	c.state = PV_STATE_LISTEN;
	c.direction = PV_DIR_LISTEN;
	c.remote = (struct pv_endpoint){ 0 };
	c.recv_q = 5;
	c.send_q = 4;
	add(f, &c, f->child, 7);
	text = explained(f, "80", -1, &b);
	assert_says(text, "It is a well-known port");
	assert_says(text, "The registry gives 80/tcp to http (");
	assert_says(text, "this number is not one of them");
	assert_says(text, "tcp listener at 127.0.0.1:80\n");
	assert_says(text, "from this host only");
	assert_says(text, "Its queue is full: 5 connections wait");
	assert_says(text, "worker(30) holds it, as descriptor 7.");
	assert_not(text, "Nobody listens");
	text = explained(f, "40000", -1, &b);
	assert_says(text, "and this is one of them");
	assert_says(text, "and no socket of this host uses it.");
	text = explained(f, "30", -1, &b);
	assert_says(text, "There is also a process with the id 30; --as=pid explains it.");
	assert_says(explained(f, "51820/udp", -1, &b), "is widely used for wireguard");
}

static void test_activation(void **state)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct fixture *f = *state;
	struct pv_process *p = &f->s->processes.items[f->child];
	struct pv_conversation c = connection(f);
	struct pv_conversation *row;
	const struct pv_holder both[] = { { f->init, 9 }, { f->child, 4 } };

	c.state = PV_STATE_LISTEN;
	c.remote = (struct pv_endpoint){ 0 };
	row = snapshot_add(f->s, &c);
	assert_int_equal(snapshot_set_holders(f->s, row, both, 1), 0);
	assert_says(explained(f, "4711", EXPLAIN_INODE, &b),
		    "The manager systemd(1) alone holds it");
	assert_says(buf_str(&b), "Which unit that is cannot be read from /proc");

	assert_int_equal(snapshot_set_holders(f->s, row, both, 2), 0);
	p->known |= PV_PROCESS_LISTEN;
	p->listen_pid = 30;
	p->listen_fds = 2;
	p->listen_names = (struct pv_bytes)NAME("a.socket:b.socket");
	assert_says(explained(f, "4711", EXPLAIN_INODE, &b),
		    "systemd did, for the unit b.socket, and handed it over");
	assert_says(buf_str(&b), "The manager systemd(1) holds it, too");
	assert_not(buf_str(&b), "Which unit that is");
	p->listen_names = (struct pv_bytes)NAME("a.socket:unknown");
	assert_says(explained(f, "4711", EXPLAIN_INODE, &b), "(LISTEN_FDS), without a name.");
	/* the variables of a parent, inherited, say nothing about this process */
	p->listen_pid = 20;
	assert_not(explained(f, "4711", EXPLAIN_INODE, &b), "LISTEN_FDS");
}

/* Names of any bytes come out on their own line, and never as anything else. */
static void test_hostile(void **state)
{
	for (size_t i = 0; i < LEN(hostile); i++) {
		_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
		struct pv_conversation c;
		struct fixture *f;
		struct pv_process *p;

		assert_int_equal(setup(state), 0);
		f = *state;
		c = connection(f);
		p = &f->s->processes.items[f->child];
		p->comm = p->exe = p->unit = p->container = p->runtime = hostile[i];
		p->cmdline = hostile[i];
		add(f, &c, f->child, 7);
		explained(f, "4711", EXPLAIN_INODE, &b);
		for (size_t k = 0; k < b.len; k++)
			assert_true((unsigned char)b.data[k] >= ' ' || b.data[k] == '\n');
		assert_null(strstr(buf_str(&b), "\302\233"));
		assert_null(strstr(buf_str(&b), "\177"));
		teardown(state);
	}
	assert_int_equal(setup(state), 0);
}

static void test_nothing(void **state)
{
	struct fixture *f = *state;
	struct explain_query q;

	assert_int_equal(explain_query_parse("nosuch", NULL, -1, &q), 0);
	assert_int_equal(explain_choose(&q, f->s), -1);
	assert_int_equal(explain_query_parse("31", NULL, EXPLAIN_PID, &q), 0);
	assert_int_equal(explain_choose(&q, f->s), -1);
}

/* ids are unique, and a place of the plural is one of the singular's values */
static void test_table(void **state)
{
	(void)state;
	for (int i = 0; i < SENTENCE_N; i++) {
		const struct sentence *s = sentence_of((enum sentence_id)i);

		assert_non_null(s->text);
		assert_true(*s->text != 0);
		assert_true(!s->plural || strstr(s->plural, "{n}"));
		for (int k = 0; k < i; k++)
			assert_string_not_equal(s->key, sentence_of((enum sentence_id)k)->key);
	}
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_queries),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_table),
		cmocka_unit_test_teardown(test_tcp, teardown),
		cmocka_unit_test_teardown(test_direction, teardown),
		cmocka_unit_test_teardown(test_hostile, teardown),
		WITH(test_process),
		WITH(test_ring),
		WITH(test_ports),
		WITH(test_activation),
		WITH(test_nothing),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
