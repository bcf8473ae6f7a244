/* SPDX-License-Identifier: MIT */
/* The parsers of procfs texts, on real and on hostile ones, and a recorded procfs replayed. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <portavoz/snapshot.h>

#include "base/cleanup.h"
#include "base/inet.h"
#include "base/vec.h"
#include "procfs/cgroup.h"
#include "procfs/clock.h"
#include "procfs/environ.h"
#include "procfs/maps.h"
#include "procfs/nettables.h"
#include "procfs/process.h"
#include "procfs/scan.h"
#include "procfs/sysctl.h"
#include "procfs/users.h"

/* Rows as the sink saw them, with their names copied. */
struct rows {
	VEC(struct pv_conversation) list;
	char names[16][128];
	uint32_t name_len[16];
};

static int keep_row(void *userdata, const struct pv_conversation *row)
{
	struct rows *rows = userdata;
	size_t n = rows->list.n;

	if (n < 16 && row->path) {
		assert_true(row->path->len <= sizeof(rows->names[n]));
		memcpy(rows->names[n], row->path->data, row->path->len);
		rows->name_len[n] = row->path->len;
	}
	return vec_push(&rows->list, *row);
}

static struct procfs_table_stats parse(enum pv_proto proto, int family, const char *text,
				       const char *text2, struct rows *rows)
{
	struct sink sink = { keep_row, rows };
	struct procfs_table_stats stats;

	*rows = (struct rows){ 0 };
	assert_int_equal(procfs_table_parse(proto, family, text, strlen(text), text2,
					    text2 ? strlen(text2) : 0, &sink, &stats),
			 0);
	assert_int_equal(stats.n_rows, rows->list.n);
	return stats;
}

static void assert_end(int family, const struct pv_endpoint *e, const char *addr, uint32_t port)
{
	char text[INET_TEXT_MAX + 1];

	text[inet_text(family, e->addr, text)] = 0;
	assert_string_equal(text, addr);
	assert_int_equal(e->port, port);
}

#define TCP_HEAD                                                                                   \
	"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  "      \
	"timeout inode\n"

static void test_tcp(void **state)
{
	static const char text[] =
		TCP_HEAD "   0: 00000000:07E8 00000000:0000 0A 00000000:00000003 00:00000000 "
			 "00000000  1000  "
			 "      0 637 1 000000002fef2183 100 0 0 10 0                       \n"
			 "   1: 0100007F:1F90 0200007F:D431 01 0000000A:00000014 01:00000015 "
			 "00000002     0  "
			 "      1 4711 4 0000000082aa7b1e 20 4 30 10 -1\n"
			 "   2: 0100007F:1F90 0300007F:D432 06 00000000:00000000 03:00001770 "
			 "00000000     0  "
			 "      0 0 3 00000000ccd2f9f1\n"
			 "   3: 0100007F:1F90 0400007F:D433 0C 00000000:00000000 01:00000010 "
			 "00000001     0  "
			 "      0 0 1 00000000ccd2f9f2\n";
	struct rows rows;
	struct procfs_table_stats stats = parse(PV_PROTO_TCP, AF_INET, text, NULL, &rows);
	const struct pv_conversation *c = rows.list.items;

	(void)state;
	assert_int_equal(stats.n_rows, 4);
	assert_int_equal(stats.n_malformed, 0);
	assert_end(AF_INET, &c[0].local, "0.0.0.0", 2024);
	assert_int_equal(c[0].state, PV_STATE_LISTEN);
	assert_int_equal(c[0].recv_q, 3);
	assert_int_equal(c[0].uid, 1000);
	assert_int_equal(c[0].inode, 637);
	assert_int_equal(c[0].type, SOCK_STREAM);
	assert_end(AF_INET, &c[1].local, "127.0.0.1", 8080);
	assert_end(AF_INET, &c[1].remote, "127.0.0.2", 54321);
	assert_int_equal(c[1].send_q, 10);
	assert_int_equal(c[1].recv_q, 20);
	assert_int_equal(c[1].timer, PV_TIMER_ON);
	assert_int_equal(c[1].timer_ms, 210);
	assert_int_equal(c[1].retrans, 2);
	assert_int_equal(c[2].state, PV_STATE_TIME_WAIT);
	assert_int_equal(c[2].timer, PV_TIMER_TIMEWAIT);
	assert_int_equal(c[2].timer_ms, 60000);
	assert_int_equal(c[3].state, PV_STATE_SYN_RECV);
	vec_deinit(&rows.list);
}

static void test_tcp6_raw_icmp(void **state)
{
	struct rows rows;

	(void)state;
	parse(PV_PROTO_TCP, AF_INET6,
	      TCP_HEAD "   0: 0000000000000000FFFF00000100007F:0050 "
		       "B80D01200000000000000000010000AB:01BB 01 00000000:00000000 "
		       "00:00000000 00000000     0        0 99 1 00000000aa 20 4 30 10 -1\n",
	      NULL, &rows);
	assert_int_equal(rows.list.n, 1);
	assert_end(AF_INET6, &rows.list.items[0].local, "::ffff:127.0.0.1", 80);
	assert_end(AF_INET6, &rows.list.items[0].remote, "2001:db8::ab00:1", 443);
	vec_deinit(&rows.list);
	parse(PV_PROTO_RAW, AF_INET,
	      TCP_HEAD "   89: 00000000:0059 00000000:0000 07 00000000:00000000 00:00000000 "
		       "00000000     0        0 31337 2 000000005f2d6d57 0\n",
	      NULL, &rows);
	assert_int_equal(rows.list.items[0].protocol, 89);
	assert_int_equal(rows.list.items[0].type, SOCK_RAW);
	assert_int_equal(rows.list.items[0].state, PV_STATE_CLOSE);
	vec_deinit(&rows.list);
	parse(PV_PROTO_PING, AF_INET,
	      TCP_HEAD "    1: 00000000:04D2 00000000:0000 07 00000000:00000000 00:00000000 "
		       "00000000  1000        0 31338 2 000000005f2d6d57 0\n",
	      NULL, &rows);
	assert_int_equal(rows.list.items[0].local.port, 1234);
	assert_int_equal(rows.list.items[0].type, SOCK_DGRAM);
	vec_deinit(&rows.list);
}

/* A row is given once, however often the kernel's paging repeats it; others of its port stay. */
static void test_doubled(void **state)
{
#define UDP(inode)                                                                                 \
	"  511: 00000000:14E9 00000000:0000 07 00000000:00000000 00:00000000 00000000   100     "  \
	"   0 " inode " 2 000000003c5a0e91 0\n"
	struct rows rows;
	struct procfs_table_stats stats =
		parse(PV_PROTO_UDP, AF_INET, TCP_HEAD UDP("700") UDP("701") UDP("700") UDP("702"),
		      NULL, &rows);

	(void)state;
	assert_int_equal(stats.n_rows, 3);
	assert_int_equal(stats.n_doubled, 1);
	vec_deinit(&rows.list);
}

static void test_damaged_rows(void **state)
{
	static const char *const bad[] = {
		"   0: 00000000:07E8 00000000:0000 0A 00000000:00000003 00:00000000 00000000 10",
		"   0: 00000000:07E8 00000000:0000 0A\n",
		"   0: 0000000:07E8 00000000:0000 0A 00000000:00000003 00:00000000 00000000 1 0 "
		"1\n",
		"   0: 00000000:107E8 00000000:0000 0A 00000000:00000003 00:00000000 00000000 1 0 "
		"1\n",
		"   0: 00000000:07E8 00000000:0000 FF 00000000:00000003 00:00000000 00000000 1 0 "
		"1\n",
		"   0: 00000000:07E8 00000000:0000 00 00000000:00000003 00:00000000 00000000 1 0 "
		"1\n",
		"   0: 00000000:07E8 00000000:0000 0A 00000000:00000003 00:00000000 00000000 1 0 "
		"99999999999\n",
		"   0: 00000000:07E8 00000000:0000 0A 00000000:00000003 00:00000000 00000000 -1 0 "
		"1\n",
		"\n",
		"\x1b[2J\n",
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct procfs_table_stats stats;
		struct rows rows;

		snprintf(text, sizeof(text), "%s%s", TCP_HEAD, bad[i]);
		stats = parse(PV_PROTO_TCP, AF_INET, text, NULL, &rows);
		assert_int_equal(stats.n_rows, 0);
		assert_int_equal(stats.n_malformed, 1);
		vec_deinit(&rows.list);
	}
}

#define UNIX_HEAD "Num       RefCount Protocol Flags    Type St Inode Path\n"
#define UNIX(pointer, flags, type, st, rest)                                                       \
	pointer ": 00000002 00000000 " flags " " type " " st " " rest "\n"

static void test_unix(void **state)
{
	static const char text[] = UNIX_HEAD UNIX("00000000b93c2014", "00000000", "0001", "03",
						  " 1058")
		UNIX("00000000b93c2015", "00010000", "0001", "01", "123456 /run/a b")
			UNIX("00000000b93c2016", "00010000", "0005", "01", "    7 @abstract@x")
				UNIX("00000000b93c2017", "00000000", "0002", "01", " 1060")
					UNIX("(____ptrval____)", "00000000", "0001", "02",
					     "    0 /run/a b");
	struct rows rows;
	struct procfs_table_stats stats = parse(PV_PROTO_UNIX, AF_UNSPEC, text, NULL, &rows);
	const struct pv_conversation *c = rows.list.items;

	(void)state;
	assert_int_equal(stats.n_rows, 5);
	assert_int_equal(stats.n_malformed, 0);
	assert_int_equal(stats.n_untrusted, 0);
	assert_int_equal(c[0].state, PV_STATE_ESTABLISHED);
	assert_null(c[0].path);
	assert_int_equal(c[0].inode, 1058);
	assert_int_equal(c[0].uid, UINT32_MAX);
	assert_int_equal(c[1].state, PV_STATE_LISTEN);
	assert_int_equal(rows.name_len[1], 8);
	assert_memory_equal(rows.names[1], "/run/a b", 8);
	assert_int_equal(c[2].type, SOCK_SEQPACKET);
	assert_int_equal(rows.name_len[2], 11);
	assert_memory_equal(rows.names[2], "\0abstract@x", 11);
	assert_int_equal(c[3].state, PV_STATE_CLOSE);
	assert_int_equal(c[4].state, PV_STATE_ESTABLISHED);
	vec_deinit(&rows.list);
}

/* A name that imitates a row: neither it nor its victim may be trusted to own the inode. */
static void test_unix_forged(void **state)
{
	static const char text[] = UNIX_HEAD UNIX("00000000aaaaaaa1", "00010000", "0001", "01",
						  " 5001 /run/victim")
		UNIX("00000000aaaaaaa2", "00000000", "0002", "01", " 5002 @x")
			UNIX("0000000012345678", "00010000", "0001", "01", " 5001 /run/FORGED")
				UNIX("00000000aaaaaaa3", "00000000", "0001", "03", " 5003");
	struct rows rows;
	struct procfs_table_stats stats = parse(PV_PROTO_UNIX, AF_UNSPEC, text, NULL, &rows);

	(void)state;
	assert_int_equal(stats.n_rows, 4);
	assert_int_equal(stats.n_untrusted, 2);
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(!!(rows.list.items[i].flags & PV_CONV_INODE_TWICE),
				 rows.list.items[i].inode == 5001);
	vec_deinit(&rows.list);
}

/* A forged row whose name continues must not pass for a repetition of its victim's. */
static void test_unix_forged_repetition(void **state)
{
	static const char text[] = UNIX_HEAD UNIX("00000000aaaaaaa1", "00000000", "0002", "01",
						  " 5002 x")
		UNIX("00000000aaaaaaa2", "00010000", "0001", "01", " 5001 /v") "FORGED\n" UNIX(
			"00000000aaaaaaa3", "00000000", "0001", "03", " 5003")
			UNIX("00000000aaaaaaa2", "00010000", "0001", "01", " 5001 /v");
	struct rows rows;
	struct procfs_table_stats stats = parse(PV_PROTO_UNIX, AF_UNSPEC, text, NULL, &rows);

	(void)state;
	assert_int_equal(stats.n_doubled, 0);
	assert_int_equal(stats.n_untrusted, 2);
	vec_deinit(&rows.list);
}

static void test_unix_newlines(void **state)
{
	static const char text[] = UNIX_HEAD UNIX("00000000aaaaaaa1", "00010000", "0001", "01",
						  " 5001 @a\nb\n\nc") UNIX("00000000aaaaaaa2",
									   "00010000", "0001", "01",
									   " 5002 /plain")
		UNIX("00000000aaaaaaa3", "00010000", "0001", "01", " 5003") "stray\n" UNIX(
			"00000000aaaaaaa2", "00010000", "0001", "01",
			" 5002 /plain") "00000000aaaaaaa4: 00000002 00000000 00010000 0001 01 50";
	struct rows rows;
	struct procfs_table_stats stats = parse(PV_PROTO_UNIX, AF_UNSPEC, text, NULL, &rows);

	(void)state;
	assert_int_equal(stats.n_rows, 3);
	assert_int_equal(rows.name_len[0], 7);
	assert_memory_equal(rows.names[0], "\0a\nb\n\nc", 7);
	assert_int_equal(rows.name_len[1], 6);
	/* what stands behind a row without a name is nobody's, and the last line was cut */
	assert_int_equal(stats.n_malformed, 2);
	/* the same bytes again are the same socket, read twice */
	assert_int_equal(stats.n_doubled, 1);
	assert_int_equal(stats.n_untrusted, 0);
	vec_deinit(&rows.list);
}

static void test_unix_strict(void **state)
{
	static const char *const bad[] = {
		UNIX("0000000aaaaaaa1", "00010000", "0001", "01", " 5001"),
		UNIX("00000000aaaaaaa1", "00010001", "0001", "01", " 5001"),
		UNIX("00000000aaaaaaa1", "00010000", "0009", "01", " 5001"),
		UNIX("00000000aaaaaaa1", "00010000", "0001", "09", " 5001"),
		UNIX("00000000aaaaaaa1", "00010000", "0001", "01", "5001"),
		UNIX("00000000aaaaaaa1", "00010000", "0001", "01", "  5001"),
		UNIX("00000000aaaaaaa1", "00010000", "0001", "01", " 5001\t/x"),
		UNIX("00000000aaaaaaa1", "00010000", "0001", "01", "99999999999"),
	};
	char text[1024];

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		struct procfs_table_stats stats;
		struct rows rows;

		snprintf(text, sizeof(text), "%s%s", UNIX_HEAD, bad[i]);
		stats = parse(PV_PROTO_UNIX, AF_UNSPEC, text, NULL, &rows);
		assert_int_equal(stats.n_rows, 0);
		assert_int_equal(stats.n_malformed, 1);
		vec_deinit(&rows.list);
	}
}

static void test_packet_netlink(void **state)
{
	struct rows rows;

	(void)state;
	parse(PV_PROTO_PACKET, AF_UNSPEC,
	      "sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"
	      "0000000014f1b2a3 3      3    0003   2     1 512    1000   8675\n"
	      "0000000014f1b2a4 3      2    88cc   0     1 0      0      8676\n",
	      NULL, &rows);
	assert_int_equal(rows.list.n, 2);
	assert_int_equal(rows.list.items[0].type, SOCK_RAW);
	assert_int_equal(rows.list.items[0].local.port, 3);
	assert_int_equal(rows.list.items[0].ifindex, 2);
	assert_int_equal(rows.list.items[0].recv_q, 512);
	assert_int_equal(rows.list.items[0].uid, 1000);
	assert_int_equal(rows.list.items[1].local.port, 0x88cc);
	assert_int_equal(rows.list.items[1].inode, 8676);
	vec_deinit(&rows.list);
	parse(PV_PROTO_NETLINK, AF_UNSPEC,
	      "sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    "
	      "Inode\n"
	      "00000000595d9823 0   0          00000000 0        0        0     2        0        "
	      "4       \n"
	      "000000002203dfbd 15  -4123      00000001 7        9        0     2        0        "
	      "562     \n"
	      "000000002203dfbe 9   3000000001 00000001 0        0        0     2        0        "
	      "563     \n",
	      NULL, &rows);
	assert_int_equal(rows.list.n, 3);
	assert_int_equal(rows.list.items[0].flags, PV_CONV_KERNEL);
	assert_int_equal(rows.list.items[1].local.port, (uint32_t)-4123);
	assert_int_equal(rows.list.items[1].protocol, 15);
	assert_int_equal(rows.list.items[1].recv_q, 7);
	assert_int_equal(rows.list.items[1].send_q, 9);
	assert_int_equal(rows.list.items[1].inode, 562);
	assert_int_equal(rows.list.items[2].local.port, 3000000001);
	vec_deinit(&rows.list);
}

static void test_sctp(void **state)
{
	static const char assocs[] =
		" ASSOC     SOCK   STY SST ST HBKT ASSOC-ID TX_QUEUE RX_QUEUE UID INODE LPORT "
		"RPORT "
		"LADDRS <-> RADDRS HBINT INS OUTS MAXRT T1X T2X RTXC wmema wmemq sndbuf rcvbuf\n"
		"00000000a5f1b2c3 00000000a5f1b2c4 2   1   3  0       1       12       34    1000 "
		"777 5001  40000  10.0.0.5 *127.0.0.1 <-> *127.0.0.1 10.0.0.6 \t    7500    10    "
		"10   10    0    0        0        1        0   212992   212992\n"
		"00000000a5f1b2d3 00000000a5f1b2d4 0   7   6  0       2        0        0       0 "
		"778 5002  40001  *0000:0000:0000:0000:0000:0000:0000:0001 <-> "
		"*0000:0000:0000:0000:0000:0000:0000:0001 \t    7500    10    10   10    0    0    "
		" "
		"   0        1        0   212992   212992\n"
		"00000000a5f1b2d3 00000000a5f1b2d4 0   7   99  0\n";
	static const char eps[] =
		" ENDPT     SOCK   STY SST HBKT LPORT   UID INODE LADDRS\n"
		"00000000b5f1b2c3 00000000b5f1b2c4 2   10  9    5001   1000   776 127.0.0.1 \n"
		"00000000b5f1b2c5 00000000b5f1b2c6 2   1   9    5001   1000   777 127.0.0.1 \n"
		"00000000b5f1b2c7 00000000b5f1b2c8 0   7   9    5003      0   779 *127.0.0.1 \n";
	struct procfs_table_stats stats;
	struct rows rows;

	(void)state;
	stats = parse(PV_PROTO_SCTP, AF_INET, assocs, eps, &rows);
	assert_int_equal(stats.n_malformed, 1);
	assert_int_equal(rows.list.items[0].state, PV_STATE_ESTABLISHED);
	assert_end(AF_INET, &rows.list.items[0].local, "127.0.0.1", 5001);
	assert_end(AF_INET, &rows.list.items[0].remote, "127.0.0.1", 40000);
	assert_int_equal(rows.list.items[0].send_q, 12);
	assert_int_equal(rows.list.items[0].recv_q, 34);
	assert_int_equal(rows.list.items[0].inode, 777);
	assert_int_equal(rows.list.items[0].type, SOCK_STREAM);
	assert_int_equal(rows.list.items[1].state, PV_STATE_LISTEN);
	assert_int_equal(rows.list.items[1].inode, 776);
	assert_int_equal(rows.list.items[2].inode, 779);
	assert_int_equal(rows.list.items[2].type, SOCK_SEQPACKET);
	vec_deinit(&rows.list);
	parse(PV_PROTO_SCTP, AF_INET6, assocs, eps, &rows);
	assert_int_equal(rows.list.n, 1);
	assert_int_equal(rows.list.items[0].state, PV_STATE_CLOSE_WAIT);
	assert_end(AF_INET6, &rows.list.items[0].remote, "::1", 40001);
	vec_deinit(&rows.list);
}

static void test_no_table(void **state)
{
	static const enum pv_proto none[] = { PV_PROTO_MPTCP, PV_PROTO_DCCP, PV_PROTO_VSOCK,
					      PV_PROTO_XDP };
	struct procfs_table_stats stats;
	struct sink sink = { keep_row, NULL };

	(void)state;
	for (size_t i = 0; i < sizeof(none) / sizeof(*none); i++)
		assert_int_equal(procfs_table_parse(none[i], AF_INET, "", 0, "", 0, &sink, &stats),
				 PROCFS_E_NO_TABLE);
}

static void test_stat(void **state)
{
#define STAT_REST                                                                                  \
	" S 1 2 3 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 17 0 123456789 1000 200 "                      \
	"18446744073709551615 1 1 0 0 0 0 0 4096 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
	static const char *const names[] = {
		"bash",	    "",	       ")",	   "(",	     "a) S 1 (b",
		"x\ny",	    ") R 1 1", "\x1b[31m", "a b  c", "kworker/u8:1-events_unbound",
		"\xff\xfe",
	};
	struct procfs_stat s;
	char text[512];

	(void)state;
	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		int n = snprintf(text, sizeof(text), "77 (%s)%s", names[i], STAT_REST);

		assert_int_equal(procfs_stat_parse(text, (size_t)n, &s), 0);
		assert_int_equal(s.comm_len, strlen(names[i]));
		assert_memory_equal(s.comm, names[i], s.comm_len);
		assert_int_equal(s.state, 'S');
		assert_int_equal(s.ppid, 1);
		assert_int_equal(s.flags, 4194560);
		assert_int_equal(s.n_threads, 17);
		assert_int_equal(s.start_ticks, 123456789);
		/* no cut can make it read past the end, or tell another start time */
		for (int cut = 0; cut < n; cut++) {
			char *exact = malloc((size_t)cut + 1);

			memcpy(exact, text, (size_t)cut);
			if (procfs_stat_parse(exact, (size_t)cut, &s) == 0)
				assert_true(s.start_ticks <= 123456789);
			free(exact);
		}
	}
	memset(text, 'x', sizeof(text));
	memcpy(text, "1 (", 3);
	memcpy(text + 400, STAT_REST, 60);
	text[399] = ')';
	assert_int_equal(procfs_stat_parse(text, sizeof(text), &s), -EBADMSG);
	assert_int_equal(procfs_stat_parse(NULL, 0, &s), -EBADMSG);
}

static void test_status(void **state)
{
	static const char text[] = "Name:\tUid:\t0\nState:\tS (sleeping)\n"
				   "Uid:\t1000\t1001\t1002\t1003\nGid:\t5\t5\t5\t5\n"
				   "CapPrm:\t0000000000000001\nCapEff:\t000001ff00080004\n";
	uint64_t caps = 0;
	uint32_t uid = 0;

	(void)state;
	assert_int_equal(procfs_status_uid(text, strlen(text), &uid), 0);
	assert_int_equal(uid, 1001);
	assert_int_equal(procfs_status_caps(text, strlen(text), &caps), 0);
	assert_true(caps == UINT64_C(0x1ff00080004));
	assert_int_equal(procfs_status_uid("Uid:\t1", 6, &uid), -EBADMSG);
	assert_int_equal(procfs_status_uid("", 0, &uid), -EBADMSG);
	assert_int_equal(procfs_status_caps("CapEff:\tzz\n", 11, &caps), -EBADMSG);
}

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define POD "pod8f2c3a5e-1111-4222-8333-123456789abc"
#define PODS "pod8f2c3a5e_1111_4222_8333_123456789abc"

#define MANAGER "user@1000.service/"

static const struct cgroup_case {
	const char *path, *unit, *runtime, *container;
} cgroup_cases[] = {
	{ "/", "", NULL, "" },
	{ "/init.scope", "init.scope", NULL, "" },
	{ "/system.slice/ssh.service", "ssh.service", NULL, "" },
	{ "/system.slice/ssh.service (deleted)", "ssh.service", NULL, "" },
	{ "/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", NULL, "" },
	{ "/system.slice/dbus.socket", "dbus.socket", NULL, "" },
	{ "/system.slice/mnt-data.mount", "mnt-data.mount", NULL, "" },
	{ "/system.slice/dev-sda2.swap", "dev-sda2.swap", NULL, "" },
	{ "/system.slice/systemd\\x2dx.service", "systemd\\x2dx.service", NULL, "" },
	{ "/system.slice/system-postgresql.slice/postgresql@15-main.service",
	  "postgresql@15-main.service", NULL, "" },
	{ "/system.slice", "", NULL, "" },
	{ "/user.slice/user-1000.slice/session-3.scope", "session-3.scope", NULL, "" },
	{ "/user.slice/user-1000.slice/user@1000.service", "user@1000.service", NULL, "" },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service",
	  MANAGER "foo.service", NULL, "" },
	{ "/user.slice/user-1000.slice/user@1000.service/init.scope", MANAGER "init.scope", NULL,
	  "" },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/app-gnome-firefox-1234.scope",
	  MANAGER "app-gnome-firefox-1234.scope", NULL, "" },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/foo.service/sshd.service",
	  MANAGER "foo.service", NULL, "" },
	{ "/system.slice/foo.service/sshd.service", "foo.service", NULL, "" },
	/* docker: cgroup v1 and cgroupfs driver, systemd driver, builds */
	{ "/docker/" ID, "", "docker", ID },
	{ "/system.slice/docker-" ID ".scope", "docker-" ID ".scope", "docker", ID },
	{ "/system.slice/docker.service", "docker.service", NULL, "" },
	{ "/docker/buildkit/" ID, "", "docker", ID },
	{ "/../../docker/" ID, "", "docker", ID },
	/* what runs inside names no unit of the host */
	{ "/docker/" ID "/system.slice/sshd.service", "", "docker", ID },
	{ "/system.slice/docker-" ID ".scope/init.scope", "docker-" ID ".scope", "docker", ID },
	{ "/system.slice/docker-0123.scope", "docker-0123.scope", NULL, "" },
	{ "/user.slice/user-1000.slice/user@1000.service/user.slice/docker-" ID ".scope",
	  MANAGER "docker-" ID ".scope", "docker", MANAGER ID },
	/* podman */
	{ "/machine.slice/libpod-" ID ".scope/container", "libpod-" ID ".scope", "podman", ID },
	{ "/machine.slice/libpod-conmon-" ID ".scope", "libpod-conmon-" ID ".scope", "podman", ID },
	{ "/libpod_parent/libpod-" ID, "", "podman", ID },
	{ "/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope/container",
	  MANAGER "libpod-" ID ".scope", "podman", MANAGER ID },
	/* below a user's manager every name is that user's choice */
	{ "/user.slice/user-1000.slice/user@1000.service/lxc/web", "user@1000.service", "lxc",
	  MANAGER "web" },
	{ "/user.slice/user-1000.slice/user@1000.service/app.slice/x.scope/lxc.payload.web",
	  MANAGER "x.scope", "lxc", MANAGER "web" },
	{ "/user.slice/user-1000.slice/user@1000.service/user@0.service/system.slice/foo.service",
	  MANAGER "user@0.service", NULL, "" },
	{ "/user.slice/user-1000.slice/session-3.scope/foo.service", "session-3.scope", NULL, "" },
	/* Kubernetes */
	{ "/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-" PODS
	  ".slice/cri-containerd-" ID ".scope",
	  "cri-containerd-" ID ".scope", "containerd", ID },
	{ "/kubepods/besteffort/" POD "/" ID, "", "containerd", ID },
	{ "/kubepods/" POD "/" ID, "", "containerd", ID },
	{ "/kubepods.slice/kubepods-besteffort.slice/kubepods-besteffort-" PODS ".slice/" ID, "",
	  "containerd", ID },
	{ "/kubepods.slice/kubepods-" PODS ".slice/crio-" ID ".scope", "crio-" ID ".scope", "crio",
	  ID },
	{ "/kubepods.slice/kubepods-" PODS ".slice/crio-conmon-" ID ".scope",
	  "crio-conmon-" ID ".scope", "crio", ID },
	{ "/kubepods.slice/kubepods-" PODS ".slice/docker-" ID ".scope", "docker-" ID ".scope",
	  "docker", ID },
	{ "/kubepods/burstable/" POD "/crio-" ID, "", "crio", ID },
	{ "/k8s.io/" ID, "", "containerd", ID },
	{ "/system.slice/containerd.service/kubepods-burstable-" PODS ".slice:cri-containerd:" ID,
	  "containerd.service", "containerd", ID },
	{ "/system.slice/nerdctl-" ID ".scope", "nerdctl-" ID ".scope", "containerd", ID },
	/* lxc, nspawn, libvirt */
	{ "/lxc/web1", "", "lxc", "web1" },
	{ "/lxc.payload.web1/system.slice/nginx.service", "", "lxc", "web1" },
	{ "/lxc.monitor.web1", "", "lxc", "web1" },
	{ "/lxc.payload/web1/init.scope", "", "lxc", "web1" },
	{ "/machine.slice/systemd-nspawn@deb\\x2d12.service/payload/system.slice/cron.service",
	  "systemd-nspawn@deb\\x2d12.service", "systemd-nspawn", "deb-12" },
	{ "/machine.slice/machine-deb\\x2d12.scope", "machine-deb\\x2d12.scope", "systemd-nspawn",
	  "deb-12" },
	{ "/machine.slice/machine-qemu\\x2d3\\x2dvm\\x2dweb.scope/libvirt/emulator",
	  "machine-qemu\\x2d3\\x2dvm\\x2dweb.scope", "libvirt", "vm-web" },
	{ "/machine/qemu-1-vm.libvirt-qemu/emulator", "", "libvirt", "vm" },
	{ "/system.slice/machine-x.scope", "machine-x.scope", NULL, "" },
	/* nothing in particular */
	{ "/memory/process/5b7e5c8a3ca400467581d44400f76629", "", NULL, "" },
	{ "/.service", "", NULL, "" },
	{ "//docker//" ID, "", "docker", ID },
};

static void assert_bytes(struct pv_bytes b, const char *text)
{
	assert_int_equal(b.len, strlen(text));
	if (b.len)
		assert_memory_equal(b.data, text, b.len);
}

static void test_cgroup(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(cgroup_cases) / sizeof(*cgroup_cases); i++) {
		const struct cgroup_case *c = &cgroup_cases[i];
		struct procfs_cgroup g;

		_cleanup_(cleanup_buf) struct buf unit = BUF_INIT, container = BUF_INIT;

		procfs_cgroup_parse(c->path, strlen(c->path), &g);
		print_message("%s\n", c->path);
		procfs_cgroup_put_unit(&g, &unit);
		procfs_cgroup_put_container(&g, &container);
		assert_bytes((struct pv_bytes){ unit.data, (uint32_t)unit.len }, c->unit);
		assert_bytes((struct pv_bytes){ container.data, (uint32_t)container.len },
			     c->container);
		assert_string_equal(g.runtime ? g.runtime : "-", c->runtime ? c->runtime : "-");
	}
}

static void test_cgroup_path(void **state)
{
	static const struct {
		const char *text, *path;
	} cases[] = {
		{ "0::/system.slice/a.service\n", "/system.slice/a.service" },
		{ "9:name=systemd:/system.slice/b.service\n8:pids:/x\n0::/\n",
		  "/system.slice/b.service" },
		{ "9:name=systemd:/\n4:memory:/x/y\n0::/\n", "/" },
		{ "12:cpu,cpuacct:/docker/x\n1:name=systemd:/docker/x\n", "/docker/x" },
		{ "0::/with:colon\n", "/with:colon" },
		{ "0::/cut", "/cut" },
		{ "4:memory:/x\n", NULL },
		{ "0:x:/y\n", NULL },
		{ "0:", NULL },
		{ "0::relative\n", NULL },
		{ "", NULL },
	};
	struct pv_bytes path;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int r = procfs_cgroup_path(cases[i].text, strlen(cases[i].text), &path);

		assert_int_equal(r, cases[i].path ? 0 : -EBADMSG);
		if (cases[i].path)
			assert_bytes(path, cases[i].path);
	}
}

static bool has_port(const uint64_t *bits, unsigned port)
{
	return bits[port / 64] >> port % 64 & 1;
}

static void test_maps(void **state)
{
	static const char text[] =
		"55d0c0000000-55d0c0010000 r--p 00000000 08:01 1183 /usr/sbin/sshd\n"
		"55d0c0010000-55d0c00b0000 r-xp 00010000 08:01 1183                       "
		"/usr/sbin/sshd\n"
		"7f0000000000-7f0000100000 rw-p 00000000 00:00 0 \n"
		"7f0000200000-7f0000220000 r-xp 00000000 00:1f 77                         /srv/a "
		"b.so (deleted)\n"
		"7f0000300000-7f0000320000 r-xs 00000000 00:01 5                          "
		"/memfd:jit (deleted)\n"
		"7f0000400000-7f0000420000 r-xp 00000000 00:01 6                          /memfd:x "
		"(deleted)\n"
		"7ffd00000000-7ffd00002000 r-xp 00000000 00:00 0                          [vdso]\n"
		"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  "
		"[vsyscall]\n";
	const struct {
		const char *path;
		uint64_t device, inode, start;
	} want[] = {
		{ "/usr/sbin/sshd", makedev(8, 1), 1183, 0x55d0c0010000 },
		{ "/srv/a b.so (deleted)", makedev(0, 0x1f), 77, 0x7f0000200000 },
		{ "/memfd:x (deleted)", makedev(0, 1), 6, 0x7f0000400000 },
	};
	struct text t = text_of(text, sizeof(text) - 1);
	struct procfs_map map;

	(void)state;
	/* code that was mapped privately from a file, and nothing else */
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		assert_true(procfs_maps_next(&t, &map));
		assert_int_equal(map.path.len, strlen(want[i].path));
		assert_memory_equal(map.path.data, want[i].path, map.path.len);
		assert_int_equal(map.device, want[i].device);
		assert_int_equal(map.inode, want[i].inode);
		assert_int_equal(map.start, want[i].start);
	}
	assert_false(procfs_maps_next(&t, &map));
}

static void test_ports(void **state)
{
	static const char *const bad[] = { "80-", "-", "90-80", "65536", "1,,2", "1-2-3", "x" };
	uint64_t bits[PROCFS_PORT_WORDS] = { 0 };
	uint16_t first, last;
	unsigned n = 0;

	(void)state;
	assert_int_equal(procfs_port_range_parse("32768\t60999\n", 12, &first, &last), 0);
	assert_int_equal(first, 32768);
	assert_int_equal(last, 60999);
	assert_int_equal(procfs_port_range_parse("60999\t32768\n", 12, &first, &last), -EBADMSG);
	assert_int_equal(procfs_port_range_parse("1\t65536\n", 8, &first, &last), -EBADMSG);
	assert_int_equal(procfs_port_range_parse("", 0, &first, &last), -EBADMSG);
	assert_int_equal(procfs_port_list_parse("8080,9000-9010,65535\n", 21, bits), 0);
	for (unsigned port = 0; port < 65536; port++)
		n += has_port(bits, port);
	assert_int_equal(n, 13);
	assert_true(has_port(bits, 8080) && has_port(bits, 9000) && has_port(bits, 9010) &&
		    has_port(bits, 65535));
	assert_int_equal(procfs_port_list_parse("\n", 1, bits), 0);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(procfs_port_list_parse(bad[i], strlen(bad[i]), bits), -EBADMSG);
}

static void test_mountinfo(void **state)
{
	static const struct {
		const char *text;
		int r, hidepid;
		bool subset;
	} cases[] = {
		{ "22 27 0:21 / /proc rw,relatime - proc proc rw\n", 0, 0, false },
		{ "22 27 0:21 / /proc rw shared:5 master:1 - proc proc rw,hidepid=2\n", 0, 2,
		  false },
		{ "22 27 0:21 / /proc rw - proc proc rw,gid=4,hidepid=invisible\n", 0, 2, false },
		{ "22 27 0:21 / /proc rw - proc none rw,hidepid=ptraceable,subset=pid\n", 0, 4,
		  true },
		{ "22 27 0:21 / /proc rw - proc proc rw,hidepid=noaccess\n", 0, 1, false },
		{ "22 27 0:21 / /proc rw - proc proc rw,hidepid=new\n", 0, 2, false },
		{ "1 2 0:1 / /proc rw - proc p rw,hidepid=2\n3 1 0:2 / /proc rw - proc p rw\n", 0,
		  0, false },
		{ "1 2 0:1 / /chroot/proc rw - proc p rw,hidepid=2\n", -ENOENT, 0, false },
		{ "1 2 0:1 / /proc rw - tmpfs p rw,hidepid=2\n", -ENOENT, 0, false },
		{ "1 2 0:1 / /proc rw -", -ENOENT, 0, false },
		{ "", -ENOENT, 0, false },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct procfs_mount m = { 0 };

		assert_int_equal(procfs_mountinfo_parse(cases[i].text, strlen(cases[i].text), &m),
				 cases[i].r);
		assert_int_equal(m.hidepid, cases[i].hidepid);
		assert_int_equal(m.is_subset_pid, cases[i].subset);
	}
}

static void test_sockstat(void **state)
{
	static const char text[] = "sockets: used 17\nTCP: inuse 1 orphan 2 tw 3 alloc 4 mem 146\n"
				   "UDP: inuse 5 mem 0\nUDPLITE: inuse 6\nRAW: inuse 7\n"
				   "FRAG: inuse 0 memory 0\n";
	struct procfs_sockstat s = { .tcp6_inuse = 99 };

	(void)state;
	assert_int_equal(procfs_sockstat_parse(text, strlen(text), &s), 0);
	assert_int_equal(s.used, 17);
	assert_int_equal(s.tcp_inuse, 1);
	assert_int_equal(s.tcp_orphan, 2);
	assert_int_equal(s.tcp_time_wait, 3);
	assert_int_equal(s.tcp_alloc, 4);
	assert_int_equal(s.udp_inuse, 5);
	assert_int_equal(s.udplite_inuse, 6);
	assert_int_equal(s.raw_inuse, 7);
	assert_int_equal(s.tcp6_inuse, 99);
	assert_int_equal(procfs_sockstat_parse("TCP: inuse", 10, &s), -EBADMSG);
	assert_int_equal(procfs_sockstat_parse("TCP: inuse -1\n", 14, &s), -EBADMSG);
}

static int count_record(void *userdata, const struct owner_record *r)
{
	(void)r;
	++*(unsigned *)userdata;
	return 0;
}

static void test_owner_records(void **state)
{
	struct owner_record good[2] = {
		{ .inode = 1, .pid = 2, .fd = 0, .flags = OWNER_COMM_KNOWN },
		{ .inode = 1, .pid = 3, .fd = 7 }
	};
	struct owner_record bad[] = {
		{ .inode = 0, .pid = 1 },
		{ .inode = 1, .pid = 0 },
		{ .inode = 1, .pid = -5 },
		{ .inode = 1, .pid = 1, .fd = -1 },
		{ .inode = 1, .pid = 1, .flags = 0x80 },
		{ .inode = 1, .pid = 1, .cookie = 1 },
	};
	struct procfs_scan_stats stats;
	unsigned n = 0;

	(void)state;
	assert_int_equal(procfs_owners_parse(good, sizeof(good), count_record, &n), 0);
	assert_int_equal(n, 2);
	assert_int_equal(procfs_owners_parse(good, sizeof(good) - 1, count_record, &n), -EBADMSG);
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
		assert_int_equal(procfs_owners_parse(&bad[i], sizeof(bad[i]), count_record, &n),
				 -EBADMSG);
	assert_int_equal(procfs_scan_stats_parse("n_denied=3\nn_new=1\n", 19, &stats), 0);
	assert_int_equal(stats.n_denied, 3);
	assert_int_equal(procfs_scan_stats_parse("n_denied\n", 9, &stats), -EBADMSG);
	assert_int_equal(procfs_scan_stats_parse("n_denied=-1\n", 12, &stats), -EBADMSG);
}

static int keep_name(void *userdata, uint32_t id, const char *name)
{
	char *text = userdata;

	snprintf(text + strlen(text), 256 - strlen(text), "%u=%s;", id, name);
	return 0;
}

static void test_names(void **state)
{
	static const char text[] = "0 root\n7 a b\nx y\n8\n9 \n-1 z\n10 end";
	char got[256] = "";

	(void)state;
	assert_int_equal(procfs_names_parse(text, strlen(text), keep_name, got), 0);
	assert_string_equal(got, "0=root;7=a b;10=end;");
}

static void test_replay(void **state)
{
	struct procfs_scan_options options = { .attempt = 0 };
	struct procfs_scan_stats stats;
	struct procfs_table_stats table;
	struct procfs_process p;
	struct procfs_sockstat sockstat;
	struct procfs_view view;
	struct rows rows = { 0 };
	struct sink sink = { keep_row, &rows };
	struct tape t;
	char names[256] = "";
	unsigned n = 0;

	(void)state;
	assert_int_equal(tape_open(&t, NULL, PROCFS_DATA "/recording"), 0);
	assert_int_equal(procfs_scan_owners(&t, &options, count_record, &n, &stats), 0);
	assert_int_equal(n, 3);
	assert_int_equal(stats.n_processes, 40);
	assert_int_equal(stats.n_denied, 2);
	options.attempt = 1;
	assert_int_equal(procfs_scan_owners(&t, &options, count_record, &n, &stats), -EACCES);
	options.attempt = 2;
	assert_int_equal(procfs_scan_owners(&t, &options, count_record, &n, &stats), -ENODATA);
	assert_int_equal(procfs_read_table(&t, PV_PROTO_TCP, AF_INET, &sink, &table), 0);
	assert_int_equal(rows.list.n, 2);
	assert_int_equal(procfs_read_table(&t, PV_PROTO_TCP, AF_INET6, &sink, &table), -ENODATA);
	assert_int_equal(procfs_read_table(&t, PV_PROTO_UDPLITE, AF_INET, &sink, &table), -ENOENT);
	assert_int_equal(procfs_read_sockstat(&t, &sockstat), 0);
	assert_int_equal(sockstat.tcp_inuse, 2);
	assert_true(sockstat.tcp6_inuse == PROCFS_COUNT_UNKNOWN);
	assert_int_equal(procfs_count_files(&t), 592);
	assert_int_equal(procfs_count_threads(&t), 123);
	assert_int_equal(procfs_read_view(&t, &view), 0);
	assert_true(view.is_initial_pidns);
	assert_int_equal(view.netns, 4026531840);
	assert_int_equal(view.mount.hidepid, PROCFS_HIDEPID_INVISIBLE);
	assert_int_equal(procfs_read_users(&t, keep_name, names), 0);
	assert_string_equal(names, "0=root;33=www-data;");
	procfs_process_init(&p);
	assert_int_equal(procfs_process_read(&t, 812, 4711, PV_NEED_ALL, &p), 0);
	assert_int_equal(p.uid, 33);
	assert_int_equal(p.exe.len, strlen("/usr/sbin/nginx (deleted)"));
	assert_memory_equal(p.cmdline.data, "nginx: worker\0x", 15);
	assert_int_equal(p.cgroup_error, -EACCES);
	assert_int_equal(procfs_process_read(&t, 812, 4712, PV_NEED_ALL, &p), PROCFS_E_REUSED);
	assert_int_equal(procfs_process_read(&t, 813, 0, PV_NEED_ALL, &p), PROCFS_E_GONE);
	assert_int_equal(procfs_process_read(&t, 814, 0, PV_NEED_ALL, &p), -ENODATA);
	procfs_process_deinit(&p);
	vec_deinit(&rows.list);
	tape_close(&t);
}

static void test_listen(void **state)
{
	static const char text[] = "SECRET=x\0LISTEN_PID=812\0LISTEN_FDS=2\0XLISTEN_PID=9\0"
				   "LISTEN_FDNAMES=a.socket:b\0LISTEN_PIDS=7";
	static const char *const bad[] = {
		"LISTEN_PID=812",
		"LISTEN_FDS=2",
		"LISTEN_PID=x\0LISTEN_FDS=2",
		"LISTEN_PID=2147483648\0LISTEN_FDS=2",
		"LISTEN_PID=812\0LISTEN_FDS=-2",
		"LISTEN_PID=812\0LISTEN_FDS=",
	};
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct procfs_listen l;

	(void)state;
	procfs_listen_parse(text, sizeof(text), &l);
	assert_int_equal(l.pid, 812);
	assert_int_equal(l.n_fds, 2);
	assert_int_equal(l.names.len, strlen("a.socket:b"));
	assert_memory_equal(l.names.data, "a.socket:b", l.names.len);
	procfs_listen_filter(text, sizeof(text), &b);
	assert_int_equal(b.len, strlen("LISTEN_PID=812 LISTEN_FDS=2 LISTEN_FDNAMES=a.socket:b "));
	assert_null(memmem(b.data, b.len, "SECRET", 6));
	for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
		/* the NUL between two words ends the string */
		size_t first = strlen(bad[i]) + 1;

		procfs_listen_parse(bad[i], i < 2 ? first : first + strlen(bad[i] + first) + 1, &l);
		assert_int_equal(l.pid, 0);
		assert_int_equal(l.n_fds, 0);
	}
}

static void test_clock(void **state)
{
	static const char stat[] = "cpu  1 2\nbtimes 5\nbtime 1795338000\nctxt 1\n";
	uint64_t v;

	(void)state;
	assert_int_equal(procfs_boot_time_parse(stat, strlen(stat), &v), 0);
	assert_int_equal(v, 1795338000);
	assert_int_equal(procfs_boot_time_parse("cpu 1\n", 6, &v), -EBADMSG);
	assert_int_equal(procfs_boot_time_parse("btime -1\n", 9, &v), -EBADMSG);
	assert_int_equal(procfs_uptime_parse("7265.43 11.00\n", 14, &v), 0);
	assert_int_equal(v, 726543);
	assert_int_equal(procfs_uptime_parse("7265.4 1\n", 9, &v), -EBADMSG);
	assert_int_equal(procfs_uptime_parse("7265\n", 5, &v), -EBADMSG);
	assert_int_equal(procfs_uptime_parse("99999999999999999999.00", 23, &v), -EBADMSG);
	assert_int_equal(procfs_uptime_parse("", 0, &v), -EBADMSG);
}

static int64_t offset_of(const char *text)
{
	int64_t ns = 0;

	return procfs_time_offset_parse(text, strlen(text), "boottime", &ns) < 0 ? INT64_MIN : ns;
}

static void test_time_offset(void **state)
{
	(void)state;
	assert_int_equal(offset_of("monotonic  5 0\nboottime     100000         20\n"),
			 100000000000020);
	assert_int_equal(offset_of("boottime  -1 500000000\n"), -500000000);
	assert_int_equal(offset_of("boottime 0 0\n"), 0);
	assert_int_equal(offset_of("monotonic 5 0\n"), INT64_MIN);
	assert_int_equal(offset_of("boottime 1\n"), INT64_MIN);
	assert_int_equal(offset_of("boottime -\n"), INT64_MIN);
	assert_int_equal(offset_of("boottime 1 1000000000\n"), INT64_MIN);
	assert_int_equal(offset_of("boottime 9999999999999 0\n"), INT64_MIN);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_tcp),
		cmocka_unit_test(test_listen),
		cmocka_unit_test(test_clock),
		cmocka_unit_test(test_time_offset),
		cmocka_unit_test(test_tcp6_raw_icmp),
		cmocka_unit_test(test_doubled),
		cmocka_unit_test(test_damaged_rows),
		cmocka_unit_test(test_unix),
		cmocka_unit_test(test_unix_forged),
		cmocka_unit_test(test_unix_forged_repetition),
		cmocka_unit_test(test_unix_newlines),
		cmocka_unit_test(test_unix_strict),
		cmocka_unit_test(test_packet_netlink),
		cmocka_unit_test(test_sctp),
		cmocka_unit_test(test_no_table),
		cmocka_unit_test(test_stat),
		cmocka_unit_test(test_status),
		cmocka_unit_test(test_cgroup),
		cmocka_unit_test(test_cgroup_path),
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_ports),
		cmocka_unit_test(test_mountinfo),
		cmocka_unit_test(test_sockstat),
		cmocka_unit_test(test_owner_records),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_replay),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
