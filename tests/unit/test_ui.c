/* SPDX-License-Identifier: MIT */
/* Writers, on snapshots made by hand. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include <portavoz/registry.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "model/snapshot.h"
#include "ui/columns/columns.h"
#include "ui/render/render.h"
#include "ui/text/escape.h"
#include "ui_names.h"

/* ---- snapshots ---- */

static struct pv_conversation tcp4(enum pv_state state, const char *local, unsigned local_port,
				   const char *remote, unsigned remote_port)
{
	struct pv_conversation c = { .proto = PV_PROTO_TCP,
				     .family = AF_INET,
				     .type = SOCK_STREAM,
				     .state = (uint8_t)state,
				     .local.port = local_port,
				     .remote.port = remote_port };

	memcpy(c.local.addr, local, 4);
	memcpy(c.remote.addr, remote, 4);
	return c;
}

#define ANY "\0\0\0\0"
#define HERE "\12\0\0\1"
#define THERE "\300\0\2\7"
#define LO "\177\0\0\1"

static uint32_t add_process(struct pv_snapshot *s, int pid, struct pv_bytes comm)
{
	struct pv_process p = { .pid = pid, .start_ticks = 1000 + (unsigned)pid, .comm = comm };
	uint32_t index;

	assert_int_equal(snapshot_add_process(s, &p, &index), 0);
	return index;
}

static struct pv_conversation *add_held(struct pv_snapshot *s, const struct pv_conversation *c,
					uint32_t process, int fd)
{
	struct pv_conversation *row = snapshot_add(s, c);
	struct pv_holder h = { process, fd };

	assert_non_null(row);
	assert_int_equal(snapshot_set_holders(s, row, &h, 1), 0);
	return row;
}

static void add_netns(struct pv_snapshot *s)
{
	struct pv_netns n = { .inode = 4026531840,
			      .ephemeral_first = 32768,
			      .ephemeral_last = 60999 };

	assert_int_equal(vec_push(&s->netns, n), 0);
}

/* A listener, its two conversations on loopback, a client, one in TIME_WAIT. */
static struct pv_snapshot *small_snapshot(void)
{
	struct pv_snapshot *s = snapshot_new();
	struct pv_conversation c = tcp4(PV_STATE_ESTABLISHED, HERE, 40000, THERE, 443);
	struct pv_conversation *row, *peer;
	uint32_t sshd, curl;

	assert_non_null(s);
	add_netns(s);
	sshd = add_process(s, 812, (struct pv_bytes)NAME("sshd"));
	curl = add_process(s, 4711, (struct pv_bytes)NAME("curl"));
	assert_int_equal(snapshot_add_user(s, 0, "root"), 0);

	c.direction = PV_DIR_OUTGOING;
	c.direction_by = PV_BY_PORTS;
	c.uid = 1000;
	c.recv_q = 7;
	c.inode = 77;
	c.remote_name = "www.example.org";
	add_held(s, &c, curl, 5);

	c = tcp4(PV_STATE_LISTEN, ANY, 22, ANY, 0);
	c.direction = PV_DIR_LISTEN;
	c.direction_by = PV_BY_STATE;
	c.send_q = 128;
	add_held(s, &c, sshd, 3);

	c = tcp4(PV_STATE_ESTABLISHED, LO, 22, LO, 50000);
	c.direction = PV_DIR_INCOMING;
	row = add_held(s, &c, sshd, 4);
	c = tcp4(PV_STATE_ESTABLISHED, LO, 50000, LO, 22);
	c.direction = PV_DIR_OUTGOING;
	peer = add_held(s, &c, curl, 6);
	row->peer = 4;
	peer->peer = 3;

	c = tcp4(PV_STATE_TIME_WAIT, HERE, 40001, THERE, 443);
	c.direction = PV_DIR_OUTGOING;
	c.uid = UINT32_MAX;
	c.owner_reason = PV_REASON_TIME_WAIT;
	assert_non_null(snapshot_add(s, &c));
	assert_int_equal(snapshot_add_source(s, "tcp", "sock_diag", PV_SOURCE_WORKING, NULL), 0);
	snapshot_seal(s);
	return s;
}

/* Every hostile name as a process and as a unix socket; pids from 1000. */
static struct pv_snapshot *hostile_snapshot(void)
{
	struct pv_snapshot *s = snapshot_new();

	assert_non_null(s);
	add_netns(s);
	for (size_t i = 0; i < LEN(hostile); i++) {
		struct pv_conversation c = { .proto = PV_PROTO_UNIX,
					     .family = AF_UNIX,
					     .type = SOCK_STREAM,
					     .state = PV_STATE_LISTEN,
					     .inode = 100 + (unsigned)i,
					     .path = &hostile[i] };

		add_held(s, &c, add_process(s, 1000 + (int)i, hostile[i]), 3);
	}
	snapshot_seal(s);
	return s;
}

static void cleanup_snapshot(struct pv_snapshot **s)
{
	pv_snapshot_free(*s);
}

static void render_to(const struct pv_snapshot *s, const char *columns, const char *sort,
		      struct render_options o, struct buf *out)
{
	_cleanup_(cleanup_free) const struct column **parsed = NULL;
	_cleanup_(cleanup_free) struct sort_key *keys = NULL;
	_cleanup_(cleanup_fd) int fd = memfd_create("out", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(columns_parse(columns, "", &parsed, &o.n_columns, NULL), 0);
	o.columns = parsed;
	if (sort)
		assert_int_equal(columns_parse_sort(sort, &keys, &o.n_sort, NULL), 0);
	o.sort = keys;
	assert_int_equal(render_snapshot(s, &o, fd), 0);
	buf_clear(out);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_all(fd, out), 0);
	assert_non_null(buf_str(out));
}

static void assert_rendered(const char *columns, const char *sort, struct render_options o,
			    const char *expected)
{
	_cleanup_(cleanup_snapshot) struct pv_snapshot *s = small_snapshot();
	_cleanup_(cleanup_buf) struct buf out = BUF_INIT;

	render_to(s, columns, sort, o, &out);
	assert_string_equal(out.data, expected);
}

/* ---- table ---- */

static void table_for_people(void **state)
{
	(void)state;
	assert_rendered(
		COLUMNS_TABLE, NULL,
		(struct render_options){ .header = true, .needs = PV_NEED_NAMES },
		"PROTO  STATE        LOCAL            DIR  REMOTE                  SERVICE  PROCESS"
		"                                                       USER/UNIT\n"
		"tcp    LISTEN       0.0.0.0:ssh      <*   *                       ssh      "
		"sshd(812)"
		"                                                     root\n"
		"tcp    ESTABLISHED  10.0.0.1:40000   ->   www.example.org?:https  https    "
		"curl(4711)"
		"                                                    1000\n"
		"tcp    ESTABLISHED  127.0.0.1:ssh    <-   127.0.0.1:50000         ssh      "
		"sshd(812)"
		"                                                     root\n"
		"tcp    ESTABLISHED  127.0.0.1:50000  ->   127.0.0.1:ssh           ssh      "
		"curl(4711)"
		"                                                    root\n"
		"tcp    TIME_WAIT    10.0.0.1:40001   ->   192.0.2.7:https         https    "
		"(closed by "
		"its process; the kernel waits for stray segments)  -\n");
}

static void table_numbers(void **state)
{
	(void)state;
	assert_rendered("recv_q,send_q,local,remote_addr,remote_port,inode,process", "-local_port",
			(struct render_options){ .numeric = true, .header = true, .width = 80 },
			"RECV-Q SEND-Q LOCAL           REMOTE-ADDR REMOTE-PORT INODE PROCESS\n"
			"     0      0 127.0.0.1:50000 127.0.0.1            22     - curl(4711)\n"
			"     0      0 10.0.0.1:40001  192.0.2.7           443     - (time_wait)\n"
			"     7      0 10.0.0.1:40000  192.0.2.7           443    77 curl(4711)\n"
			"     0    128 0.0.0.0:22      0.0.0.0               0     - sshd(812)\n"
			"     0      0 127.0.0.1:22    127.0.0.1         50000     - sshd(812)\n");
}

static size_t count_lines(const struct buf *out)
{
	size_t n = 0;

	for (size_t i = 0; i < out->len; i++)
		n += out->data[i] == '\n';
	return n;
}

static size_t widest_line(const struct buf *out)
{
	size_t widest = 0;

	for (const char *line = out->data, *end; (end = strchr(line, '\n')); line = end + 1) {
		size_t width = text_width(line, (size_t)(end - line));

		widest = width > widest ? width : widest;
	}
	return widest;
}

static void table_fits_terminals(void **state)
{
	static const size_t widths[] = { 1, 20, 40, 60, 70, 80, 100, 120, 160, 200, 400 };
	_cleanup_(cleanup_snapshot) struct pv_snapshot *s = small_snapshot();
	_cleanup_(cleanup_buf) struct buf out = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < LEN(widths); i++) {
		struct render_options o = { .header = true, .width = widths[i] };

		render_to(s, COLUMNS_TABLE, NULL, o, &out);
		assert_int_equal(count_lines(&out), 6);
		assert_null(memchr(out.data, '\033', out.len));
		if (widths[i] >= 60)
			assert_true(widest_line(&out) <= widths[i]);
		/* ports and pids survive */
		if (widths[i] >= 80) {
			assert_non_null(strstr(out.data, "(4711)"));
			assert_non_null(strstr(out.data, ":50000"));
			assert_non_null(strstr(out.data, ":https"));
		}
	}
}

static void table_drops_only_what_it_may(void **state)
{
	_cleanup_(cleanup_snapshot) struct pv_snapshot *s = small_snapshot();
	_cleanup_(cleanup_buf) struct buf out = BUF_INIT;
	struct render_options o = { .header = true, .width = 80 };

	(void)state;
	render_to(s, COLUMNS_TABLE, NULL, o, &out);
	assert_null(strstr(out.data, "USER"));
	assert_non_null(strstr(out.data, "PROCESS"));
	o.keep_columns = true;
	render_to(s, COLUMNS_TABLE, NULL, o, &out);
	assert_non_null(strstr(out.data, "USER"));
}

/* Where there is no room every state has six characters of its own. */
static void table_shortens_states(void **state)
{
	_cleanup_(cleanup_snapshot) struct pv_snapshot *s = snapshot_new();
	_cleanup_(cleanup_buf) struct buf out = BUF_INIT;

	(void)state;
	assert_non_null(s);
	for (int i = PV_STATE_ESTABLISHED; i <= PV_STATE_CLOSING; i++) {
		struct pv_conversation c = tcp4((enum pv_state)i, ANY, 80, ANY, 0);

		assert_non_null(snapshot_add(s, &c));
	}
	snapshot_seal(s);
	render_to(s, "state", NULL, (struct render_options){ .width = 11 }, &out);
	assert_non_null(strstr(out.data, "CLOSE_WAIT\n"));
	render_to(s, "state", NULL, (struct render_options){ .width = 10 }, &out);
	assert_string_equal(out.data, "LISTEN\nESTAB\nSYN_S\nSYN_R\nFIN_W1\nFIN_W2\nTIME_W\n"
				      "CLOSE\nCLOS_W\nLAST_A\nCLOSNG\n");
}

static void table_hostile_names(void **state)
{
	static const size_t widths[] = { 0, 80, 160 };
	_cleanup_(cleanup_snapshot) struct pv_snapshot *s = hostile_snapshot();
	_cleanup_(cleanup_buf) struct buf out = BUF_INIT;

	(void)state;
	for (size_t w = 0; w < LEN(widths); w++) {
		struct render_options o = { .width = widths[w] };
		size_t row = 0;
		char *rest, *line;

		render_to(s, "state,process,local,comm,path", NULL, o, &out);
		assert_int_equal(count_lines(&out), LEN(hostile));
		for (rest = out.data; (line = strsep(&rest, "\n")) && *line; row++) {
			char pid[16];

			snprintf(pid, sizeof(pid), "(%zu)", 1000 + row);
			assert_true(is_harmless(line, strlen(line)));
			assert_non_null(strstr(line, pid));
			assert_memory_equal(line, "LISTEN ", 7);
			/* five fields, whatever is in them */
			if (!widths[w]) {
				size_t fields = 1;

				for (char *gap = line; (gap = strstr(gap, "  ")); fields++)
					gap += strspn(gap, " ");
				assert_int_equal(fields, 5);
			}
		}
	}
}

static void assert_ends(const struct pv_conversation *c, const char *expected)
{
	_cleanup_(cleanup_snapshot) struct pv_snapshot *s = snapshot_new();
	_cleanup_(cleanup_buf) struct buf out = BUF_INIT;

	assert_non_null(s);
	assert_int_equal(snapshot_add_ifname(s, 0, 2, "eth0"), 0);
	assert_non_null(snapshot_add(s, c));
	snapshot_seal(s);
	render_to(s, "local,remote", NULL, (struct render_options){ 0 }, &out);
	out.data[out.len - 1] = 0;
	assert_string_equal(out.data, expected);
}

static void table_ends(void **state)
{
	struct pv_conversation c = { .proto = PV_PROTO_TCP,
				     .family = AF_INET6,
				     .state = PV_STATE_LISTEN,
				     .local.port = 22 };
	struct pv_bytes path = NAME("\0bus"), at = NAME("@bus");

	(void)state;
	assert_ends(&c, "*:ssh  *");
	c.flags = PV_CONV_V6ONLY | PV_CONV_V6ONLY_KNOWN;
	assert_ends(&c, "[::]:ssh  *");
	c = (struct pv_conversation){ .proto = PV_PROTO_TCP,
				      .family = AF_INET6,
				      .state = PV_STATE_ESTABLISHED,
				      .ifindex = 2 };
	c.local.addr[0] = c.remote.addr[0] = 0xfe;
	c.local.addr[1] = c.remote.addr[1] = 0x80;
	c.local.addr[15] = 1;
	c.remote.addr[15] = 2;
	c.local.port = 22;
	c.remote.port = 5432;
	c.direction = PV_DIR_OUTGOING;
	assert_ends(&c, "[fe80::1%eth0]:22  [fe80::2%eth0]:postgresql");
	c.direction = PV_DIR_INCOMING;
	assert_ends(&c, "[fe80::1%eth0]:ssh  [fe80::2%eth0]:5432");
	c = (struct pv_conversation){
		.proto = PV_PROTO_RAW, .family = AF_INET, .protocol = 1, .local.port = 1
	};
	assert_ends(&c, "0.0.0.0:icmp  *");
	c = (struct pv_conversation){
		.proto = PV_PROTO_UNIX, .family = AF_UNIX, .path = &path, .peer_inode = 9
	};
	assert_ends(&c, "@bus  #9");
	c.path = &at;
	assert_ends(&c, "\\x40bus  #9");
	c.path = NULL;
	c.inode = 8;
	c.peer_inode = 0;
	assert_ends(&c, "#8  *");
	c = (struct pv_conversation){
		.proto = PV_PROTO_PACKET, .family = AF_PACKET, .local.port = 0x86dd, .ifindex = 2
	};
	assert_ends(&c, "ipv6:eth0  *");
	c = (struct pv_conversation){ .proto = PV_PROTO_NETLINK,
				      .family = AF_NETLINK,
				      .local.port = 812 };
	assert_ends(&c, "route:812  *");
	c = (struct pv_conversation){ .proto = PV_PROTO_VSOCK,
				      .family = AF_VSOCK,
				      .local.port = 1024,
				      .remote.port = UINT32_MAX };
	memset(c.remote.addr, 0xff, 4);
	memcpy(c.local.addr, &(uint32_t){ 3 }, 4);
	assert_ends(&c, "3:1024  *:*");
}

/* Three holders of one socket, at several widths. */
static void table_many_holders(void **state)
{
	_cleanup_(cleanup_snapshot) struct pv_snapshot *s = snapshot_new();
	_cleanup_(cleanup_buf) struct buf out = BUF_INIT;
	struct pv_conversation c = tcp4(PV_STATE_LISTEN, ANY, 80, ANY, 0);
	struct pv_holder h[4];
	static const struct {
		size_t width;
		const char *expected;
	} cases[] = {
		{ 0, "nginx(10),nginx(11),nginx(12)\n" },
		{ 29, "nginx(10),nginx(11),nginx(12)\n" },
		{ 28, "nginx(10),nginx(11) +1\n" },
		{ 21, "nginx(10) +2\n" },
		{ 12, "nginx(10) +2\n" },
	};

	(void)state;
	assert_non_null(s);
	for (uint32_t i = 0; i < 3; i++)
		h[i] = (struct pv_holder){
			add_process(s, 10 + (int)i, (struct pv_bytes)NAME("nginx")), 6
		};
	h[3] = (struct pv_holder){ 2, 7 };
	assert_int_equal(snapshot_set_holders(s, snapshot_add(s, &c), h, 4), 0);
	snapshot_seal(s);
	for (size_t i = 0; i < LEN(cases); i++) {
		struct render_options o = { .width = cases[i].width };

		render_to(s, "process", NULL, o, &out);
		assert_string_equal(out.data, cases[i].expected);
	}
	render_to(s, "holders", NULL, (struct render_options){ .width = 20 }, &out);
	assert_string_equal(out.data, "nginx(10/6),nginx(11/6),nginx(12/6),nginx(12/7)\n");
}

static void table_colors_only_when_asked(void **state)
{
	_cleanup_(cleanup_snapshot) struct pv_snapshot *s = small_snapshot();
	_cleanup_(cleanup_buf) struct buf plain = BUF_INIT;
	_cleanup_(cleanup_buf) struct buf color = BUF_INIT;
	size_t kept = 0;

	(void)state;
	render_to(s, COLUMNS_TABLE, NULL, (struct render_options){ .header = true }, &plain);
	render_to(s, COLUMNS_TABLE, NULL, (struct render_options){ .header = true, .color = true },
		  &color);
	assert_non_null(memchr(color.data, '\033', color.len));
	for (size_t i = 0; i < color.len; i++) {
		if (color.data[i] == '\033')
			i += strcspn(color.data + i, "m");
		else
			color.data[kept++] = color.data[i];
	}
	assert_int_equal(kept, plain.len);
	assert_memory_equal(color.data, plain.data, kept);
}

/* What of the table is there when names are waited for. */
struct name_wait {
	int fd, calls;
	off_t written;
};

static int wait_for_names(void *userdata)
{
	struct name_wait *w = userdata;

	w->calls++;
	w->written = lseek(w->fd, 0, SEEK_END);
	return 0;
}

static void table_waits_for_names_once(void **state)
{
	_cleanup_(cleanup_snapshot) struct pv_snapshot *s = small_snapshot();
	_cleanup_(cleanup_fd) int fd = memfd_create("out", MFD_CLOEXEC);
	_cleanup_(cleanup_free) const struct column **columns = NULL;
	struct name_wait w = { .fd = fd };
	struct render_options o = { .before_remote = wait_for_names, .userdata = &w };

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(columns_parse("proto,local", "", &columns, &o.n_columns, NULL), 0);
	o.columns = columns;
	assert_int_equal(render_snapshot(s, &o, fd), 0);
	assert_int_equal(w.calls, 1);
	assert_int_equal(w.written, strlen("tcp  0.0.0.0:ssh\n"));
}

/* ---- order ---- */

static void order_by_type(void **state)
{
	(void)state;
	assert_rendered("local_port", "local_addr,-local_port", (struct render_options){ 0 },
			"   22\n40001\n40000\n50000\n   22\n");
	assert_rendered("inode,fd", "-inode", (struct render_options){ 0 },
			"77  5\n -  3\n -  4\n -  6\n -  -\n");
	assert_rendered("fd", "fd", (struct render_options){ 0 }, "3\n4\n5\n6\n-\n");
	assert_rendered("fd", "-fd", (struct render_options){ 0 }, "6\n5\n4\n3\n-\n");
}

static void order_pairs(void **state)
{
	(void)state;
	assert_rendered("local,direction,peer", NULL,
			(struct render_options){ .pairs = true, .numeric = true },
			"0.0.0.0:22       <*  -\n"
			"10.0.0.1:40000   ->  -\n"
			"127.0.0.1:50000  ->  sshd(812)\n"
			"10.0.0.1:40001   ->  -\n");
}

/* ---- machine formats ---- */

static void json_document(void **state)
{
	(void)state;
	assert_rendered(
		"process,local_port,user,service,inode,local_ephemeral", "-fd",
		(struct render_options){ .format = RENDER_JSON },
		"{\"schema\":1,\"coverage\":{\"complete\":true,\"sources\":[{\"name\":\"tcp\","
		"\"via\":\"sock_diag\",\"state\":\"working\",\"cause\":null}],\"gaps\":[]},"
		"\"conversations\":[\n"
		"{\"owners\":[{\"pid\":4711,\"fd\":6,\"comm\":\"curl\",\"start_ticks\":5711}],"
		"\"owner_reason\":null,\"local_port\":50000,\"user\":\"root\","
		"\"service\":\"ssh\",\"inode\":null,\"local_ephemeral\":true},\n"
		"{\"owners\":[{\"pid\":4711,\"fd\":5,\"comm\":\"curl\",\"start_ticks\":5711}],"
		"\"owner_reason\":null,\"local_port\":40000,\"user\":null,"
		"\"service\":\"https\",\"inode\":77,\"local_ephemeral\":true},\n"
		"{\"owners\":[{\"pid\":812,\"fd\":4,\"comm\":\"sshd\",\"start_ticks\":1812}],"
		"\"owner_reason\":null,\"local_port\":22,\"user\":\"root\","
		"\"service\":\"ssh\",\"inode\":null,\"local_ephemeral\":false},\n"
		"{\"owners\":[{\"pid\":812,\"fd\":3,\"comm\":\"sshd\",\"start_ticks\":1812}],"
		"\"owner_reason\":null,\"local_port\":22,\"user\":\"root\","
		"\"service\":\"ssh\",\"inode\":null,\"local_ephemeral\":false},\n"
		"{\"owners\":[],\"owner_reason\":\"time_wait\",\"local_port\":40001,"
		"\"user\":null,\"service\":\"https\",\"inode\":null,"
		"\"local_ephemeral\":true}\n]}\n");
}

static void json_empty(void **state)
{
	_cleanup_(cleanup_snapshot) struct pv_snapshot *s = snapshot_new();
	_cleanup_(cleanup_buf) struct buf out = BUF_INIT;

	(void)state;
	assert_non_null(s);
	snapshot_seal(s);
	render_to(s, "pid", NULL, (struct render_options){ .format = RENDER_JSON }, &out);
	assert_string_equal(out.data,
			    "{\"schema\":1,\"coverage\":{\"complete\":true,\"sources\":[],"
			    "\"gaps\":[]},\"conversations\":[\n]}\n");
	render_to(s, "pid", NULL, (struct render_options){ .format = RENDER_CSV }, &out);
	assert_string_equal(out.data, "");
}

/* What a detail was asked for is in the objects, null when it could not be read. */
static void json_owner_details(void **state)
{
	_cleanup_(cleanup_snapshot) struct pv_snapshot *s = snapshot_new();
	_cleanup_(cleanup_buf) struct buf out = BUF_INIT;
	struct pv_conversation c = tcp4(PV_STATE_LISTEN, ANY, 80, ANY, 0);
	struct pv_process p = { .pid = 5,
				.uid = 33,
				.comm = NAME("a"),
				.exe = NAME("/bin/a"),
				.cmdline = NAME("/bin/a\0-x y\0\0z\0\0\0") };
	struct pv_process gone = { .pid = 6, .uid = UINT32_MAX, .reason = PV_REASON_GONE };
	struct pv_holder h[2] = { { 0, 3 }, { 0, 4 } };
	struct render_options o = { .format = RENDER_JSONL,
				    .needs = PV_NEED_EXE | PV_NEED_CMDLINE | PV_NEED_PUSER };

	(void)state;
	assert_non_null(s);
	assert_int_equal(snapshot_add_process(s, &p, &h[0].process), 0);
	assert_int_equal(snapshot_add_process(s, &gone, &h[1].process), 0);
	assert_int_equal(snapshot_add_user(s, 33, "www"), 0);
	assert_int_equal(snapshot_set_holders(s, snapshot_add(s, &c), h, 2), 0);
	snapshot_seal(s);
	render_to(s, "cmdline,owners", NULL, o, &out);
	*strchr(out.data, '\n') = 0;
	assert_string_equal(
		out.data,
		"{\"cmdline\":[\"/bin/a\",\"-x y\",\"\",\"z\"],\"owners\":[{\"pid\":5,\"fd\":3,"
		"\"comm\":\"a\",\"start_ticks\":null,\"exe\":\"/bin/a\","
		"\"cmdline\":[\"/bin/a\",\"-x y\",\"\",\"z\"],\"uid\":33,\"user\":\"www\"},"
		"{\"pid\":6,\"fd\":4,\"comm\":null,\"start_ticks\":null,\"exe\":null,"
		"\"cmdline\":null,\"uid\":null,\"user\":null,\"reason\":\"gone\"}]}");
	render_to(s, "cmdline,owners", NULL, (struct render_options){ 0 }, &out);
	assert_string_equal(out.data, "/bin/a -x\\x20y \"\" z  5/3/a 6/4/-\n");
	render_to(s, "uid,process_uid,process_user", NULL, (struct render_options){ 0 }, &out);
	assert_string_equal(out.data, "0  33  www\n");
}

/* "pid 0xcomm 0xpath" for each row, as an independent reader finds them in the file. */
static void read_back(const char *form, const struct buf *text, struct buf *ret)
{
	_cleanup_(cleanup_fd) int fd = memfd_create("text", 0);
	_cleanup_(cleanup_buf) struct buf command = BUF_INIT;
	FILE *pipe;
	int c;

	assert_true(fd >= 0);
	assert_int_equal(fd_write_all(fd, text->data, text->len), 0);
	buf_printf(&command,
		   "python3 '" TEST_SOURCE "/tests/unit/data/ui/readback.py' %s /dev/fd/%d", form,
		   fd);
	pipe = popen(buf_str(&command), "r");
	assert_non_null(pipe);
	while ((c = getc(pipe)) != EOF)
		buf_putc(ret, (char)c);
	assert_int_equal(pclose(pipe), 0);
	assert_non_null(buf_str(ret));
}

static void put_hex(struct buf *b, const struct pv_bytes *name)
{
	buf_puts(b, " 0x");
	for (uint32_t i = 0; i < name->len; i++)
		buf_printf(b, "%02x", (uint8_t)name->data[i]);
}

static void machine_formats_read_back(void **state)
{
	static const struct {
		enum render_format format;
		const char *name;
	} forms[] = { { RENDER_JSON, "json" }, { RENDER_JSONL, "jsonl" }, { RENDER_CSV, "csv" } };
	_cleanup_(cleanup_snapshot) struct pv_snapshot *s = hostile_snapshot();
	_cleanup_(cleanup_buf) struct buf expected = BUF_INIT;

	(void)state;
	for (size_t i = 0; i < LEN(hostile); i++) {
		buf_printf(&expected, "%zu", 1000 + i);
		put_hex(&expected, &hostile[i]);
		put_hex(&expected, &hostile[i]);
		buf_putc(&expected, '\n');
	}
	for (size_t i = 0; i < LEN(forms); i++) {
		_cleanup_(cleanup_buf) struct buf out = BUF_INIT;
		_cleanup_(cleanup_buf) struct buf back = BUF_INIT;
		struct render_options o = { .format = forms[i].format, .header = true };

		render_to(s, "pid,comm,path,owners", NULL, o, &out);
		for (size_t k = 0; k < out.len; k++)
			assert_true((uint8_t)out.data[k] >= ' ' || out.data[k] == '\n');
		assert_null(memmem(out.data, out.len, "\342\200\256", 3));
		assert_null(memmem(out.data, out.len, "\302\233", 2));
		read_back(forms[i].name, &out, &back);
		assert_string_equal(back.data, buf_str(&expected));
	}
}

static void csv_forms(void **state)
{
	(void)state;
	assert_rendered("comm,local_addr,user,owners,local_ephemeral", "-fd",
			(struct render_options){ .format = RENDER_CSV, .header = true },
			"comm,local_addr,user,owners,local_ephemeral\n"
			"curl,127.0.0.1,root,4711/6/curl,true\n"
			"curl,10.0.0.1,,4711/5/curl,true\n"
			"sshd,127.0.0.1,root,812/4/sshd,false\n"
			"sshd,0.0.0.0,root,812/3/sshd,false\n"
			",10.0.0.1,,,true\n");
}

/* ---- details ---- */

static void details_absent_is_null(void **state)
{
	_cleanup_(cleanup_snapshot) struct pv_snapshot *s = snapshot_new();
	_cleanup_(cleanup_buf) struct buf out = BUF_INIT;
	struct pv_conversation c = tcp4(PV_STATE_ESTABLISHED, HERE, 1, THERE, 2);
	struct pv_detail d = { .present = PV_DETAIL_TCP | PV_DETAIL_CONG | PV_DETAIL_MEM,
			       .tcp_len = 104,
			       .congestion = "cubic",
			       .mem = { 1, 131072 } };

	(void)state;
	assert_non_null(s);
	d.tcp = (struct pv_tcp_info){ .rtt = 34,
				      .snd_cwnd = 10,
				      .bytes_acked = 5,
				      .busy_time = 7000,
				      .min_rtt = UINT32_MAX,
				      .pacing_rate = UINT64_MAX };
	c.detail = &d;
	assert_non_null(snapshot_add(s, &c));
	d.tcp_len = 280;
	assert_non_null(snapshot_add(s, &c));
	d.present = 0;
	assert_non_null(snapshot_add(s, &c));
	snapshot_seal(s);
	render_to(s, "rtt,cwnd,bytes_acked,busy_ms,min_rtt,pacing_rate,rcvbuf,congestion,tos", NULL,
		  (struct render_options){ .format = RENDER_CSV }, &out);
	assert_string_equal(out.data, "34,10,,,,,131072,cubic,\n"
				      "34,10,5,7,,,131072,cubic,\n"
				      ",,,,,,,,\n");
	render_to(s, "info,mem", NULL, (struct render_options){ .width = 20 }, &out);
	assert_string_equal(out.data, "congestion:cubic rtt:34us cwnd:10  rmem:1 rcvbuf:131072\n"
				      "congestion:cubic rtt:34us cwnd:10 bytes_acked:5 busy_ms:7"
				      "  rmem:1 rcvbuf:131072\n"
				      "-  -\n");
}

/* ---- errors, coverage, summary ---- */

/* The allocator, made to fail from the n-th call on; the linker sends every call here. */
static long calls_left = -1;

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__wrap_realloc(void *old, size_t size);

static bool fails(void)
{
	if (calls_left > 0)
		calls_left--;
	return calls_left == 0;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *old, size_t size)
{
	return fails() ? NULL : __real_realloc(old, size);
}

/* Everything from parsing to writing, with memory for n - 1 allocations. */
static int run_with_memory(const struct pv_snapshot *s, int format, long n, int fd)
{
	_cleanup_(cleanup_free) const struct column **columns = NULL;
	_cleanup_(cleanup_free) struct sort_key *keys = NULL;
	struct render_options o = {
		.format = (enum render_format)format, .header = true, .pairs = true, .width = 80
	};
	int r;

	calls_left = n;
	r = columns_parse("+process,mem", COLUMNS_MACHINE, &columns, &o.n_columns, NULL);
	if (r == 0)
		r = columns_parse_sort("-process,local", &keys, &o.n_sort, NULL);
	o.columns = columns;
	o.sort = keys;
	if (r == 0)
		r = render_snapshot(s, &o, fd);
	if (r == 0)
		r = render_summary(s, o.format, false, fd);
	calls_left = -1;
	return r;
}

static void out_of_memory_is_an_error(void **state)
{
	_cleanup_(cleanup_snapshot) struct pv_snapshot *s = hostile_snapshot();
	_cleanup_(cleanup_fd) int fd = open("/dev/null", O_WRONLY | O_CLOEXEC);

	(void)state;
	assert_true(fd >= 0);
	for (int format = 0; format < RENDER_FORMAT_N; format++) {
		long n = 1;
		int r;

		while ((r = run_with_memory(s, format, n, fd)) == -ENOMEM)
			n++;
		assert_int_equal(r, 0);
		assert_true(n > 10);
	}
}

static void write_errors_are_returned(void **state)
{
	_cleanup_(cleanup_snapshot) struct pv_snapshot *s = small_snapshot();
	_cleanup_(cleanup_fd) int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	_cleanup_(cleanup_free) const struct column **columns = NULL;
	int ends[2];
	struct render_options o = { .header = true };

	(void)state;
	assert_true(full >= 0);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	close(ends[0]);
	signal(SIGPIPE, SIG_IGN);
	assert_int_equal(columns_parse(COLUMNS_TABLE, "", &columns, &o.n_columns, NULL), 0);
	o.columns = columns;
	for (int format = 0; format < RENDER_FORMAT_N; format++) {
		o.format = (enum render_format)format;
		assert_int_equal(render_snapshot(s, &o, full), -ENOSPC);
		assert_int_equal(render_snapshot(s, &o, ends[1]), -EPIPE);
		assert_int_equal(render_summary(s, o.format, false, full), -ENOSPC);
	}
	close(ends[1]);
}

static void coverage_in_words(void **state)
{
	_cleanup_(cleanup_snapshot) struct pv_snapshot *s = snapshot_new();
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

	(void)state;
	assert_non_null(s);
	assert_int_equal(snapshot_add_source(s, "tcp", "sock_diag", PV_SOURCE_WORKING, NULL), 0);
	snapshot_seal(s);
	assert_int_equal(render_coverage_line(pv_snapshot_coverage(s), true, &b), 0);
	assert_int_equal(b.len, 0);
	assert_int_equal(
		snapshot_add_source(s, "raw", "/proc/net/raw", PV_SOURCE_FALLBACK, "no raw_diag"),
		0);
	assert_int_equal(snapshot_add_gap(s, PV_GAP_NAMES, 3, NULL), 0);
	snapshot_seal(s);
	assert_int_equal(render_coverage_line(pv_snapshot_coverage(s), false, &b), 0);
	assert_string_equal(buf_str(&b), "portavoz: note: 3 addresses without a name in time "
					 "(raise --dns-timeout, or use -n)\n");
	assert_int_equal(snapshot_add_gap(s, PV_GAP_PROTOCOL, 1, "sc\ntp"), 0);
	snapshot_seal(s);
	buf_clear(&b);
	assert_int_equal(render_coverage_line(pv_snapshot_coverage(s), true, &b), 0);
	assert_string_equal(buf_str(&b),
			    "portavoz: partial: 3 addresses without a name in time (raise "
			    "--dns-timeout, or use -n); 1 protocols that could not be listed: "
			    "sc\\x0atp; raw by /proc/net/raw (no raw_diag)\n");
	buf_clear(&b);
	render_coverage_json(pv_snapshot_coverage(s), &b);
	assert_non_null(strstr(buf_str(&b), "{\"kind\":\"names\",\"count\":3,\"detail\":null,"));
	assert_non_null(strstr(b.data, "\"detail\":\"sc\\u000atp\""));
	assert_non_null(strstr(b.data, "\"complete\":false"));
}

static void summary_of(enum render_format format, struct buf *out)
{
	_cleanup_(cleanup_snapshot) struct pv_snapshot *s = small_snapshot();
	_cleanup_(cleanup_fd) int fd = memfd_create("out", MFD_CLOEXEC);

	assert_true(fd >= 0);
	buf_clear(out);
	assert_int_equal(render_summary(s, format, false, fd), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(fd_read_all(fd, out), 0);
	assert_non_null(buf_str(out));
}

static void summary_counts(void **state)
{
	_cleanup_(cleanup_buf) struct buf out = BUF_INIT;

	(void)state;
	summary_of(RENDER_CSV, &out);
	assert_string_equal(out.data, "kind,name,count\n"
				      "sockets,,5\n"
				      "protocol,tcp,5\n"
				      "state,ESTABLISHED,3\n"
				      "state,TIME_WAIT,1\n"
				      "state,LISTEN,1\n"
				      "group,well-known,5\n"
				      "service,ssh,3\n"
				      "service,https,2\n"
				      "unowned,time_wait,1\n"
				      "process,sshd(812),2\n"
				      "process,curl(4711),2\n"
				      "ephemeral,tcp 192.0.2.7:443,2\n"
				      "ephemeral,tcp 127.0.0.1:22,1\n");
	summary_of(RENDER_JSON, &out);
	assert_non_null(strstr(out.data, "\"service\":{\"ssh\":3,\"https\":2}"));
	assert_non_null(
		strstr(out.data, "\"process\":[{\"pid\":812,\"comm\":\"sshd\",\"sockets\":2},"));
	assert_non_null(strstr(out.data,
			       "\"ephemeral\":[{\"proto\":\"tcp\",\"netns\":4026531840,"
			       "\"remote_addr\":\"192.0.2.7\",\"remote_port\":443,\"used\":2,"
			       "\"range\":28232,\"range_first\":32768,\"range_last\":60999},"));
	summary_of(RENDER_TABLE, &out);
	assert_non_null(strstr(out.data, "sockets                                  5\n"));
	assert_non_null(strstr(out.data, "  ssh                                    3\n"));
	assert_non_null(
		strstr(out.data, "  tcp 192.0.2.7:443                      2 of 28232 (0.0 %)\n"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(table_for_people),
		cmocka_unit_test(table_numbers),
		cmocka_unit_test(table_fits_terminals),
		cmocka_unit_test(table_drops_only_what_it_may),
		cmocka_unit_test(table_shortens_states),
		cmocka_unit_test(table_hostile_names),
		cmocka_unit_test(table_ends),
		cmocka_unit_test(table_many_holders),
		cmocka_unit_test(table_colors_only_when_asked),
		cmocka_unit_test(table_waits_for_names_once),
		cmocka_unit_test(order_by_type),
		cmocka_unit_test(order_pairs),
		cmocka_unit_test(json_document),
		cmocka_unit_test(json_empty),
		cmocka_unit_test(json_owner_details),
		cmocka_unit_test(machine_formats_read_back),
		cmocka_unit_test(csv_forms),
		cmocka_unit_test(details_absent_is_null),
		cmocka_unit_test(write_errors_are_returned),
		cmocka_unit_test(out_of_memory_is_an_error),
		cmocka_unit_test(coverage_in_words),
		cmocka_unit_test(summary_counts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
