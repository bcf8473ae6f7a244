/* SPDX-License-Identifier: MIT */
/*
 * Redaction: prefixes are kept and nothing else is, names depend on the key and on nothing else,
 * ranges and names with a meaning stay; an image gives back the snapshot it was made of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/inet.h"
#include "model/image.h"
#include "redact/redact-internal.h"

static struct pv_redactor *redactor(const char *key)
{
	struct pv_redactor *r = NULL;

	assert_int_equal(pv_redactor_new(key, strlen(key), &r), 0);
	return r;
}

static void cleanup_redactor(struct pv_redactor **r)
{
	pv_redactor_free(*r);
}

#define KEY_A "sixteen bytes are enough, so are more"
#define KEY_B "Sixteen bytes are enough, so are more"

static unsigned shared_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	for (unsigned i = 0; i < bits; i++)
		if ((a[i / 8] ^ b[i / 8]) >> (7 - i % 8) & 1)
			return i;
	return bits;
}

static void random_address(uint8_t *a, size_t n)
{
	for (size_t i = 0; i < n; i++)
		a[i] = (uint8_t)random();
}

/* Two addresses share as many bits after as before: so equal ones stay equal, others differ. */
static void check_prefixes(const struct pv_redactor *r, int family, size_t n)
{
	for (int i = 0; i < 1500; i++) {
		uint8_t a[16], b[16], x[16], y[16];
		unsigned same = (unsigned)random() % (unsigned)(n * 8 + 1);

		random_address(a, n);
		/* half of the time out of a range with a meaning */
		if (i % 2)
			memcpy(a,
			       (const uint8_t[][4]){ { 10, 1, 2, 3 },
						     { 192, 168, 3, 4 },
						     { 0xfe, 0x80, 0, 0 },
						     { 0xff, 0x02, 0, 0 },
						     { 224, 0, 0, 251 },
						     { 0x20, 1, 13, 0xb8 } }[random() % 6],
			       4);
		memcpy(b, a, n);
		if (same < n * 8)
			b[same / 8] ^= (uint8_t)(0x80 >> same % 8);
		for (unsigned k = same + 1; k < n * 8; k++)
			if (random() % 2)
				b[k / 8] ^= (uint8_t)(0x80 >> k % 8);
		memcpy(x, a, n);
		memcpy(y, b, n);
		/* v4-mapped ones are IPv4 */
		if (n == 16 && (inet_is_mapped(a) || inet_is_mapped(b)))
			continue;
		assert_int_equal(pv_redact_address(r, family, x), 0);
		assert_int_equal(pv_redact_address(r, family, y), 0);
		assert_int_equal(shared_bits(a, b, (unsigned)n * 8),
				 shared_bits(x, y, (unsigned)n * 8));
	}
}

static void test_prefixes(void **state)
{
	_cleanup_(cleanup_redactor) struct pv_redactor *r = redactor(KEY_A);

	(void)state;
	srandom(5);
	check_prefixes(r, AF_INET, 4);
	check_prefixes(r, AF_INET6, 16);
}

static void rename_text(const struct pv_redactor *r, const char *text, char out[static 64])
{
	int family = strchr(text, ':') ? AF_INET6 : AF_INET;
	uint8_t a[16];

	assert_int_equal(inet_pton(family, text, a), 1);
	assert_int_equal(pv_redact_address(r, family, a), 0);
	out[inet_text(family, a, out)] = '\0';
}

static void test_ranges(void **state)
{
	static const char *const same[] = { "0.0.0.0",	   "127.0.0.1", "127.0.0.53",
					    "224.0.0.251", "::",	"::1",
					    "ff02::1",	   "ff02::fb",	"255.255.255.255" };
	static const char *const within[][2] = {
		{ "10.1.2.3", "10." },
		{ "192.168.7.9", "192.168." },
		{ "169.254.7.9", "169.254." },
		{ "fe80::1234:5678", "fe80::" },
		{ "239.1.2.3", "239." },
		{ "ff02::1:ff12:3456", "ff02:" },
		{ "2001:db8::1", "2" },
		{ "fd00:1::1", "fd" },
		{ "::ffff:10.1.2.3", "::ffff:10." },
	};
	_cleanup_(cleanup_redactor) struct pv_redactor *r = redactor(KEY_A);
	char out[64], other[64];

	(void)state;
	for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++) {
		rename_text(r, same[i], out);
		assert_string_equal(out, same[i]);
	}
	for (size_t i = 0; i < sizeof(within) / sizeof(*within); i++) {
		rename_text(r, within[i][0], out);
		assert_string_not_equal(out, within[i][0]);
		assert_int_equal(strncmp(out, within[i][1], strlen(within[i][1])), 0);
	}
	/* an IPv4 address is called the same wherever it stands */
	rename_text(r, "203.0.113.77", out);
	rename_text(r, "::ffff:203.0.113.77", other);
	assert_string_equal(other + strlen("::ffff:"), out);
}

static char *renamed(const struct pv_redactor *r, enum pv_redact_kind kind, const char *text)
{
	char *out = NULL;
	size_t n;

	assert_int_equal(pv_redact_text(r, kind, text, strlen(text), &out, &n), 0);
	assert_int_equal(strlen(out), n);
	return out;
}

static void test_keys(void **state)
{
	_cleanup_(cleanup_redactor) struct pv_redactor *a = redactor(KEY_A), *b = redactor(KEY_B),
						       *again = redactor(KEY_A), *none = NULL;
	char x[64], y[64];

	(void)state;
	for (int kind = 0; kind < PV_REDACT_KIND_N; kind++) {
		_cleanup_(cleanup_free) char *p = renamed(a, (enum pv_redact_kind)kind, "secret");
		_cleanup_(cleanup_free) char *q = renamed(b, (enum pv_redact_kind)kind, "secret");
		_cleanup_(cleanup_free) char *s =
			renamed(again, (enum pv_redact_kind)kind, "secret");

		assert_null(strstr(p, "secret"));
		assert_string_equal(p, s);
		assert_string_not_equal(p, q);
	}
	rename_text(a, "203.0.113.77", x);
	rename_text(b, "203.0.113.77", y);
	assert_string_not_equal(x, y);
	assert_int_equal(pv_redactor_new("fifteen bytes..", 15, &none), -EINVAL);
	assert_null(none);
}

static void test_key_files(void **state)
{
	char path[] = "/tmp/test_redact.XXXXXX";
	_cleanup_(cleanup_redactor) struct pv_redactor *r = NULL;
	int fd = mkstemp(path);

	(void)state;
	assert_true(fd >= 0);
	assert_int_equal(pv_redactor_open(path, &r), -EINVAL);
	assert_int_equal(write(fd, KEY_A, strlen(KEY_A)), (ssize_t)strlen(KEY_A));
	assert_int_equal(fchmod(fd, 0644), 0);
	assert_int_equal(pv_redactor_open(path, &r), -EPERM);
	assert_int_equal(fchmod(fd, 0600), 0);
	assert_int_equal(pv_redactor_open(path, &r), 0);
	assert_int_equal(pv_redactor_open("/dev/zero", &r), -EINVAL);
	close(fd);
	unlink(path);
	assert_int_equal(pv_redactor_open(path, &r), -ENOENT);
}

/* "*" stands for a name that was replaced. */
static void check_form(const char *text, size_t len, const char *form)
{
	const char *end = text + len;

	for (; *form; form++) {
		if (*form == '*') {
			for (int i = 0; i < 11; i++)
				assert_true(text < end && *text &&
					    strchr("abcdefghijklmnopqrstuvwxyz23456789", *text++));
		} else if (text == end || *text++ != *form) {
			fail_msg("at %s: %.*s", form, (int)len, end - len);
		}
	}
	assert_ptr_equal(text, end);
}

static void test_texts(void **state)
{
	static const struct {
		enum pv_redact_kind kind;
		const char *text, *want;
	} cases[] = {
		{ PV_REDACT_PATH, "/usr/sbin/nginx", "/usr/sbin/nginx" },
		{ PV_REDACT_PATH, "/usr/sbin/nginx (deleted)", "/usr/sbin/nginx (deleted)" },
		{ PV_REDACT_PATH, "/usr/bin/../../home/alice/x", "/usr/bin/../../home/*/*" },
		{ PV_REDACT_PATH, "/home/alice/bin/tool (deleted)", "/home/*/bin/* (deleted)" },
		{ PV_REDACT_PATH, "/usr/local/bin/tool", "/usr/local/bin/*" },
		{ PV_REDACT_PATH, "/memfd:payload (deleted)", "/memfd:* (deleted)" },
		{ PV_REDACT_PATH, "/run/user/1000/bus", "/run/user/1000/bus" },
		{ PV_REDACT_SOCKET, "/run/alice.sock", "/run/*" },
		{ PV_REDACT_UNIT, "nginx.service", "*.service" },
		{ PV_REDACT_UNIT, "db@alice.service", "*@*.service" },
		{ PV_REDACT_UNIT, "init.scope", "init.scope" },
		{ PV_REDACT_UNIT, "session-17.scope", "session-17.scope" },
		{ PV_REDACT_UNIT, "user@1000.service", "user@1000.service" },
		{ PV_REDACT_UNIT, "user@1000.service/web.service", "user@1000.service/*.service" },
		{ PV_REDACT_CONTAINER, "user@1000.service/web", "user@1000.service/*" },
		{ PV_REDACT_CONTAINER, "web", "*" },
		{ PV_REDACT_CGROUP, "/system.slice/web.service", "/system.slice/*.service" },
		{ PV_REDACT_CGROUP, "/user.slice/user-7.slice/x", "/user.slice/user-7.slice/*" },
		{ PV_REDACT_HOST, "db.example.com", "*.*.*" },
		{ PV_REDACT_HOST, "localhost", "localhost" },
		{ PV_REDACT_USER, "root", "root" },
		{ PV_REDACT_USER, "alice", "*" },
		{ PV_REDACT_INTERFACE, "eth0", "eth0" },
		{ PV_REDACT_INTERFACE, "lo", "lo" },
		{ PV_REDACT_INTERFACE, "enx001122334455", "*" },
		{ PV_REDACT_INTERFACE, "wg-company", "*" },
		{ PV_REDACT_TEXT, "--password=x", "*" },
		{ PV_REDACT_TEXT, "", "" },
	};
	_cleanup_(cleanup_redactor) struct pv_redactor *r = redactor(KEY_A);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		_cleanup_(cleanup_free) char *got = renamed(r, cases[i].kind, cases[i].text);
		check_form(got, strlen(got), cases[i].want);
	}
}

static void check_comm(const struct pv_redactor *r, const char *comm, const char *exe, bool stays)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct pv_bytes c = { comm, (uint32_t)strlen(comm) }, e = { exe, (uint32_t)strlen(exe) };

	assert_int_equal(redact_put_comm(r, &c, &e, &b), 0);
	assert_int_equal(strcmp(buf_str(&b), comm) == 0, stays);
}

static void test_comm(void **state)
{
	_cleanup_(cleanup_redactor) struct pv_redactor *r = redactor(KEY_A);

	(void)state;
	check_comm(r, "sshd", "/usr/sbin/sshd", true);
	check_comm(r, "python3", "/usr/bin/python3.11", true);
	check_comm(r, "systemd-resolve", "/usr/lib/systemd/systemd-resolved", true);
	check_comm(r, "alice-secret", "/usr/bin/python3.11", false);
	check_comm(r, "tool", "/home/alice/tool", false);
	check_comm(r, "sshd", "", false);
	check_comm(r, "s", "/usr/sbin/sshd", false);
	check_comm(r, "sshd: alice", "/usr/sbin/sshd", false);
}

/* --- images --- */

static struct pv_bytes bytes(const char *text)
{
	return (struct pv_bytes){ text, (uint32_t)strlen(text) };
}

/* With an offset and a length for each place of the sentence, or NULL. */
static void add_finding(struct pv_snapshot *s, const char *id, const char *evidence,
			const uint32_t *places)
{
	struct pv_finding f = { .rule = (uint32_t)pv_rule_find(id, strlen(id)),
				.process = UINT32_MAX,
				.places = places };

	assert_int_equal(snapshot_bytes(s, &f.evidence, evidence, strlen(evidence)), 0);
	assert_int_equal(vec_push(&s->findings, f), 0);
	snapshot_row(s, 0)->n_findings++;
}

static struct pv_snapshot *full(void)
{
	struct pv_snapshot *s = snapshot_new();
	const struct pv_bytes path = { "\0abstract", 9 };
	struct pv_detail detail = { .present = PV_DETAIL_TCP | PV_DETAIL_MEM,
				    .mem = { 1, 2, 3 },
				    .cgroup_id = UINT64_MAX,
				    .tcp = { .rtt = 77, .rehash = 9 } };
	struct pv_conversation tcp = { .family = AF_INET6,
				       .proto = PV_PROTO_TCP,
				       .state = PV_STATE_ESTABLISHED,
				       .local = { { 0xfe, 0x80, [15] = 7 }, 22 },
				       .remote = { { 0x20, 1 }, 50000 },
				       .cookie = UINT64_MAX,
				       .uid = UINT32_MAX,
				       .peer = 2,
				       .detail = &detail };
	struct pv_conversation un = { .family = AF_UNIX,
				      .proto = PV_PROTO_UNIX,
				      .state = PV_STATE_LISTEN,
				      .owner_reason = PV_REASON_GONE,
				      .peer = 1,
				      .path = &path };
	struct pv_process p = { .pid = 7,
				.start_ticks = 99,
				.comm = bytes("alice-tool"),
				.exe = bytes("/home/alice/tool"),
				.cmdline = { "tool\0--secret", 13 },
				.unit = bytes("alice.service") };
	struct snapshot_relation relation = {
		.translation = { .local = { { 203, 0, 113, 77 }, 80 },
				 .remote = { { 203, 0, 113, 78 }, 50000 },
				 .family = AF_INET,
				 .n_hops = 1 },
		.has_publication = true,
		.publication = { .addr = { 203, 0, 113 },
				 .family = AF_INET,
				 .prefix = 24,
				 .table = bytes("alice_nat"),
				 .chain = bytes("prerouting") },
	};
	struct pv_netns ns = { .inode = 5, .ephemeral_first = 32768, .ephemeral_last = 60999 };
	struct pv_holder h = { .fd = -1 };

	assert_non_null(s);
	assert_int_equal(vec_push(&s->netns, ns), 0);
	assert_int_equal(snapshot_add_process(s, &p, &h.process), 0);
	tcp.remote_name = "db.alice.example";
	assert_int_equal(snapshot_set_holders(s, snapshot_add(s, &tcp), &h, 1), 0);
	assert_non_null(snapshot_add(s, &un));
	assert_int_equal(snapshot_add_user(s, 1000, "alice"), 0);
	assert_int_equal(snapshot_add_ifname(s, 0, 2, "wg-alice"), 0);
	assert_int_equal(snapshot_add_source(s, "tcp", "bpf", PV_SOURCE_WORKING, NULL), 0);
	assert_int_equal(snapshot_add_gap(s, PV_GAP_NETNS, 3, "alice: why"), 0);
	assert_int_equal(vec_push(&s->relations, relation), 0);
	snapshot_row(s, 0)->relation = 1;
	add_finding(s, "exe-deleted", "alice-tool(7) runs a deleted file: /home/alice/tool", NULL);
	s->clock = (struct pv_clock){ 1, 2 };
	return s;
}

static void test_image(void **state)
{
	_cleanup_(cleanup_buf) struct buf first = BUF_INIT, second = BUF_INIT;
	struct pv_snapshot *a = full(), *b = snapshot_new();
	const struct pv_conversation *row;

	(void)state;
	image_put(a, &first);
	assert_int_equal(buf_error(&first), 0);
	assert_int_equal(image_get(first.data, first.len, b), 0);
	image_put(b, &second);
	assert_int_equal(first.len, second.len);
	assert_memory_equal(first.data, second.data, first.len);
	snapshot_seal(b);
	row = pv_snapshot_get(b, 0);
	assert_int_equal(row->detail->tcp.rtt, 77);
	assert_int_equal(row->detail->cgroup_id, UINT64_MAX);
	assert_int_equal(pv_snapshot_holder(b, row, 0)->fd, -1);
	assert_ptr_equal(pv_snapshot_peer(b, row), pv_snapshot_get(b, 1));
	assert_string_equal(pv_snapshot_user(b, 1000), "alice");
	assert_int_equal(pv_snapshot_translation(b, row)->local.port, 80);
	assert_int_equal(pv_snapshot_publication(b, row)->prefix, 24);
	assert_null(pv_snapshot_get(b, 1)->detail);
	assert_int_equal(pv_snapshot_get(b, 1)->path->len, 9);
	pv_snapshot_free(a);
	pv_snapshot_free(b);
}

/* Nothing that was secret is in the image of a redacted snapshot. */
static void test_nothing_left(void **state)
{
	_cleanup_(cleanup_redactor) struct pv_redactor *r = redactor(KEY_A);
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct pv_snapshot *s = full();
	const char address[] = { 0x20, 1, 0, 0 }, nat[] = { (char)203, 0, 113 };
	const struct pv_publication *p;

	(void)state;
	image_put(s, &b);
	assert_non_null(memmem(b.data, b.len, nat, sizeof(nat)));
	assert_non_null(memmem(b.data, b.len, "alice", 5));
	assert_non_null(memmem(b.data, b.len, "secret", 6));
	assert_non_null(memmem(b.data, b.len, "abstract", 8));
	assert_non_null(memmem(b.data, b.len, address, sizeof(address)));
	buf_clear(&b);
	assert_int_equal(redact_snapshot(r, s), 0);
	image_put(s, &b);
	assert_null(memmem(b.data, b.len, "alice", 5));
	assert_null(memmem(b.data, b.len, "secret", 6));
	assert_null(memmem(b.data, b.len, "abstract", 8));
	assert_null(memmem(b.data, b.len, address, sizeof(address)));
	assert_null(memmem(b.data, b.len, nat, sizeof(nat)));
	/* a network stays one, and what every set of rules has keeps its name */
	p = pv_snapshot_publication(s, snapshot_row(s, 0));
	assert_int_equal(p->addr[3], 0);
	assert_int_equal(p->chain.len, strlen("prerouting"));
	pv_snapshot_free(s);
}

/* Places of numbers, packages and our own words. */
static bool is_safe(const char *place)
{
	static const char *const names[] = {
		"{pid}",     "{peer_pid}", "{shell_pid}", "{port}",	"{line}",   "{first}",
		"{last}",    "{kind}",	   "{channel}",	  "{evidence}", "{how}",    "{known}",
		"{missing}", "{shown}",	   "{what}",	  "{proto}",	"{reason}", "{runtime}",
		"{service}", "{stream}",   "{package}",	  "{state}",
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (!strncmp(place, names[i], strlen(names[i])))
			return true;
	return false;
}

/* The sentence of a rule with these in its places, in their order. */
static void add_filled(struct pv_snapshot *s, const char *id, const char *const *values)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	size_t n, k = 0;
	const char *at = pv_rules(&n)[pv_rule_find(id, strlen(id))].sentence;
	uint32_t places[16];

	for (; *at; at += strcspn(at, "}") + 1) {
		size_t words = strcspn(at, "{");

		buf_put(&b, at, words);
		at += words;
		if (!*at)
			break;
		assert_true(k < 16);
		places[k++] = (uint32_t)b.len;
		places[k++] = (uint32_t)strlen(*values);
		buf_puts(&b, *values++);
	}
	add_finding(s, id, buf_str(&b), arena_dup(&s->arena, places, k * sizeof(*places)));
}

static bool says(const struct pv_finding *f, const char *words)
{
	return memmem(f->evidence.data, f->evidence.len, words, strlen(words)) != NULL;
}

/* Every sentence, with a name in each of its places: none is left. */
static void test_evidence(void **state)
{
	_cleanup_(cleanup_redactor) struct pv_redactor *r = redactor(KEY_A);
	size_t n;
	const struct pv_rule *rules = pv_rules(&n);
	struct pv_snapshot *s = full();

	(void)state;
	for (size_t i = 0; i < n; i++) {
		const char *values[8];
		size_t k = 0;

		for (const char *at = rules[i].sentence; (at = strchr(at, '{')); at++) {
			assert_true(k < 8);
			values[k++] = !strncmp(at, "{address}", 9) || !strncmp(at, "{end}", 5)
					      ? "the service at 203.0.113.77:80"
				      : is_safe(at) ? "7"
						    : "/home/alice-secret/x";
		}
		add_filled(s, rules[i].id, values);
	}
	/* whose places are not known; whose name looks like the sentence; what stays */
	add_finding(s, "exe-deleted", "alice-tool(7) runs a deleted file: /usr/bin/python3", NULL);
	add_filled(s, "exe-deleted", (const char *[]){ "w(alice", "7", "/x" });
	add_filled(s, "shell-on-socket",
		   (const char *[]){ "x(1) is alice", "7", "a shell", "output is" });
	add_filled(s, "exe-deleted", (const char *[]){ "alice-tool", "7", "/usr/bin/python3" });
	assert_int_equal(redact_snapshot(r, s), 0);
	for (size_t i = 0; i < s->findings.n; i++) {
		const struct pv_finding *f = &s->findings.items[i];

		assert_false(says(f, "203.0.113"));
		assert_null(f->places);
		if (says(f, "alice"))
			fail_msg("%s: %.*s", rules[f->rule].id, (int)f->evidence.len,
				 f->evidence.data);
	}
	n = s->findings.n;
	assert_true(says(&s->findings.items[n - 1], "(7) runs a deleted file: /usr/bin/python3"));
	assert_true(says(&s->findings.items[n - 2], "(7) is a shell, and its output is this"));
	pv_snapshot_free(s);
}

/* Titles are whatever a process says: its program's path stays, and no word behind it. */
static void test_titles(void **state)
{
	static const struct {
		const char *title, *exe, *form;
	} cases[] = {
		{ "/usr/bin/redis-server", "/usr/bin/redis-server", "/usr/bin/redis-server" },
		{ "/usr/bin/redis-server 10.20.30.40:6379", "/usr/bin/redis-server", "*" },
		{ "/usr/bin/portal --password=hunter2", "/home/alice/x", "*" },
		{ "/usr/bin/python3", "/usr/bin/python3.11", "/usr/bin/python3" },
		{ "/bin/python3", "/usr/bin/python3.11", "/bin/python3" },
		{ "/usr/bin/alice/python3", "/usr/bin/python3.11", "*" },
		{ "/usr/lib/systemd/systemd-udevd", "/usr/bin/udevadm", "*" },
		{ "/home/alice/x", "/home/alice/x", "/home/*/*" },
		{ "/home/alice/x --password", "/home/alice/x", "/home/*/*" },
		{ "sshd", "/usr/sbin/sshd", "sshd" },
		{ "sshd: alice", "/usr/sbin/sshd", "*" },
		{ "/", "/usr/sbin/sshd", "/" },
		{ "", "", "" },
	};
	_cleanup_(cleanup_redactor) struct pv_redactor *r = redactor(KEY_A);

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
		struct pv_bytes title = bytes(cases[i].title), exe = bytes(cases[i].exe);

		assert_int_equal(redact_put_title(r, &title, &exe, &b), 0);
		check_form(buf_str(&b), b.len, cases[i].form);
	}
}

/* Lists of libraries are renamed library by library, whatever stands between them. */
static void test_preloads(void **state)
{
	static const char preload[] = "LD_PRELOAD=/usr/lib/x.so:/home/alice/y.so /opt/z.so:\0"
				      "LD_AUDIT=alice.so";
	_cleanup_(cleanup_redactor) struct pv_redactor *r = redactor(KEY_A);
	struct pv_snapshot *s = full();
	struct pv_process *p = &s->processes.items[0];
	size_t first;

	(void)state;
	p->preload = (struct pv_bytes){ preload, sizeof(preload) - 1 };
	assert_int_equal(redact_snapshot(r, s), 0);
	first = strlen(p->preload.data);
	check_form(p->preload.data, first, "LD_PRELOAD=/usr/lib/x.so:/home/*/* /opt/*:");
	check_form(p->preload.data + first + 1, p->preload.len - first - 1, "LD_AUDIT=*");
	pv_snapshot_free(s);
}

/* A table and a member of a later version are passed over. */
static const char *observed(struct pv_redactor *r, const char *text, struct buf *b)
{
	const struct pv_bytes detail = { text, (uint32_t)strlen(text) };

	buf_clear(b);
	assert_int_equal(redact_put_observed(r, &detail, b), 0);
	assert_int_equal(buf_error(b), 0);
	return buf_str(b);
}

/* Numbers and words of protocols stay, hosts are called as elsewhere, the rest is nobody's. */
static void test_observed(void **state)
{
	static const char *const stay[] = {
		"method=GET",
		"version=1.3 alpn=h2,http/1.1",
		"mode=octet",
		"status=200",
		"command=GET",
		"version=0x6b33",
		"type=A rcode=nxdomain",
		"agent=\"\"",
	};
	static const struct {
		const char *text, *form; /* "?" stands for a name of its own */
	} cases[] = {
		{ "sni=www.secret.example", "sni=?.?.?" },
		{ "host=www.secret.example:8080", "host=?.?.?:8080" },
		{ "host=secret.example:80secret", "host=?.?" },
		{ "agent=\"secret 1.0 (\\\"secret\\\")\" host=secret", "agent=? host=?" },
		{ "alpn=h2,secret", "alpn=h2,?" },
		{ "version=8.0.36-secret", "version=?" },
		{ "user=secret database=secret", "user=? database=?" },
		{ "new=secret", "new=?" },
		{ "agent=\"secret and never closed", "agent=?" },
		{ "secret", "?" },
		{ "=secret", "=?" },
		{ "agent=\"secret\\", "agent=?" },
	};
	_cleanup_(cleanup_redactor) struct pv_redactor *r = redactor(KEY_A);
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	uint8_t addr[4] = { 203, 0, 113, 77 };
	char text[64] = "answer=", *end;

	(void)state;
	for (size_t i = 0; i < sizeof(stay) / sizeof(*stay); i++)
		assert_string_equal(observed(r, stay[i], &b), stay[i]);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const char *at = observed(r, cases[i].text, &b);

		assert_null(strstr(at, "secret"));
		for (const char *form = cases[i].form; *form; form++) {
			size_t n = *form == '?' ? 11 : 1;

			assert_true(strlen(at) >= n && (n > 1 || *at == *form));
			at += n;
		}
		assert_int_equal(*at, 0);
	}
	assert_int_equal(pv_redact_address(r, AF_INET, addr), 0);
	end = text + strlen(text);
	inet_ntop(AF_INET, addr, end, INET_ADDRSTRLEN);
	assert_string_equal(observed(r, "answer=203.0.113.77", &b), text);
	memcpy(text, "  host=", 7);
	memcpy(text + strlen(text), ":80", 4);
	assert_string_equal(observed(r, "host=203.0.113.77:80", &b), text + 2);
}

static void test_macs(void **state)
{
	static const uint8_t stay[][6] = {
		{ 0 },
		{ 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		{ 0x01, 0x80, 0xc2, 0, 0, 0x0e },
		{ 0x01, 0, 0x5e, 0, 0, 0xfb },
		{ 0x33, 0x33, 0, 0, 0, 1 },
	};
	_cleanup_(cleanup_redactor) struct pv_redactor *r = redactor(KEY_A);
	uint8_t a[6], b[6], x[6], y[6], group[6] = { 0x01, 0x00, 0x5e, 0x01, 0x02, 0x03 };

	(void)state;
	for (size_t i = 0; i < sizeof(stay) / sizeof(*stay); i++) {
		memcpy(a, stay[i], 6);
		assert_int_equal(pv_redact_mac(r, a), 0);
		assert_memory_equal(a, stay[i], 6);
	}
	assert_int_equal(pv_redact_mac(r, group), 0);
	assert_memory_equal(group, "\x01\x00\x5e", 3);
	assert_memory_not_equal(group + 3, "\x01\x02\x03", 3);
	for (int i = 0; i < 500; i++) {
		unsigned shared = (unsigned)random() % 48;

		random_address(a, 6);
		a[0] &= 0xfe;
		memcpy(b, a, 6);
		b[shared / 8] ^= (uint8_t)(0x80u >> shared % 8);
		memcpy(x, a, 6);
		memcpy(y, b, 6);
		assert_int_equal(pv_redact_mac(r, x), 0);
		assert_int_equal(pv_redact_mac(r, y), 0);
		if (b[0] & 1 || shared == 6)
			continue;
		assert_int_equal(x[0] & 3, 2);
		assert_int_equal(shared_bits(x, y, 48), shared);
	}
}

static void test_later_version(void **state)
{
	static const char later[] = "portavoz-image 1\n"
				    "users 1 id:u shoe_size:u name:b motto:b\n"
				    "\x07\x2a\x03"
				    "bob\x02hi"
				    "planets 2 name:b\n\x01x\x01y";
	struct pv_snapshot *s = snapshot_new();

	(void)state;
	assert_int_equal(image_get(later, sizeof(later) - 1, s), 0);
	snapshot_seal(s);
	assert_string_equal(pv_snapshot_user(s, 7), "bob");
	pv_snapshot_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefixes),      cmocka_unit_test(test_ranges),
		cmocka_unit_test(test_keys),	      cmocka_unit_test(test_key_files),
		cmocka_unit_test(test_texts),	      cmocka_unit_test(test_comm),
		cmocka_unit_test(test_image),	      cmocka_unit_test(test_nothing_left),
		cmocka_unit_test(test_later_version), cmocka_unit_test(test_evidence),
		cmocka_unit_test(test_titles),	      cmocka_unit_test(test_preloads),
		cmocka_unit_test(test_observed),      cmocka_unit_test(test_macs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
