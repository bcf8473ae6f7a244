/* SPDX-License-Identifier: MIT */
/*
 * The port registry: borders, lookups, aliases, ranges; with the argument "oracle" instead, every
 * row against the registry's own CSV file in both directions. That file is no part of the source
 * tree: PORTAVOZ_IANA_CSV names it.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>
#include <pthread.h>

#include <portavoz/registry.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/vec.h"

#include <fcntl.h>

#define DEFAULT_CSV PORTAVOZ_SOURCE_ROOT "/../shared/data/iana-service-names-port-numbers.csv"
#define OVERRIDES PORTAVOZ_SOURCE_ROOT "/data/overrides.tsv"

static void test_groups(void **state)
{
	static const struct {
		uint16_t port;
		enum pv_port_group group;
	} borders[] = {
		{ 0, PV_GROUP_WELL_KNOWN },	{ 1, PV_GROUP_WELL_KNOWN },
		{ 1023, PV_GROUP_WELL_KNOWN },	{ 1024, PV_GROUP_REGISTERED },
		{ 49151, PV_GROUP_REGISTERED }, { 49152, PV_GROUP_DYNAMIC },
		{ 65535, PV_GROUP_DYNAMIC },
	};
	size_t n[PV_GROUP_N] = { 0 };

	(void)state;
	for (size_t i = 0; i < sizeof(borders) / sizeof(*borders); i++)
		assert_int_equal(pv_port_group(borders[i].port), borders[i].group);
	for (uint32_t port = 0; port <= 65535; port++)
		n[pv_port_group((uint16_t)port)]++;
	assert_int_equal(n[PV_GROUP_WELL_KNOWN], 1024);
	assert_int_equal(n[PV_GROUP_REGISTERED], 48128);
	assert_int_equal(n[PV_GROUP_DYNAMIC], 16384);
	assert_string_equal(pv_port_group_name(PV_GROUP_WELL_KNOWN), "well-known");
	assert_string_equal(pv_port_group_name(PV_GROUP_REGISTERED), "registered");
	assert_string_equal(pv_port_group_name(PV_GROUP_DYNAMIC), "dynamic");
	assert_string_equal(pv_port_group_name(PV_GROUP_N), "?");
}

static void test_transports(void **state)
{
	enum pv_transport t = PV_TRANSPORT_N;

	(void)state;
	for (int i = 0; i < PV_TRANSPORT_N; i++) {
		assert_int_equal(pv_transport_parse(pv_transport_name((enum pv_transport)i), &t),
				 0);
		assert_int_equal(t, i);
	}
	assert_int_equal(pv_transport_parse("UDP", &t), 0);
	assert_int_equal(t, PV_TRANSPORT_UDP);
	t = PV_TRANSPORT_N;
	assert_int_equal(pv_transport_parse("xyz", &t), -ENOENT);
	assert_int_equal(pv_transport_parse("", &t), -ENOENT);
	assert_int_equal(pv_transport_parse("tc", &t), -ENOENT);
	assert_int_equal(pv_transport_parse("tcp6", &t), -ENOENT);
	assert_int_equal(t, PV_TRANSPORT_N);
	assert_string_equal(pv_transport_name(PV_TRANSPORT_N), "?");
}

struct known {
	uint16_t port;
	enum pv_transport transport;
	const char *name, *description;
};

/* What everybody knows by heart, and the numbers whose first name the data source gets wrong. */
static const struct known known[] = {
	{ 20, PV_TRANSPORT_TCP, "ftp-data", "File Transfer [Default Data]" },
	{ 21, PV_TRANSPORT_TCP, "ftp", "File Transfer Protocol [Control]" },
	{ 22, PV_TRANSPORT_TCP, "ssh", "The Secure Shell (SSH) Protocol" },
	{ 23, PV_TRANSPORT_TCP, "telnet", "Telnet" },
	{ 25, PV_TRANSPORT_TCP, "smtp", "Simple Mail Transfer" },
	{ 53, PV_TRANSPORT_TCP, "domain", "Domain Name Server" },
	{ 53, PV_TRANSPORT_UDP, "domain", "Domain Name Server" },
	{ 67, PV_TRANSPORT_UDP, "bootps", "Bootstrap Protocol Server" },
	{ 68, PV_TRANSPORT_UDP, "bootpc", "Bootstrap Protocol Client" },
	{ 69, PV_TRANSPORT_UDP, "tftp", "Trivial File Transfer" },
	{ 80, PV_TRANSPORT_TCP, "http", "World Wide Web HTTP" },
	{ 110, PV_TRANSPORT_TCP, "pop3", "Post Office Protocol - Version 3" },
	{ 143, PV_TRANSPORT_TCP, "imap", "Internet Message Access Protocol" },
	{ 161, PV_TRANSPORT_UDP, "snmp", "SNMP" },
	{ 443, PV_TRANSPORT_TCP, "https", "http protocol over TLS/SSL" },
	{ 443, PV_TRANSPORT_SCTP, "https", "HTTPS" },
	{ 113, PV_TRANSPORT_TCP, "ident", "" },
	{ 465, PV_TRANSPORT_TCP, "submissions", "Message Submission over TLS protocol" },
	{ 631, PV_TRANSPORT_TCP, "ipp", "IPP (Internet Printing Protocol)" },
	{ 2049, PV_TRANSPORT_TCP, "nfs", "Network File System - Sun Microsystems" },
	{ 3478, PV_TRANSPORT_UDP, "stun", "Session Traversal Utilities for NAT (STUN) port" },
	{ 3868, PV_TRANSPORT_SCTP, "diameter", "DIAMETER" },
	{ 6514, PV_TRANSPORT_DCCP, "syslog-tls", "syslog over DTLS" },
};

static void test_known(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
		const struct pv_service *s = pv_service_by_port(known[i].port, known[i].transport);

		assert_non_null(s);
		assert_string_equal(s->name, known[i].name);
		assert_string_equal(s->description, known[i].description);
		assert_int_equal(s->first, known[i].port);
		assert_int_equal(s->last, known[i].port);
		assert_int_equal(s->transport, known[i].transport);
		assert_int_equal(s->flags, PV_SERVICE_PRIMARY);
	}
}

static void test_absent(void **state)
{
	size_t cursor = 0;

	(void)state;
	assert_null(pv_service_by_port(0, PV_TRANSPORT_TCP));
	assert_null(pv_service_by_port(65535, PV_TRANSPORT_TCP));
	assert_null(pv_service_by_port(49151, PV_TRANSPORT_UDP));
	assert_null(pv_service_by_port(23, PV_TRANSPORT_DCCP));
	assert_null(pv_service_by_port(80, PV_TRANSPORT_N));
	assert_null(pv_service_next_by_port(0, &cursor));
	assert_int_equal(cursor, 0);
	assert_null(pv_service_next_by_port(65535, &cursor));
	assert_null(pv_service_next_by_name("", &cursor));
	assert_null(pv_service_next_by_name("htt", &cursor));
	assert_null(pv_service_next_by_name("zzzzzzzzzzzzzz", &cursor));
	assert_null(pv_service_next_by_name("\xff\xfe", &cursor));
	assert_int_equal(cursor, 0);
}

static void test_ranges(void **state)
{
	static const struct {
		uint16_t first, last;
		const char *name;
	} ranges[] = { { 6000, 6063, "x11" },	     { 6665, 6669, "ircu" },
		       { 3322, 3325, "active-net" }, { 4200, 4299, "vrml-multi-use" },
		       { 7300, 7359, "swx" },	     { 27000, 27009, "flex-lm" } };

	(void)state;
	for (size_t i = 0; i < sizeof(ranges) / sizeof(*ranges); i++) {
		const struct pv_service *s = pv_service_by_port(ranges[i].first, PV_TRANSPORT_TCP);

		for (uint16_t port = ranges[i].first; port <= ranges[i].last; port++)
			assert_ptr_equal(pv_service_by_port(port, PV_TRANSPORT_TCP), s);
		assert_string_equal(s->name, ranges[i].name);
		assert_int_equal(s->first, ranges[i].first);
		assert_int_equal(s->last, ranges[i].last);
		assert_ptr_not_equal(
			pv_service_by_port((uint16_t)(ranges[i].last + 1), PV_TRANSPORT_TCP), s);
		assert_ptr_not_equal(
			pv_service_by_port((uint16_t)(ranges[i].first - 1), PV_TRANSPORT_TCP), s);
	}
	assert_string_equal(pv_service_by_port(6063, PV_TRANSPORT_UDP)->name, "x11");
	assert_null(pv_service_by_port(6667, PV_TRANSPORT_UDP));
}

static void test_aliases(void **state)
{
	static const char *const names[] = { "http", "www", "www-http" };
	size_t cursor = 0, n = 0;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		size_t c = 0, rows = 0;
		const struct pv_service *s;

		while ((s = pv_service_next_by_name(names[i], &c))) {
			assert_int_equal(s->first, 80);
			assert_int_equal(s->flags, i == 0 ? PV_SERVICE_PRIMARY : 0);
			rows++;
		}
		assert_int_equal(rows, i == 0 ? 3 : 2); /* http has SCTP too */
	}
	for (const struct pv_service *s; (s = pv_service_next_by_port(80, &cursor)); n++)
		if (n < 3)
			assert_string_equal(s->name, names[n]);
	assert_int_equal(n, 7);
	cursor = 0;
	assert_int_equal(pv_service_next_by_name("HtTpS", &cursor)->first, 443);
	cursor = 0;
	assert_int_equal(pv_service_next_by_name("urd", &cursor)->first, 465);
	cursor = 0;
	assert_string_equal(pv_service_next_by_name("ethernet/ip-1", &cursor)->name,
			    "EtherNet/IP-1");
}

static void test_unregistered(void **state)
{
	const struct pv_service *s = pv_service_by_port(51820, PV_TRANSPORT_UDP);
	size_t n = 0;

	(void)state;
	assert_non_null(s);
	assert_string_equal(s->name, "wireguard");
	assert_int_equal(s->flags, PV_SERVICE_PRIMARY | PV_SERVICE_UNREGISTERED);
	assert_null(pv_service_by_port(51820, PV_TRANSPORT_TCP));
	for (size_t i = 0; i < pv_service_count(); i++)
		n += (pv_service_at(i).flags & PV_SERVICE_UNREGISTERED) != 0;
	assert_in_range(n, 20, 100); /* a small overlay, not a second registry */
}

static int order(const struct pv_service *a, const struct pv_service *b)
{
	return a->first != b->first ? a->first - b->first : a->transport - b->transport;
}

static void test_order(void **state)
{
	(void)state;
	assert_true(pv_service_count() > 11700);
	for (size_t i = 0; i < pv_service_count(); i++) {
		struct pv_service s = pv_service_at(i);
		struct pv_service before = pv_service_at(i ? i - 1 : 0);

		assert_true(s.first <= s.last);
		assert_true(s.transport < PV_TRANSPORT_N);
		assert_true(*s.name);
		assert_true(order(&before, &s) <= 0);
		if (i && order(&before, &s) == 0)
			assert_false(s.flags & PV_SERVICE_PRIMARY);
		else
			assert_true(s.flags & PV_SERVICE_PRIMARY);
	}
}

/* The index gives what a walk over all rows gives, for every number and transport. */
static void test_index(void **state)
{
	static const char *expected[PV_TRANSPORT_N][65536];

	(void)state;
	for (size_t i = 0; i < pv_service_count(); i++) {
		struct pv_service s = pv_service_at(i);

		for (uint32_t port = s.first; port <= s.last; port++)
			if (!expected[s.transport][port])
				expected[s.transport][port] = s.name;
	}
	for (int t = 0; t < PV_TRANSPORT_N; t++) {
		for (uint32_t port = 0; port <= 65535; port++) {
			const struct pv_service *s =
				pv_service_by_port((uint16_t)port, (enum pv_transport)t);

			assert_ptr_equal(s ? s->name : NULL, expected[t][port]);
		}
	}
}

/* Each row is found by its name and by each of its numbers, exactly once. */
static void test_cursors(void **state)
{
	size_t n = 0, expected = 0;

	(void)state;
	for (size_t i = 0; i < pv_service_count(); i++) {
		struct pv_service s = pv_service_at(i);
		const struct pv_service *found;
		size_t cursor = 0, here = 0;

		while ((found = pv_service_next_by_name(s.name, &cursor)))
			here += found->first == s.first && found->transport == s.transport &&
				strcmp(found->name, s.name) == 0;
		assert_int_equal(here, 1);
		expected += s.last - s.first + 1u;
	}
	for (uint32_t port = 0; port <= 65535; port++)
		for (size_t cursor = 0; pv_service_next_by_port((uint16_t)port, &cursor);)
			n++;
	assert_int_equal(n, expected);
}

static void *read_all(void *argument)
{
	uintptr_t wrong = 0;

	(void)argument;
	for (uint32_t port = 0; port <= 65535; port++) {
		const struct pv_service *s = pv_service_by_port((uint16_t)port, PV_TRANSPORT_TCP);

		wrong += s && (port < s->first || port > s->last || !*s->name);
	}
	return (void *)wrong;
}

static void test_threads(void **state)
{
	pthread_t threads[4];

	(void)state;
	for (size_t i = 0; i < 4; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, read_all, NULL), 0);
	for (size_t i = 0; i < 4; i++) {
		void *wrong;

		assert_int_equal(pthread_join(threads[i], &wrong), 0);
		assert_null(wrong);
	}
}

/* --- against the registry's own file --- */

enum { CSV_NAME, CSV_PORTS, CSV_TRANSPORT, CSV_DESCRIPTION, CSV_N };
enum { TSV_PORTS, TSV_TRANSPORTS, TSV_KIND, TSV_NAME, TSV_DESCRIPTION, TSV_REASON, TSV_N };

struct record {
	uint16_t first, last;
	uint8_t transports; /* bits */
	const char *name, *description, *kind;
};

static VEC(struct record) oracle, overrides;
static uint32_t oracle_at[65537]; /* oracle records are sorted by first number */

static void parse_ports(const char *text, struct record *r)
{
	char *end;

	r->first = r->last = (uint16_t)strtoul(text, &end, 10);
	if (*end == '-')
		r->last = (uint16_t)strtoul(end + 1, NULL, 10);
}

static uint8_t parse_transports(const char *text)
{
	uint8_t bits = 0;

	/* a record without one was assigned for TCP and UDP together */
	for (int t = 0; t < PV_TRANSPORT_N; t++)
		if (*text ? strstr(text, pv_transport_name((enum pv_transport)t)) != NULL : t < 2)
			bits |= (uint8_t)(1 << t);
	return bits;
}

/* Runs of blanks and line breaks are one blank. */
static void tidy(char *text)
{
	char *to = text;

	for (char *word = text; *(word += strspn(word, " \n\r\t"));) {
		size_t n = strcspn(word, " \n\r\t");

		if (to != text)
			*to++ = ' ';
		memmove(to, word, n);
		to += n;
		word += n;
	}
	*to = 0;
}

/* Unquotes the field at *p in place; *p moves behind its separator. Returns it; *last is set at the
 * end of a record. */
static char *csv_field(char **p, int *last)
{
	char *field = *p, *to = *p, *from = *p;
	int quoted = *from == '"';

	from += quoted;
	for (; *from && (quoted || (*from != ',' && *from != '\n' && *from != '\r')); from++) {
		if (quoted && *from == '"') {
			if (from[1] != '"') {
				quoted = 0;
				continue;
			}
			from++;
		}
		*to++ = *from;
	}
	*last = *from != ',';
	from += *from == '\r';
	from += *from != 0;
	*to = 0;
	*p = from;
	return field;
}

static void load_oracle(char *text)
{
	while (*text) {
		char *fields[CSV_N];
		int last = 0;

		for (int i = 0; !last; i++) {
			char *field = csv_field(&text, &last);

			if (i < CSV_N)
				fields[i] = field;
			assert_true(i >= CSV_N - 1 || !last);
		}
		if (!*fields[CSV_NAME] || *fields[CSV_PORTS] < '0' || *fields[CSV_PORTS] > '9')
			continue;
		tidy(fields[CSV_NAME]);
		tidy(fields[CSV_DESCRIPTION]);
		struct record r = { .transports = parse_transports(fields[CSV_TRANSPORT]),
				    .name = fields[CSV_NAME],
				    .description = fields[CSV_DESCRIPTION] };
		parse_ports(fields[CSV_PORTS], &r);
		assert_int_equal(vec_push(&oracle, r), 0);
	}
	for (uint32_t port = 0, i = 0; port <= 65536; port++) {
		while (i < oracle.n && oracle.items[i].first < port)
			i++;
		oracle_at[port] = i;
	}
}

static void load_overrides(char *text)
{
	for (char *line; (line = strsep(&text, "\n"));) {
		char *fields[TSV_N];

		if (!*line || *line == '#')
			continue;
		for (int i = 0; i < TSV_N; i++) {
			fields[i] = strsep(&line, "\t");
			assert_non_null(fields[i]);
		}
		if (strcmp(fields[TSV_KIND], "first") != 0 &&
		    strcmp(fields[TSV_KIND], "alias") != 0)
			assert_true(*fields[TSV_REASON]);
		struct record r = { .transports = parse_transports(fields[TSV_TRANSPORTS]),
				    .name = fields[TSV_NAME],
				    .description = fields[TSV_DESCRIPTION],
				    .kind = fields[TSV_KIND] };
		parse_ports(fields[TSV_PORTS], &r);
		assert_int_equal(vec_push(&overrides, r), 0);
	}
}

static const struct record *oracle_find(uint16_t first, uint16_t last, uint8_t transport,
					const char *name)
{
	for (uint32_t i = oracle_at[first]; i < oracle_at[first + 1]; i++) {
		const struct record *r = &oracle.items[i];

		if (r->last == last && r->transports & (1 << transport) &&
		    (!name || strcmp(r->name, name) == 0))
			return r;
	}
	return NULL;
}

/* Does the override file give this row, as that kind, for a reason? */
static int is_overridden(const struct pv_service *s, const char *kind)
{
	for (size_t i = 0; i < overrides.n; i++) {
		const struct record *o = &overrides.items[i];

		if (o->first == s->first && o->last == s->last &&
		    o->transports & (1 << s->transport) && strcmp(o->name, s->name) == 0 &&
		    strcmp(o->kind, kind) == 0)
			return 1;
	}
	return 0;
}

static const struct pv_service *find_ours(const struct record *r, int transport)
{
	const struct pv_service *s;
	size_t cursor = 0;

	while ((s = pv_service_next_by_name(r->name, &cursor)))
		if (s->first == r->first && s->last == r->last && s->transport == transport &&
		    strcmp(s->name, r->name) == 0)
			return s;
	return NULL;
}

static void test_oracle_is_held(void **state)
{
	size_t rows = 0, bad = 0;

	(void)state;
	for (size_t i = 0; i < oracle.n; i++) {
		const struct record *r = &oracle.items[i];

		for (int t = 0; t < PV_TRANSPORT_N; t++) {
			const struct pv_service *s;

			if (!(r->transports & (1 << t)))
				continue;
			rows++;
			s = find_ours(r, t);
			if (s && (strcmp(s->description, r->description) == 0 ||
				  is_overridden(s, "newer")))
				continue;
			print_message("%u-%u %s %s: %s\n", r->first, r->last,
				      pv_transport_name((enum pv_transport)t), r->name,
				      s ? s->description : "missing");
			bad++;
		}
	}
	print_message("%zu rows of the registry compared\n", rows);
	assert_true(rows > 11000);
	assert_int_equal(bad, 0);
}

static void test_ours_are_registered(void **state)
{
	size_t bad = 0;

	(void)state;
	for (size_t i = 0; i < pv_service_count(); i++) {
		struct pv_service s = pv_service_at(i);
		int ok;

		if (s.flags & PV_SERVICE_UNREGISTERED)
			ok = !oracle_find(s.first, s.last, s.transport, NULL) &&
			     is_overridden(&s, "unregistered");
		else
			ok = oracle_find(s.first, s.last, s.transport, s.name) ||
			     is_overridden(&s, "newer");
		if (!ok) {
			print_message("%u/%u %s\n", s.first, s.transport, s.name);
			bad++;
		}
	}
	assert_int_equal(bad, 0);
}

static void test_primary_is_first(void **state)
{
	size_t bad = 0, chosen = 0;

	(void)state;
	for (size_t i = 0; i < pv_service_count(); i++) {
		struct pv_service s = pv_service_at(i);
		const struct record *first = oracle_find(s.first, s.last, s.transport, NULL);

		if (!(s.flags & PV_SERVICE_PRIMARY) || !first || strcmp(first->name, s.name) == 0)
			continue;
		chosen++;
		if (!is_overridden(&s, "primary") && !is_overridden(&s, "newer")) {
			print_message("%u/%u %s, not %s\n", s.first, s.transport, s.name,
				      first->name);
			bad++;
		}
	}
	assert_int_equal(bad, 0);
	assert_in_range(chosen, 1, 20);
}

static int load(const char *path, void (*parse)(char *), struct buf *b)
{
	_cleanup_(cleanup_fd) int fd = open(path, O_RDONLY | O_CLOEXEC);
	int r = fd < 0 ? -errno : fd_read_all(fd, b);

	if (r < 0)
		return r;
	assert_non_null(buf_str(b));
	parse(b->data);
	return 0;
}

static int run_oracle(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_oracle_is_held),
		cmocka_unit_test(test_ours_are_registered),
		cmocka_unit_test(test_primary_is_first),
	};
	_cleanup_(cleanup_buf) struct buf csv = BUF_INIT, tsv = BUF_INIT;
	const char *path = getenv("PORTAVOZ_IANA_CSV");
	int r = load(path ? path : DEFAULT_CSV, load_oracle, &csv);

	if (r == -ENOENT && !path) {
		printf("skipped: no copy of the registry's CSV file (PORTAVOZ_IANA_CSV names "
		       "it)\n");
		return 77;
	}
	if (r == 0)
		r = load(OVERRIDES, load_overrides, &tsv);
	if (r < 0) {
		fprintf(stderr, "registry file: %s\n", strerror(-r));
		return 1;
	}
	r = cmocka_run_group_tests_name("registry-oracle", tests, NULL, NULL);
	vec_deinit(&oracle);
	vec_deinit(&overrides);
	return r;
}

int main(int argc, char **argv)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_threads), /* first: it fills the cache */
		cmocka_unit_test(test_groups),	     cmocka_unit_test(test_transports),
		cmocka_unit_test(test_known),	     cmocka_unit_test(test_absent),
		cmocka_unit_test(test_ranges),	     cmocka_unit_test(test_aliases),
		cmocka_unit_test(test_unregistered), cmocka_unit_test(test_order),
		cmocka_unit_test(test_index),	     cmocka_unit_test(test_cursors),
	};

	if (argc > 1 && strcmp(argv[1], "oracle") == 0)
		return run_oracle();
	return cmocka_run_group_tests_name("registry", tests, NULL, NULL);
}
