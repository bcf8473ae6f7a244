/* SPDX-License-Identifier: MIT */
/* Policies: what a line means, what is refused and where, which files are trusted, block lists. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <portavoz/policy.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "judge/block.h"
#include "model/snapshot.h"

static void cleanup_policy(struct pv_policy **p)
{
	pv_policy_free(*p);
}

static struct pv_policy *parse(const char *text)
{
	struct pv_policy *p = pv_policy_new();
	struct pv_policy_error e;

	assert_non_null(p);
	if (pv_policy_add_text(p, "policy", text, strlen(text), &e) < 0)
		fail_msg("line %u: %s\n%*s^ %s", e.line, e.text, (int)e.offset, "", e.message);
	return p;
}

static void test_lines(void **state)
{
	static const char text[] =
		"# what should be\n"
		"\n"
		"expect \"ssh from the office\"   direction incoming and service ssh and src "
		"10.0.0.0/8\n"
		"  expect \"nightly \\\"backup\\\"\" unit backup.service and dport 873  every "
		"25h\r\n"
		"expect \"web\" comm \"always\" always\n"
		"expect \"two\" exe /a/b always every 2w\n"
		"never  \"calls nobody\" unit db.service and not dst 127.0.0.0/8";
	static const struct {
		enum pv_policy_kind kind;
		uint32_t line;
		const char *title, *filter;
		bool always;
		uint64_t every;
	} want[] = {
		{ PV_POLICY_EXPECT, 3, "ssh from the office",
		  "direction incoming and service ssh and src 10.0.0.0/8", false, 0 },
		{ PV_POLICY_EXPECT, 4, "nightly \"backup\"", "unit backup.service and dport 873",
		  false, 25 * 3600 },
		{ PV_POLICY_EXPECT, 5, "web", "comm \"always\"", true, 0 },
		{ PV_POLICY_EXPECT, 6, "two", "exe /a/b", true, 14 * 86400 },
		{ PV_POLICY_NEVER, 7, "calls nobody", "unit db.service and not dst 127.0.0.0/8",
		  false, 0 },
	};
	_cleanup_(cleanup_policy) struct pv_policy *p = parse(text);

	(void)state;
	assert_int_equal(pv_policy_count(p), sizeof(want) / sizeof(*want));
	for (size_t i = 0; i < sizeof(want) / sizeof(*want); i++) {
		const struct pv_policy_rule *rule = pv_policy_rule(p, i);

		assert_int_equal(rule->kind, want[i].kind);
		assert_int_equal(rule->line, want[i].line);
		assert_string_equal(rule->title.data, want[i].title);
		assert_int_equal(rule->title.len, strlen(want[i].title));
		assert_string_equal(rule->filter, want[i].filter);
		assert_string_equal(rule->file, "policy");
		assert_int_equal(rule->always, want[i].always);
		assert_int_equal(rule->every, want[i].every);
	}
	assert_true(pv_policy_needs(p) & PV_NEED_CGROUP);
	assert_true(pv_policy_needs(p) & PV_NEED_EXE);
	assert_true(pv_policy_needs(p) & PV_NEED_DIRECTION);
}

/* A caret in the second line stands under the place that the message is about. */
static void test_refused(void **state)
{
	static const struct {
		const char *text, *caret, *message;
	} cases[] = {
		{ "allow \"x\" comm x", "^", "is not a rule" },
		{ "expect comm sshd", "       ^", "a title is missing here" },
		{ "expect \"\" comm sshd", "       ^", "the title is empty" },
		{ "expect \"x comm sshd", "       ^", "opens a quotation that does not end" },
		{ "expect \"x\\q\" comm sshd", "         ^", "is no escape" },
		{ "expect \"x\\x00\" comm sshd", "         ^", "is no escape" },
		{ "expect \"x\"", "          ^", "a filter is missing here" },
		{ "expect \"x\" # all", "           ^", "a filter is missing here" },
		{ "expect \"x\" always", "           ^", "a filter is missing here" },
		{ "expect \"x\" dport 80 and comn sshd", "                        ^",
		  "\"comn\" is neither a predicate nor an address" },
		{ "never \"x\" dport 80 and not verdict explained", "                           ^",
		  "\"verdict\" is known only when the policy has been asked" },
		{ "expect \"x\" (evidence sniffer)", "            ^",
		  "\"evidence\" is known only when the policy has been asked" },
		{ "expect \"x\" comm sshd every 25", "                           ^",
		  "is not a time" },
		{ "expect \"x\" comm sshd every 0h", "                           ^",
		  "is not a time" },
		{ "expect \"x\" comm sshd every", "                          ^",
		  "a value is missing here" },
		{ "expect \"x\" comm sshd always always", "                     ^",
		  "is said twice" },
		{ "never \"x\" comm sshd always", "                    ^",
		  "goes with expect only" },
		{ "expect \"x\" comm sshd despite", "                            ^",
		  "a value is missing here" },
		{ "expect \"x\" comm sshd despite sniffer,package",
		  "                                     ^", "is not a rule that makes suspicious" },
		{ "never \"x\" comm sshd despite sniffer", "                    ^",
		  "goes with expect only" },
		{ "block list.txt", "      ^", "is not what can be blocked" },
		{ "block file", "          ^", "the name of a file is missing here" },
		{ "block file a b", "             ^", "stands behind the name of the file" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		_cleanup_(cleanup_policy) struct pv_policy *p = pv_policy_new();
		_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
		struct pv_policy_error e;

		buf_printf(&b, "\n%s\n", cases[i].text);
		assert_int_equal(pv_policy_add_text(p, "f", b.data, b.len, &e), -EINVAL);
		assert_string_equal(e.text, cases[i].text);
		assert_int_equal(e.line, 2);
		assert_string_equal(e.file, "f");
		assert_string_equal(e.message, cases[i].message);
		if (e.offset != strlen(cases[i].caret) - 1)
			fail_msg("%s\n%s\n%*s^ found here", cases[i].text, cases[i].caret,
				 (int)e.offset, "");
		assert_int_equal(pv_policy_add_text(p, "f", b.data, b.len, NULL), -EINVAL);
	}
}

static void test_despite(void **state)
{
	_cleanup_(cleanup_policy) struct pv_policy *p =
		parse("expect \"x\" comm a  despite sniffer,exe-deleted always\n"
		      "expect \"y\" comm \"despite\"");
	uint64_t want = UINT64_C(1) << pv_rule_find("sniffer", 7) |
			UINT64_C(1) << pv_rule_find("exe-deleted", 11);

	(void)state;
	assert_int_equal(pv_policy_rule(p, 0)->despite, want);
	assert_string_equal(pv_policy_rule(p, 0)->filter, "comm a");
	assert_true(pv_policy_rule(p, 0)->always);
	assert_int_equal(pv_policy_rule(p, 1)->despite, 0);
}

static void test_long_line(void **state)
{
	_cleanup_(cleanup_policy) struct pv_policy *p = pv_policy_new();
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct pv_policy_error e;

	(void)state;
	buf_puts(&b, "expect \"\x1b[2J\"");
	buf_pad(&b, ' ', 5000);
	buf_puts(&b, "wrong");
	buf_pad(&b, ' ', 5000);
	assert_int_equal(pv_policy_add_text(p, "f", b.data, b.len, &e), -EINVAL);
	assert_int_equal(strncmp(e.text + e.offset, "wrong", 5), 0);
	for (const char *c = e.text; *c; c++)
		assert_true((unsigned char)*c >= ' ');
	assert_int_equal(pv_policy_add_text(p, "f", "expect \"x\" comm a\0b", 20, &e), -EINVAL);
	assert_int_equal(e.offset, 17);
}

/* A folder of its own with files that root alone may write. */
struct folder {
	char path[64];
	int fd;
};

static void folder_make(struct folder *f)
{
	snprintf(f->path, sizeof(f->path), "/tmp/test_policy.XXXXXX");
	assert_non_null(mkdtemp(f->path));
	f->fd = open(f->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(f->fd >= 0);
}

static void folder_put(const struct folder *f, const char *name, const char *text)
{
	unlinkat(f->fd, name, 0);
	assert_int_equal(file_append_at(f->fd, name, text, strlen(text)), 0);
}

static void folder_remove(struct folder *f, const char *const *names)
{
	for (; *names; names++)
		unlinkat(f->fd, *names, 0);
	close(f->fd);
	assert_int_equal(rmdir(f->path), 0);
}

static int add(const struct folder *f, const char *name, struct pv_policy **ret,
	       struct pv_policy_error *e)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/%s", f->path, name);
	*ret = pv_policy_new();
	return pv_policy_add_file(*ret, path, e);
}

static int add_only(const struct folder *f, const char *name, struct pv_policy_error *e)
{
	_cleanup_(cleanup_policy) struct pv_policy *p = NULL;

	return add(f, name, &p, e);
}

/* What others can write explains nothing. */
static void test_trust(void **state)
{
	static const char *const names[] = { "p", "list", NULL };
	struct pv_policy_error e;
	struct folder f;

	(void)state;
	folder_make(&f);
	folder_put(&f, "p", "expect \"x\" comm x\nblock file list\n");
	folder_put(&f, "list", "192.0.2.1\n");
	assert_int_equal(add_only(&f, "p", &e), 0);
	assert_int_equal(fchmodat(f.fd, "list", 0602, 0), 0);
	assert_int_equal(add_only(&f, "p", &e), -EPERM);
	assert_non_null(strstr(e.message, "/list: "));
	assert_non_null(strstr(e.message, "everybody may write"));
	assert_int_equal(e.line, 2);
	assert_int_equal(e.offset, 11);
	assert_int_equal(fchmodat(f.fd, "list", 0644, 0), 0);
	assert_int_equal(fchmodat(f.fd, "p", 0666, 0), 0);
	assert_int_equal(add_only(&f, "p", &e), -EPERM);
	assert_non_null(strstr(e.message, "everybody may write"));
	assert_int_equal(fchmodat(f.fd, "p", 0644, 0), 0);
	assert_int_equal(fchmod(f.fd, 0777), 0);
	assert_int_equal(add_only(&f, "p", &e), -EPERM);
	assert_string_equal(e.file, f.path);
	/* in a sticky folder nobody can replace what is not his */
	assert_int_equal(fchmod(f.fd, 01777), 0);
	assert_int_equal(add_only(&f, "p", &e), 0);
	if (geteuid() == 0) {
		assert_int_equal(fchownat(f.fd, "p", 12345, (gid_t)-1, 0), 0);
		assert_int_equal(add_only(&f, "p", &e), -EPERM);
		assert_non_null(strstr(e.message, "belongs neither"));
	}
	assert_int_equal(add_only(&f, "none", &e), -ENOENT);
	assert_int_equal(add_only(&f, ".", &e), -EINVAL);
	folder_remove(&f, names);
}

static void test_list_error(void **state)
{
	static const char *const names[] = { "p", "list", NULL };
	struct pv_policy_error e;
	struct folder f;

	(void)state;
	folder_make(&f);
	folder_put(&f, "p", "# lists\nblock file list\n");
	folder_put(&f, "list", "# known\n192.0.2.1 ; one\n  198.51.100.0/33 # two\n::1\n");
	assert_int_equal(add_only(&f, "p", &e), -EINVAL);
	assert_non_null(strstr(e.file, "/list"));
	assert_int_equal(e.line, 3);
	assert_string_equal(e.text, "  198.51.100.0/33 # two");
	assert_int_equal(e.offset, 15);
	assert_string_equal(e.message, "is not a length of a prefix");
	assert_string_equal(e.expected, "0 to 32");
	folder_remove(&f, names);
}

static struct pv_conversation row(const char *remote, uint32_t port)
{
	struct pv_conversation c = { .family = strchr(remote, ':') ? AF_INET6 : AF_INET,
				     .proto = PV_PROTO_TCP,
				     .state = PV_STATE_ESTABLISHED,
				     .direction = PV_DIR_OUTGOING,
				     .local.port = 40000,
				     .remote.port = port };

	assert_int_equal(inet_pton(c.family, remote, c.remote.addr), 1);
	return c;
}

/* The rule that decides, and of a list its line; -1 = none does. */
static int decide(const struct pv_policy *p, const char *remote, uint32_t port, uint32_t *line)
{
	struct pv_snapshot *s = snapshot_new();
	struct pv_conversation c = row(remote, port);
	size_t index = 0;
	bool found;

	assert_non_null(s);
	snapshot_seal(s);
	found = pv_policy_match(p, s, &c, &index, line);
	pv_snapshot_free(s);
	return found ? (int)index : -1;
}

static void test_first_match(void **state)
{
	static const char *const names[] = { "p", "list", NULL };
	_cleanup_(cleanup_policy) struct pv_policy *p = NULL;
	struct pv_policy_error e;
	struct folder f;
	uint32_t line = 9;

	(void)state;
	folder_make(&f);
	folder_put(&f, "p",
		   "expect \"the exception\" dst 192.0.2.7 and dport 443\n"
		   "block file list\n"
		   "never \"no telnet\" dport 23\n"
		   "expect \"the rest\" dst 198.51.100.0/24\n");
	folder_put(&f, "list", "192.0.2.0/24\n2001:db8::/32\n203.0.113.9\n192.0.2.7/32\n");
	assert_int_equal(add(&f, "p", &p, &e), 0);
	assert_int_equal(pv_policy_rule(p, 1)->n_addresses, 3);
	assert_int_equal(decide(p, "192.0.2.7", 443, &line), 0);
	assert_int_equal(line, 0);
	assert_int_equal(decide(p, "192.0.2.7", 80, &line), 1);
	assert_int_equal(line, 1);
	assert_int_equal(decide(p, "::ffff:203.0.113.9", 80, &line), 1);
	assert_int_equal(line, 3);
	assert_int_equal(decide(p, "2001:db8:1::1", 23, &line), 1);
	assert_int_equal(decide(p, "198.51.100.1", 23, &line), 2);
	assert_int_equal(decide(p, "198.51.100.1", 22, &line), 3);
	assert_int_equal(decide(p, "203.0.113.8", 22, &line), -1);
	folder_remove(&f, names);
}

static void test_status(void **state)
{
	struct pv_policy_rule rule = { .kind = PV_POLICY_EXPECT };

	(void)state;
	assert_int_equal(pv_policy_rule_status(&rule, 1), PV_POLICY_USED);
	assert_int_equal(pv_policy_rule_status(&rule, 0), PV_POLICY_UNUSED);
	rule.every = 60;
	assert_int_equal(pv_policy_rule_status(&rule, 0), PV_POLICY_UNDECIDED);
	rule.always = true;
	assert_int_equal(pv_policy_rule_status(&rule, 0), PV_POLICY_MISSING);
	rule.kind = PV_POLICY_NEVER;
	assert_int_equal(pv_policy_rule_status(&rule, 0), PV_POLICY_UNUSED);
}

/* Against the naive way, with nested, overlapping and edge networks. */
static void test_block_oracle(void **state)
{
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;
	struct {
		uint32_t addr;
		unsigned bits;
	} nets[400];
	struct block_error error;
	struct block b = { 0 };

	(void)state;
	srandom(7);
	for (size_t i = 0; i < 400; i++) {
		nets[i].bits = (unsigned)random() % 26 + 7;
		nets[i].addr = (uint32_t)random() * 2u & (i % 3 ? 0xfffff000u : 0x0fffffffu);
		buf_printf(&text, "%u.%u.%u.%u/%u\n", nets[i].addr >> 24, nets[i].addr >> 16 & 0xff,
			   nets[i].addr >> 8 & 0xff, nets[i].addr & 0xff, nets[i].bits);
	}
	assert_int_equal(block_parse(&b, text.data, text.len, &error), 0);
	for (size_t i = 0; i < 20000; i++) {
		uint32_t a = i < 800 ? nets[i / 2].addr + (i % 2 ? 1 : 0) : (uint32_t)random() * 2u;
		uint8_t bytes[4] = { (uint8_t)(a >> 24), (uint8_t)(a >> 16), (uint8_t)(a >> 8),
				     (uint8_t)a };
		const struct block_entry *e = block_find(&b, AF_INET, bytes);
		bool want = false;

		for (size_t k = 0; k < 400; k++)
			want |= (a ^ nets[k].addr) >> (32 - nets[k].bits) == 0;
		assert_int_equal(e != NULL, want);
		if (e)
			assert_true((a ^ nets[e->line - 1].addr) >> (32 - nets[e->line - 1].bits) ==
				    0);
	}
	block_deinit(&b);
}

static void test_block_empty(void **state)
{
	static const uint8_t any[16];
	struct block_error error;
	struct block b = { 0 };

	(void)state;
	assert_int_equal(block_parse(&b, "# nothing\n\n \t; here", 20, &error), 0);
	assert_null(block_find(&b, AF_INET6, any));
	block_deinit(&b);
	assert_int_equal(block_parse(&b, "::/0", 4, &error), 0);
	assert_non_null(block_find(&b, AF_INET6, any));
	block_deinit(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_lines),	     cmocka_unit_test(test_refused),
		cmocka_unit_test(test_despite),	     cmocka_unit_test(test_long_line),
		cmocka_unit_test(test_trust),	     cmocka_unit_test(test_list_error),
		cmocka_unit_test(test_first_match),  cmocka_unit_test(test_status),
		cmocka_unit_test(test_block_oracle), cmocka_unit_test(test_block_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
