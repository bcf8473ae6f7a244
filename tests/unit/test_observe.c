/* SPDX-License-Identifier: MIT */
/*
 * Observed protocols on real bytes: conversations of real clients and servers on a loopback
 * interface, captured once (tests/fuzz/corpus/observe), the packets of RFC 9001 and RFC 9369, and
 * bytes that are nothing.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "../helpers/observe_case.h"
#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "observe/observe-internal.h"

#define N(array) (sizeof(array) / sizeof((array)[0]))

static const struct {
	const char *name;
	enum observe_id id;
	const char *detail;
} cases[] = {
	{ "bittorrent-dht-0", OBSERVE_BITTORRENT, "message=dht" },
	{ "bittorrent-dht-1", OBSERVE_BITTORRENT, "message=dht" },
	{ "bittorrent-dht-2", OBSERVE_BITTORRENT, "message=dht" },
	{ "bittorrent-peer", OBSERVE_BITTORRENT,
	  "info_hash=cfe8c7236e04c83197f7c35584466c34ee7613d6 client=-LT2080-" },
	{ "bittorrent-tracker", OBSERVE_BITTORRENT, "message=tracker" },
	{ "bittorrent-utp", OBSERVE_BITTORRENT, "message=utp" },
	{ "dhcp-ack", OBSERVE_DHCP, "message=ack hostname=laptop address=10.8.0.53" },
	{ "dhcp-discover", OBSERVE_DHCP, "message=discover hostname=laptop vendor=example-client" },
	{ "dhcp-offer", OBSERVE_DHCP, "message=offer address=10.8.0.53" },
	{ "dhcp-request", OBSERVE_DHCP,
	  "message=request requested=10.8.0.53 hostname=laptop vendor=example-client" },
	{ "dns-cname", OBSERVE_DNS, "query=alias2.example.org type=A answer=192.0.2.81" },
	{ "dns-edns", OBSERVE_DNS, "query=www.example.org type=AAAA answer=2001:db8::80" },
	{ "dns-nxdomain", OBSERVE_DNS, "query=nothing.example.org type=A rcode=NXDOMAIN" },
	{ "dns-plain", OBSERVE_DNS, "query=www.example.org type=A answer=192.0.2.80" },
	{ "dns-tcp", OBSERVE_DNS, "query=www.example.org type=A answer=192.0.2.80" },
	{ "dns-tcp-two", OBSERVE_DNS,
	  "query=www.example.org type=A answer=192.0.2.80 query=www.example.org type=AAAA "
	  "answer=2001:db8::80" },
	{ "ftp", OBSERVE_FTP, "greeting=\"220 pyftpdlib 1.5.7 ready.\"" },
	{ "http-get", OBSERVE_HTTP, "method=GET host=www.example.org agent=curl/7.88.1" },
	{ "http-post", OBSERVE_HTTP, "method=POST host=www.example.org agent=curl/7.88.1" },
	{ "http2-preface", OBSERVE_HTTP2, "" },
	{ "imap", OBSERVE_IMAP,
	  "greeting=\"* OK [CAPABILITY IMAP4rev1 SASL-IR LOGIN-REFERRALS ID ENABLE IDLE LITERAL+ "
	  "AUTH=PLAIN] Dovecot (Debian) ready.\"" },
	{ "mqtt-31", OBSERVE_MQTT, "version=3.1 client=sensor-19" },
	{ "mqtt-311", OBSERVE_MQTT, "version=3.1.1 client=sensor-17" },
	{ "mqtt-5", OBSERVE_MQTT, "version=5 client=sensor-18" },
	{ "mysql", OBSERVE_MYSQL, "version=10.11.19-MariaDB-0+deb12u1" },
	{ "mysql-refused", OBSERVE_MYSQL, "error=\"Too many connections\"" },
	{ "ntp-chrony", OBSERVE_NTP, "version=4 mode=client" },
	{ "ntp-ntpdig", OBSERVE_NTP, "version=4 mode=client" },
	{ "pop3", OBSERVE_POP3, "greeting=\"+OK Dovecot (Debian) ready.\"" },
	{ "postgresql", OBSERVE_POSTGRESQL, "user=postgres database=postgres application=psql" },
	{ "postgresql-tls", OBSERVE_POSTGRESQL,
	  "asks=tls offers=1.3 ja4=t13i310900_e8f1e7e78f70_1f22a2ca17c4" },
	{ "quic-rfc9001", OBSERVE_QUIC,
	  "version=1 sni=example.com alpn=alpn ja4=q13d0211an_62ed6f6ca7ad_4d634acda6c0" },
	{ "quic-rfc9369", OBSERVE_QUIC,
	  "version=2 sni=example.com alpn=alpn ja4=q13d0211an_62ed6f6ca7ad_4d634acda6c0" },
	{ "quic-two-datagrams", OBSERVE_QUIC,
	  "version=1 sni=www.example.org alpn=h2,http/1.1 "
	  "ja4=q13d3113h2_e8f1e7e78f70_ac116adabfec" },
	{ "quic-v1", OBSERVE_QUIC,
	  "version=1 sni=localhost alpn=h3 ja4=q13d0415h3_9caa18292e23_84684a673e38" },
	{ "rdp", OBSERVE_RDP, "cookie=alice security=tls,credssp" },
	{ "rdp-bare", OBSERVE_RDP, "security=rdp" },
	{ "rdp-plain", OBSERVE_RDP, "cookie=alice" },
	{ "redis", OBSERVE_REDIS, "command=set" },
	{ "smb-1", OBSERVE_SMB, "version=1" },
	{ "smb-2", OBSERVE_SMB, "offers=3.1.1 dialect=3.1.1" },
	{ "smtp", OBSERVE_SMTP, "greeting=\"220 localhost Python SMTP 1.4.3\"" },
	{ "snmp-1", OBSERVE_SNMP, "version=1 community=public pdu=get" },
	{ "snmp-2c", OBSERVE_SNMP, "version=2c community=public pdu=get" },
	{ "snmp-3", OBSERVE_SNMP, "version=3" },
	{ "ssh", OBSERVE_SSH, "banner=\"2.0-OpenSSH_9.2p1 Debian-2+deb12u10\"" },
	{ "stun-allocate", OBSERVE_STUN, "method=allocate class=request" },
	{ "stun-binding", OBSERVE_STUN, "method=binding class=request" },
	{ "stun-tcp", OBSERVE_STUN, "method=allocate class=request" },
	{ "tftp-data", OBSERVE_TFTP, "message=data" },
	{ "tftp-error", OBSERVE_TFTP, "error=\"File not found\"" },
	{ "tftp-options", OBSERVE_TFTP, "message=options" },
	{ "tftp-read", OBSERVE_TFTP, "request=read file=boot.img mode=octet" },
	{ "tftp-read-none", OBSERVE_TFTP, "request=read file=none mode=octet" },
	{ "tftp-write", OBSERVE_TFTP, "request=write file=upload.bin mode=octet" },
	{ "tls-12", OBSERVE_TLS,
	  "sni=www.example.org alpn=h2,http/1.1 offers=1.2 "
	  "ja4=t12d2807h2_d943125447b4_a44c6288192a version=1.2 cipher=0xc030" },
	{ "tls-13", OBSERVE_TLS,
	  "sni=www.example.org alpn=h2,http/1.1 offers=1.3 "
	  "ja4=t13d3112h2_e8f1e7e78f70_b26ce05bbdd6 version=1.3 cipher=0x1302" },
	{ "tls-alert", OBSERVE_TLS,
	  "sni=www.example.org alpn=h2,http/1.1 offers=1.1 "
	  "ja4=t11d0906h2_c491f621fb4c_d4d584b446d3 alert=protocol_version" },
	{ "tls-large", OBSERVE_TLS,
	  "sni=www.example.org alpn=h2,http/1.1 offers=1.3 "
	  "ja4=t13d3113h2_e8f1e7e78f70_ac116adabfec" },
	{ "tls-no-name", OBSERVE_TLS,
	  "alpn=h2,http/1.1 offers=1.3 ja4=t13i3111h2_e8f1e7e78f70_b26ce05bbdd6 version=1.3 "
	  "cipher=0x1302" },
	{ "tls-p384", OBSERVE_TLS,
	  "offers=1.3 ja4=t13i310900_e8f1e7e78f70_1f22a2ca17c4 version=1.3 cipher=0x1302" },
	{ "tls-records", OBSERVE_TLS,
	  "sni=www.example.org alpn=h2,http/1.1 offers=1.3 "
	  "ja4=t13d3113h2_e8f1e7e78f70_ac116adabfec" },
	{ "wireguard", OBSERVE_WIREGUARD, "message=initiation" },
	{ "wireguard-data", OBSERVE_WIREGUARD, "message=data" },
};

/* Fails the allocation with that number, counted down; below zero all succeed. */
static long fail_at = -1;

static bool fails(void)
{
	return fail_at >= 0 && fail_at-- == 0;
}

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);
void *__real_realloc(void *p, size_t size);
void *__wrap_realloc(void *p, size_t size);
void *__real_reallocarray(void *p, size_t n, size_t size);
void *__wrap_reallocarray(void *p, size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
	return fails() ? NULL : __real_calloc(n, size);
}

void *__wrap_realloc(void *p, size_t size)
{
	return fails() ? NULL : __real_realloc(p, size);
}

void *__wrap_reallocarray(void *p, size_t n, size_t size)
{
	return fails() ? NULL : __real_reallocarray(p, n, size);
}

static struct observe *make(size_t buffer_bytes, size_t names)
{
	struct observe *o;

	assert_int_equal(observe_new(&(struct observe_limits){ buffer_bytes, names }, &o), 0);
	assert_non_null(o->crypto);
	/* what nDPI takes bytes for where it is built in is not ours to promise */
	o->ndpi = observe_ndpi_free(o->ndpi);
	return o;
}

static void read_case(const char *name, struct buf *b)
{
	char path[512];

	snprintf(path, sizeof(path), "%s/%s", CORPUS, name);
	assert_int_equal(file_read_at(AT_FDCWD, path, b), 0);
}

static void assert_detail(const struct observe_state *s, const char *want)
{
	char text[OBSERVE_DETAIL_MAX + 1];
	size_t n;
	const char *detail = observe_state_detail(s, &n);

	memcpy(text, detail, n);
	text[n] = 0;
	assert_string_equal(text, want);
}

static void check_case(struct observe *o, size_t i, size_t segment)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct observe_state s = { 0 };

	read_case(cases[i].name, &b);
	assert_int_equal(case_feed(o, &s, (const uint8_t *)b.data, b.len, segment), 0);
	assert_int_equal(observe_finish(o, &s), 0);
	if (observe_state_id(&s) != cases[i].id)
		fail_msg("%s in segments of %zu: %s", cases[i].name, segment,
			 observe_state_name(o, &s));
	assert_detail(&s, cases[i].detail);
	assert_int_equal(observe_state_verdict(&s), OBSERVE_FOUND);
	observe_state_release(o, &s);
}

static void assert_empty(const struct observe *o)
{
	struct observe_counts counts;

	observe_counts_get(o, &counts);
	assert_int_equal(counts.buffered, 0);
	assert_int_equal(counts.details, 0);
	assert_int_equal(counts.abandoned, 0);
}

static void test_samples(void **state)
{
	static const size_t segments[] = { SIZE_MAX, 1400, 100, 7, 1 };
	_cleanup_(cleanup_observe) struct observe *o = make(0, 0);

	(void)state;
	for (size_t i = 0; i < N(cases); i++)
		for (size_t k = 0; k < N(segments); k++)
			check_case(o, i, segments[k]);
	assert_empty(o);
}

/* Every protocol has a sample. */
static void test_samples_are_complete(void **state)
{
	bool has[OBSERVE_N] = { false };

	(void)state;
	for (size_t i = 0; i < N(cases); i++)
		has[cases[i].id] = true;
	for (unsigned id = OBSERVE_NONE + 1; id < OBSERVE_OTHER; id++)
		if (!has[id])
			fail_msg("no sample of %s", observe_id_name((enum observe_id)id));
}

/* Each payload shown to each probe as the start of a side: only the right one may know it. */
static void test_one_answer(void **state)
{
	_cleanup_(cleanup_observe) struct observe *o = make(0, 0);

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
		const uint8_t *data, *payload;
		size_t size, len;
		uint8_t flags;

		read_case(cases[i].name, &b);
		data = (const uint8_t *)b.data;
		size = b.len;
		while ((payload = case_next(&data, &size, &flags, &len)))
			for (unsigned id = OBSERVE_NONE + 1; id < OBSERVE_OTHER; id++) {
				struct observe_state s = { 0 };
				struct observe_payload p = { .transport =
								     flags & CASE_UDP
									     ? PV_TRANSPORT_UDP
									     : PV_TRANSPORT_TCP };
				struct probe probe = { .data = payload,
						       .len = len,
						       .is_last = true,
						       .payload = &p,
						       .o = o,
						       .s = &s };

				if (!(observe_protocols[id].transports & 1U << p.transport))
					continue;
				if (observe_protocols[id].probe(&probe) >= PROBE_SURE &&
				    id != (unsigned)cases[i].id &&
				    !(cases[i].id == OBSERVE_POSTGRESQL && id == OBSERVE_TLS))
					fail_msg("%s looks like %s", cases[i].name,
						 observe_id_name((enum observe_id)id));
				observe_state_release(o, &s);
			}
	}
}

static uint64_t next_random(uint64_t *x)
{
	*x ^= *x << 13;
	*x ^= *x >> 7;
	return *x ^= *x << 17;
}

/* One payload of noise: bytes of any value, or of text only; sometimes with many zeros. */
static size_t make_noise(uint64_t *x, uint8_t *out)
{
	size_t n = 1 + next_random(x) % 256;
	unsigned kind = next_random(x) % 3;

	for (size_t i = 0; i < n; i++) {
		uint64_t v = next_random(x) >> 11;

		out[i] = (uint8_t)v;
		if (kind == 1)
			out[i] = (uint8_t)(v % 97 == 96 ? '\n' : 0x20 + v % 95);
		else if (kind == 2 && v & 0x300)
			out[i] = 0;
	}
	return n;
}

static void test_noise(void **state)
{
	_cleanup_(cleanup_observe) struct observe *o = make(0, 0);
	uint64_t x = UINT64_C(0x9e3779b97f4a7c15);

	(void)state;
	for (unsigned i = 0; i < 300000; i++) {
		struct observe_state s = { 0 };
		uint8_t noise[256];
		struct observe_payload p = { .data = noise, .len = make_noise(&x, noise) };

		p.transport = i & 1 ? PV_TRANSPORT_UDP : PV_TRANSPORT_TCP;
		p.is_cut = i & 2;
		assert_int_equal(observe_feed(o, &s, &p), 0);
		assert_int_equal(observe_finish(o, &s), 0);
		if (observe_state_id(&s) != OBSERVE_NONE)
			fail_msg("noise %u looks like %s", i, observe_state_name(o, &s));
		assert_int_equal(observe_state_verdict(&s), OBSERVE_UNKNOWN);
		observe_state_release(o, &s);
	}
	assert_empty(o);
}

/* A sample cut at any byte is what it is or nothing, and nothing is read behind the cut. */
static void test_cut_anywhere(void **state)
{
	_cleanup_(cleanup_observe) struct observe *o = make(0, 0);

	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

		read_case(cases[i].name, &b);
		for (size_t n = CASE_HEADER + 1; n < b.len; n++) {
			_cleanup_(cleanup_free) uint8_t *exact = malloc(n);
			struct observe_state s = { 0 };

			assert_non_null(exact);
			memcpy(exact, b.data, n);
			exact[0] |= n % 2 ? CASE_CUT : 0;
			assert_int_equal(case_feed(o, &s, exact, n, SIZE_MAX), 0);
			assert_int_equal(observe_finish(o, &s), 0);
			if (s.id != OBSERVE_NONE && s.id != cases[i].id)
				fail_msg("%s cut at %zu looks like %s", cases[i].name, n,
					 observe_state_name(o, &s));
			observe_state_release(o, &s);
		}
	}
	assert_empty(o);
}

static int feed(struct observe *o, struct observe_state *s, unsigned side, uint32_t offset,
		const void *data, size_t len)
{
	return observe_feed(o, s,
			    &(struct observe_payload){ .data = data,
						       .len = len,
						       .side = (uint8_t)side,
						       .offset = offset,
						       .transport = PV_TRANSPORT_TCP });
}

/* Segments last to first, each twice, some overlapping. */
static void test_out_of_order(void **state)
{
	_cleanup_(cleanup_observe) struct observe *o = make(0, 0);
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct observe_state s = { 0 };
	const char *hello;
	size_t n;

	(void)state;
	read_case("tls-large", &b);
	hello = b.data + CASE_HEADER;
	n = b.len - CASE_HEADER;
	for (size_t at = n / 500 * 500;; at -= 500) {
		size_t len = n - at < 600 ? n - at : 600;

		assert_int_equal(s.id, OBSERVE_NONE);
		assert_int_equal(feed(o, &s, 0, (uint32_t)at, hello + at, len), 0);
		assert_int_equal(feed(o, &s, 0, (uint32_t)at, hello + at, len), 0);
		if (at == 0)
			break;
	}
	assert_int_equal(observe_state_id(&s), OBSERVE_TLS);
	assert_false(observe_wants(&s, 0));
	assert_true(observe_wants(&s, 1));
	observe_state_release(o, &s);
	assert_empty(o);
}

/* A stream whose first segment is not in the capture: given up once nothing could help. */
static void test_lost_start(void **state)
{
	_cleanup_(cleanup_observe) struct observe *o = make(0, 0);
	struct observe_state s = { 0 };

	(void)state;
	/* a keep-alive repeats the byte before */
	assert_int_equal(feed(o, &s, 0, UINT32_MAX, "x", 1), 0);
	assert_true(observe_wants(&s, 0));
	assert_int_equal(feed(o, &s, 0, 5000, "x", 1), 0);
	assert_true(observe_wants(&s, 0));
	assert_int_equal(feed(o, &s, 0, OBSERVE_STREAM_MAX, "x", 1), 0);
	assert_false(observe_wants(&s, 0));
	assert_int_equal(feed(o, &s, 1, OBSERVE_STREAM_MAX + 9, "x", 1), 0);
	assert_int_equal(observe_state_verdict(&s), OBSERVE_UNKNOWN);
	observe_state_release(o, &s);
	assert_empty(o);
}

#define HALF "GET /index.html HTTP/1.1\r\nHost: example.org\r\n"

/* More undecided streams than there is room for: the oldest go, and are counted. */
static void test_pool_is_bounded(void **state)
{
	_cleanup_(cleanup_observe) struct observe *o = make(1 << 16, 0);
	struct observe_state s[100] = { { 0 } };
	struct observe_counts counts;

	(void)state;
	for (size_t i = 0; i < N(s); i++)
		assert_int_equal(feed(o, &s[i], 0, 0, HALF, sizeof(HALF) - 1), 0);
	observe_counts_get(o, &counts);
	assert_true(counts.buffered <= 1 << 16 && counts.buffered > 0);
	assert_int_equal(counts.abandoned, 100 - 32); /* 2,048 bytes each */
	for (size_t i = 0; i < N(s); i++) {
		assert_int_equal(feed(o, &s[i], 0, sizeof(HALF) - 1, "\r\n", 2), 0);
		assert_int_equal(observe_finish(o, &s[i]), 0);
		/* the request line was enough to know it; the rest is known of those that stayed */
		assert_int_equal(observe_state_id(&s[i]), OBSERVE_HTTP);
		assert_detail(&s[i], i < 68 ? "" : "method=GET host=example.org");
		observe_state_release(o, &s[i]);
	}
	observe_counts_get(o, &counts);
	assert_int_equal(counts.buffered, 0);
}

static void test_finish_tells_what_is_there(void **state)
{
	_cleanup_(cleanup_observe) struct observe *o = make(0, 0);
	struct observe_state s = { 0 };

	(void)state;
	assert_int_equal(feed(o, &s, 0, 0, HALF, sizeof(HALF) - 1), 0);
	assert_detail(&s, "");
	assert_int_equal(observe_finish(o, &s), 0);
	assert_detail(&s, "method=GET host=example.org");
	observe_state_release(o, &s);
	/* nothing but the first byte of many protocols */
	assert_int_equal(feed(o, &s, 1, 0, "S", 1), 0);
	assert_int_equal(observe_state_verdict(&s), OBSERVE_UNDECIDED);
	assert_int_equal(observe_finish(o, &s), 0);
	assert_int_equal(observe_state_verdict(&s), OBSERVE_UNKNOWN);
	observe_state_release(o, &s);
}

/* Of a QUIC hello over two datagrams the first is there: so is the name in it. */
static void test_half_a_quic_hello(void **state)
{
	_cleanup_(cleanup_observe) struct observe *o = make(0, 0);
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct observe_state s = { 0 };

	(void)state;
	read_case("quic-two-datagrams", &b);
	assert_int_equal(case_feed(o, &s, (const uint8_t *)b.data,
				   4 + get_be16((const uint8_t *)b.data + 2), SIZE_MAX),
			 0);
	assert_detail(&s, "version=1");
	assert_int_equal(observe_finish(o, &s), 0);
	assert_detail(&s, "version=1 sni=www.example.org");
	observe_state_release(o, &s);
	assert_empty(o);
}

/* Values are quoted so that none can pass for another key; other bytes stay as they came. */
static void test_quoting(void **state)
{
	static const char request[] =
		"GET / HTTP/1.1\r\nHost: a\033[31m\r\nUser-Agent: x\" host=\\y\r\n\r\n";
	_cleanup_(cleanup_observe) struct observe *o = make(0, 0);
	struct observe_state s = { 0 };

	(void)state;
	assert_int_equal(feed(o, &s, 0, 0, request, sizeof(request) - 1), 0);
	assert_detail(&s, "method=GET host=a\033[31m agent=\"x\\\" host=\\\\y\"");
	observe_state_release(o, &s);
}

/* Greetings that do not say what they greet for are told by the client's first command. */
static void test_ambiguous_greetings(void **state)
{
	static const struct {
		const char *server, *client;
		enum observe_id id;
	} talks[] = {
		{ "220 mail.example.org ready\r\n", "EHLO x\r\n", OBSERVE_SMTP },
		{ "220 mail.example.org ready\r\n", "helo x\r\n", OBSERVE_SMTP },
		{ "220 files.example.org\r\n", "USER anonymous\r\n", OBSERVE_FTP },
		{ "220-first line\r\n220 files\r\n", "AUTH TLS\r\n", OBSERVE_FTP },
		{ "220 a.example.org ESMTP\r\n", "", OBSERVE_SMTP },
		{ "220 FTP server\r\n", "", OBSERVE_FTP },
		{ "+OK ready\r\n", "CAPA\r\n", OBSERVE_POP3 },
		{ "+OK ready\r\n", "USER x\r\n", OBSERVE_POP3 },
		{ "+OK\r\n", "*1\r\n$4\r\nPING\r\n", OBSERVE_REDIS },
		{ "220 mail.example.org ready\r\n", "GET x\r\n", OBSERVE_NONE },
		{ "* OK IMAP4rev1 ready\r\n", "", OBSERVE_IMAP },
		{ "* PREAUTH [CAPABILITY] x\r\n", "", OBSERVE_IMAP },
	};
	_cleanup_(cleanup_observe) struct observe *o = make(0, 0);

	(void)state;
	for (size_t i = 0; i < N(talks); i++) {
		struct observe_state s = { 0 };

		assert_int_equal(feed(o, &s, 1, 0, talks[i].server, strlen(talks[i].server)), 0);
		assert_int_equal(feed(o, &s, 0, 0, talks[i].client, strlen(talks[i].client)), 0);
		assert_int_equal(observe_finish(o, &s), 0);
		if (observe_state_id(&s) != talks[i].id)
			fail_msg("%s: %s", talks[i].server, observe_state_name(o, &s));
		observe_state_release(o, &s);
	}
	assert_empty(o);
}

static const uint8_t asker[4] = { 192, 0, 2, 1 }, stranger[4] = { 192, 0, 2, 9 };

static void feed_sample(struct observe *o, const char *name)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct observe_state s = { 0 };

	read_case(name, &b);
	assert_int_equal(case_feed(o, &s, (const uint8_t *)b.data, b.len, SIZE_MAX), 0);
	observe_state_release(o, &s);
}

static void test_asked_names(void **state)
{
	static const uint8_t real[4] = { 192, 0, 2, 81 }, www[4] = { 192, 0, 2, 80 },
			     six[16] = { 0x20, 1, 0xd, 0xb8, [15] = 0x80 };
	_cleanup_(cleanup_observe) struct observe *o = make(0, 0);

	(void)state;
	assert_null(observe_asked_name(o, AF_INET, NULL, real, 0));
	feed_sample(o, "dns-cname");
	feed_sample(o, "dns-tcp-two");
	feed_sample(o, "dns-nxdomain");
	/* the name that was asked for, not the one the alias stands for */
	assert_string_equal(observe_asked_name(o, AF_INET, asker, real, 0), "alias2.example.org");
	assert_null(observe_asked_name(o, AF_INET, NULL, real, 0));
	assert_null(observe_asked_name(o, AF_INET, stranger, real, 0));
	assert_string_equal(observe_asked_name(o, AF_INET, asker, www, 0), "www.example.org");
	/* asked for over IPv4: it is not known under which IPv6 address the asker will talk */
	assert_string_equal(observe_asked_name(o, AF_INET6, NULL, six, 0), "www.example.org");
}

static int put_name(struct asked *asked, const uint8_t *addr, const char *name, uint64_t time)
{
	return asked_put(asked, &(struct asked_answer){ .family = AF_INET,
							.asker = asker,
							.addr = addr,
							.name = name,
							.len = strlen(name),
							.time = time });
}

/* A name holds for what comes after its answer; of several the one that was given last. */
static void test_asked_names_in_time(void **state)
{
	static const uint8_t addr[4] = { 192, 0, 2, 80 };
	struct asked asked;

	(void)state;
	asked_init(&asked, 64);
	assert_int_equal(put_name(&asked, addr, "a.example.org", 10), 0);
	assert_int_equal(put_name(&asked, addr, "b.example.org", 20), 0);
	assert_null(asked_get(&asked, AF_INET, asker, addr, 9));
	assert_string_equal(asked_get(&asked, AF_INET, asker, addr, 10), "a.example.org");
	assert_string_equal(asked_get(&asked, AF_INET, asker, addr, 19), "a.example.org");
	assert_string_equal(asked_get(&asked, AF_INET, asker, addr, 20), "b.example.org");
	assert_int_equal(put_name(&asked, addr, "a.example.org", 30), 0);
	assert_string_equal(asked_get(&asked, AF_INET, asker, addr, 30), "a.example.org");
	assert_null(asked_get(&asked, AF_INET, NULL, addr, 25));
	asked_deinit(&asked);
}

static void test_asked_names_are_bounded(void **state)
{
	struct asked asked;
	unsigned known = 0;

	(void)state;
	asked_init(&asked, 64);
	for (unsigned i = 0; i < 1000; i++) {
		uint8_t addr[4] = { 10, 0, (uint8_t)(i >> 8), (uint8_t)i };
		char name[32];

		snprintf(name, sizeof(name), "h%u.example.org", i);
		assert_int_equal(put_name(&asked, addr, name, 0), 0);
		assert_string_equal(asked_get(&asked, AF_INET, asker, addr, 0), name);
	}
	for (unsigned i = 0; i < 1000; i++) {
		uint8_t addr[4] = { 10, 0, (uint8_t)(i >> 8), (uint8_t)i };

		known += asked_get(&asked, AF_INET, asker, addr, 0) != NULL;
	}
	assert_true(known <= 64 && known > 32);
	/* a name that would pass for an address is none */
	assert_int_equal(put_name(&asked, stranger, "192.0.2.1", 0), 0);
	assert_null(asked_get(&asked, AF_INET, asker, stranger, 0));
	asked_deinit(&asked);
}

static void test_contradictions(void **state)
{
	static const struct {
		enum observe_id id;
		uint16_t port;
		enum pv_transport transport;
		const char *text;
	} claims[] = {
		{ OBSERVE_SSH, 22, PV_TRANSPORT_TCP, "" },
		{ OBSERVE_SSH, 443, PV_TRANSPORT_TCP, "SSH on 443, registered for https" },
		{ OBSERVE_HTTP, 443, PV_TRANSPORT_TCP, "HTTP on 443, registered for https" },
		{ OBSERVE_HTTP, 80, PV_TRANSPORT_TCP, "" },
		{ OBSERVE_HTTP, 8080, PV_TRANSPORT_TCP, "" },
		{ OBSERVE_HTTP, 53, PV_TRANSPORT_TCP, "HTTP on 53, registered for domain" },
		{ OBSERVE_HTTP, 9100, PV_TRANSPORT_TCP, "" },
		{ OBSERVE_HTTP, 1900, PV_TRANSPORT_UDP, "" },
		{ OBSERVE_TLS, 443, PV_TRANSPORT_TCP, "" },
		{ OBSERVE_TLS, 853, PV_TRANSPORT_TCP, "" },
		{ OBSERVE_TLS, 993, PV_TRANSPORT_TCP, "" },
		{ OBSERVE_TLS, 22, PV_TRANSPORT_TCP, "TLS on 22, registered for ssh" },
		{ OBSERVE_TLS, 5222, PV_TRANSPORT_TCP, "" },
		{ OBSERVE_QUIC, 443, PV_TRANSPORT_UDP, "" },
		{ OBSERVE_QUIC, 53, PV_TRANSPORT_UDP, "QUIC on 53, registered for domain" },
		{ OBSERVE_DNS, 53, PV_TRANSPORT_UDP, "" },
		{ OBSERVE_DNS, 5353, PV_TRANSPORT_UDP, "" },
		{ OBSERVE_DNS, 123, PV_TRANSPORT_UDP, "DNS on 123, registered for ntp" },
		{ OBSERVE_SMTP, 587, PV_TRANSPORT_TCP, "" },
		{ OBSERVE_WIREGUARD, 51820, PV_TRANSPORT_UDP, "" },
		{ OBSERVE_WIREGUARD, 53, PV_TRANSPORT_UDP,
		  "WireGuard on 53, registered for domain" },
		{ OBSERVE_REDIS, 6379, PV_TRANSPORT_TCP, "" },
		{ OBSERVE_BITTORRENT, 51413, PV_TRANSPORT_TCP, "" },
		{ OBSERVE_NONE, 443, PV_TRANSPORT_TCP, "" },
	};
	_cleanup_(cleanup_observe) struct observe *o = make(0, 0);

	(void)state;
	for (size_t i = 0; i < N(claims); i++) {
		struct observe_state s = { .id = (uint8_t)claims[i].id };
		char text[OBSERVE_CONTRADICTION_MAX + 1];
		size_t n = observe_contradiction(o, &s, claims[i].port, claims[i].transport, text);

		text[n] = 0;
		assert_string_equal(text, claims[i].text);
	}
}

/* Every home is a service of the registry under one of the protocol's transports. */
static void test_homes_exist(void **state)
{
	(void)state;
	for (unsigned id = OBSERVE_NONE + 1; id < OBSERVE_OTHER; id++) {
		const char *at = observe_protocols[id].home;

		assert_true(at[0] != 0);
		while (*at) {
			size_t n = strcspn(at, " "), cursor = 0;
			const struct pv_service *row;
			bool found = false;
			char name[32];

			snprintf(name, sizeof(name), "%.*s", (int)n, at);
			while (!found && (row = pv_service_next_by_name(name, &cursor)))
				found = observe_protocols[id].transports & 1U << row->transport;
			if (!found)
				fail_msg("%s: no service %s", observe_id_name((enum observe_id)id),
					 name);
			at += n + (at[n] == ' ');
		}
	}
}

static void test_names_of_protocols(void **state)
{
	(void)state;
	for (unsigned id = OBSERVE_NONE + 1; id < OBSERVE_OTHER; id++)
		for (unsigned other = OBSERVE_NONE; other < id; other++)
			assert_string_not_equal(observe_id_name((enum observe_id)id),
						observe_id_name((enum observe_id)other));
	assert_string_equal(observe_id_title(OBSERVE_POSTGRESQL), "PostgreSQL");
}

static void set_list(struct tls_list *list, const uint16_t *items, size_t n)
{
	memcpy(list->items, items, n * sizeof(*items));
	list->n = (uint16_t)n;
}

/* The example of the format's own description. */
static void test_ja4(void **state)
{
	static const uint16_t ciphers[] = { 0x1301, 0x1302, 0x1303, 0xc02b, 0xc02f,
					    0xc02c, 0xc030, 0xcca9, 0xcca8, 0xc013,
					    0xc014, 0x009c, 0x009d, 0x002f, 0x0035 };
	static const uint16_t extensions[] = { 0x001b, 0x0000, 0x0033, 0x0010, 0x4469, 0x0017,
					       0x002d, 0x000d, 0x0005, 0x0023, 0x0012, 0x002b,
					       0xff01, 0x000b, 0x000a, 0x0015 };
	static const uint16_t signatures[] = { 0x0403, 0x0804, 0x0401, 0x0503,
					       0x0805, 0x0501, 0x0806, 0x0601 };
	_cleanup_(cleanup_observe) struct observe *o = make(0, 0);
	struct tls_hello h = { .version = 0x0304,
			       .has_sni = true,
			       .alpn = { (const uint8_t *)"\002h2", 3 } };
	char ja4[JA4_SIZE];

	(void)state;
	set_list(&h.ciphers, ciphers, N(ciphers));
	set_list(&h.extensions, extensions, N(extensions));
	set_list(&h.signatures, signatures, N(signatures));
	assert_true(ja4_client(o->crypto, &h, 't', ja4));
	assert_string_equal(ja4, "t13d1516h2_8daaf6152771_e5627efa2ab1");
	/* nothing offered at all, and a protocol that is not text */
	h = (struct tls_hello){ .version = 0x0301, .alpn = { (const uint8_t *)"\002\xab\xcd", 3 } };
	assert_true(ja4_client(o->crypto, &h, 'q', ja4));
	assert_string_equal(ja4, "q10i0000ad_000000000000_000000000000");
}

/* Each allocation fails once; what was there is freed (a sanitizer sees to that). */
static void test_out_of_memory(void **state)
{
	(void)state;
	for (size_t i = 0; i < N(cases); i++) {
		_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
		bool failed = true;

		read_case(cases[i].name, &b);
		for (long n = 0; failed && n < 50; n++) {
			_cleanup_(cleanup_observe) struct observe *o = make(0, 16);
			struct observe_state s = { 0 };
			int r;

			fail_at = n;
			r = case_feed(o, &s, (const uint8_t *)b.data, b.len, 100);
			failed = fail_at < 0;
			fail_at = -1;
			assert_true(r == 0 || (r == -ENOMEM && failed));
			assert_int_equal(observe_finish(o, &s), 0);
			observe_state_release(o, &s);
		}
		assert_false(failed);
	}
}

/* A protocol that is not ours: nDPI names it where it is built in. */
static void test_other(void **state)
{
	static const char sip[] =
		"INVITE sip:bob@example.org SIP/2.0\r\nVia: SIP/2.0/TCP a.example.org\r\n"
		"From: <sip:a@example.org>\r\nTo: <sip:bob@example.org>\r\n\r\n";
	_cleanup_(cleanup_observe) struct observe *o = NULL;
	struct observe_state s = { 0 };

	(void)state;
	assert_int_equal(observe_new(NULL, &o), 0);
	assert_int_equal(feed(o, &s, 0, 0, sip, sizeof(sip) - 1), 0);
	assert_int_equal(observe_finish(o, &s), 0);
	assert_int_equal(observe_state_id(&s), o->ndpi ? OBSERVE_OTHER : OBSERVE_NONE);
	assert_string_equal(observe_state_name(o, &s), o->ndpi ? "sip" : "");
	observe_state_release(o, &s);
}

/* Queries to the groups of mDNS ask for several names at once, some with an id; elsewhere none
 * does. */
static void test_multicast_dns(void **state)
{
	static const uint8_t query[] = "\0\4\0\0\0\2\0\0\0\0\0\0"
				       "\1a\5local\0\0\14\0\1"
				       "\1b\5local\0\0\14\0\1";
	static const uint8_t group4[16] = { 224, 0, 0, 251 }, host4[16] = { 224, 0, 0, 252 };
	static const uint8_t group6[16] = { 0xff, 0x02, [15] = 0xfb };
	static const struct {
		int family;
		const uint8_t *to;
		int id;
	} to[] = {
		{ AF_INET, group4, OBSERVE_DNS },
		{ AF_INET6, group6, OBSERVE_DNS },
		{ AF_INET, host4, OBSERVE_NONE },
	};
	_cleanup_(cleanup_observe) struct observe *o = make(0, 0);

	(void)state;
	for (size_t i = 0; i < N(to); i++) {
		struct observe_state s = { 0 };
		struct observe_payload p = { .data = query,
					     .len = sizeof(query) - 1,
					     .family = (uint8_t)to[i].family,
					     .src = host4,
					     .dst = to[i].to,
					     .transport = PV_TRANSPORT_UDP };

		assert_int_equal(observe_feed(o, &s, &p), 0);
		assert_int_equal(observe_finish(o, &s), 0);
		assert_int_equal(observe_state_id(&s), to[i].id);
		observe_state_release(o, &s);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_samples),
		cmocka_unit_test(test_samples_are_complete),
		cmocka_unit_test(test_one_answer),
		cmocka_unit_test(test_noise),
		cmocka_unit_test(test_cut_anywhere),
		cmocka_unit_test(test_out_of_order),
		cmocka_unit_test(test_pool_is_bounded),
		cmocka_unit_test(test_finish_tells_what_is_there),
		cmocka_unit_test(test_half_a_quic_hello),
		cmocka_unit_test(test_quoting),
		cmocka_unit_test(test_ambiguous_greetings),
		cmocka_unit_test(test_multicast_dns),
		cmocka_unit_test(test_asked_names),
		cmocka_unit_test(test_asked_names_in_time),
		cmocka_unit_test(test_asked_names_are_bounded),
		cmocka_unit_test(test_lost_start),
		cmocka_unit_test(test_contradictions),
		cmocka_unit_test(test_homes_exist),
		cmocka_unit_test(test_names_of_protocols),
		cmocka_unit_test(test_ja4),
		cmocka_unit_test(test_other),
		cmocka_unit_test(test_out_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
