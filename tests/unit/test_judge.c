/* SPDX-License-Identifier: MIT */
/* The judge's parsers and tables: dpkg's database, recorded facts, the kernel's tables, the rules.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "judge/dpkg.h"
#include "judge/hiding.h"
#include "judge/judge-internal.h"
#include "judge/kernel.h"
#include "judge/kinds.h"
#include "judge/known.h"
#include "judge/recall.h"

#define TEXT(s) s, sizeof(s) - 1

static struct pv_bytes bytes(const char *text)
{
	return (struct pv_bytes){ text, (uint32_t)strlen(text) };
}

/* The package that a list gives a path to, or "". */
static const char *owner(const char *path, const char *package, const char *list,
			 const char *diversions)
{
	static struct dpkg_index x;
	struct package_query q = { .path = bytes(path) };
	struct pv_bytes name = bytes(package);
	dpkg_diversions d = { 0 };

	assert_int_equal(dpkg_diversions_parse(diversions, strlen(diversions), &d), 0);
	assert_int_equal(dpkg_index_build(&x, &q, 1, &d), 0);
	dpkg_list_search(&x, &q, &name, 7, list, strlen(list));
	assert_int_equal(x.n_open, q.package.len ? 0 : 1);
	dpkg_index_deinit(&x);
	vec_deinit(&d);
	return q.package.len ? package : "";
}

static void lists_own_paths(void **state)
{
	static const char list[] = "/.\n/bin\n/bin/sh\n/usr/bin/env\n/usr/lib/x/y";

	(void)state;
	assert_string_equal(owner("/usr/bin/env", "p", list, ""), "p");
	/* the kernel names files by the merged path, packages by either */
	assert_string_equal(owner("/usr/bin/sh", "p", list, ""), "p");
	assert_string_equal(owner("/bin/sh", "p", list, ""), "p");
	assert_string_equal(owner("/usr/lib/x/y", "p", list, ""), "p");
	/* neither a part nor a beginning of a line is a path */
	assert_string_equal(owner("/usr/bin/en", "p", list, ""), "");
	assert_string_equal(owner("/usr/bin/env2", "p", list, ""), "");
	assert_string_equal(owner("/home/usr/bin/env", "p", list, ""), "");
}

static void diversions_move_files(void **state)
{
	static const char list[] = "/usr/bin/perf\n";
	static const char diversions[] = "/usr/bin/perf\n/usr/bin/perf.old\nwrapper\n";

	(void)state;
	assert_string_equal(owner("/usr/bin/perf", "linux-perf", list, diversions), "");
	assert_string_equal(owner("/usr/bin/perf.old", "linux-perf", list, diversions),
			    "linux-perf");
	assert_string_equal(owner("/usr/bin/perf", "wrapper:amd64", list, diversions),
			    "wrapper:amd64");
	assert_string_equal(owner("/usr/bin/perf.old", "wrapper:amd64", list, diversions), "");
}

static void digests_are_found(void **state)
{
	static const char text[] = "0123456789abcdef0123456789abcdef  usr/bin/git\n"
				   "ffffffffffffffffffffffffffffffff  bin/sh\n"
				   "short  usr/bin/x\n";
	struct pv_bytes git = bytes("/usr/bin/git"), sh = bytes("/usr/bin/sh");
	struct pv_bytes x = bytes("/usr/bin/x");
	char hex[33];

	(void)state;
	assert_int_equal(dpkg_md5sums_find(TEXT(text), &git, hex), 0);
	assert_string_equal(hex, "0123456789abcdef0123456789abcdef");
	assert_int_equal(dpkg_md5sums_find(TEXT(text), &sh, hex), 0);
	assert_int_equal(dpkg_md5sums_find(TEXT(text), &x, hex), -ENOENT);
}

static void facts_are_recalled(void **state)
{
	static const char text[] =
		"\3\0\0\0\1\0\0\0b c9\1\0\0\0\2\0\0\0azz\xff\xff\xff\xff\1\0\0\0cut";
	struct tape tape = { .mode = TAPE_REPLAY, .dirfd = -1, .procfd = -1 };
	struct recall r = { .tape = &tape };
	struct pv_bytes value;

	(void)state;
	assert_int_equal(recall_parse(TEXT(text), &r), 0);
	assert_int_equal(r.facts.n, 2);
	assert_true(recall_get(&r, "a", &value));
	assert_int_equal(value.len, 2);
	assert_memory_equal(value.data, "zz", 2);
	assert_true(recall_get(&r, "b c", &value));
	assert_int_equal(r.n_missing, 0);
	assert_true(recall_get(&r, "b", &value));
	assert_int_equal(value.len, 0);
	assert_int_equal(r.n_missing, 1);
	vec_deinit(&r.facts);
}

static int add_pid(void *userdata, int32_t pid)
{
	*(int64_t *)userdata = *(int64_t *)userdata * 1000 + pid;
	return 0;
}

static void mounts_over_processes(void **state)
{
	static const char text[] = "22 1 0:5 / /proc rw - proc proc rw\n"
				   "23 22 0:6 / /proc/17 rw - tmpfs none rw\n"
				   "24 22 0:6 / /proc/sys/fs rw - tmpfs none rw\n"
				   "25 22 0:6 / /proc/18/fd rw - tmpfs none rw\n"
				   "26 22 0:6 / /proc/19x rw - tmpfs none rw\n"
				   "27 22 0:6 / /home/proc/20 rw - tmpfs none rw\n";
	int64_t pids = 0;

	(void)state;
	assert_int_equal(hiding_mounts_parse(TEXT(text), add_pid, &pids), 0);
	assert_int_equal(pids, 17018);
}

static int take_use(void *userdata, const struct kernel_use *use)
{
	*(struct kernel_use *)userdata = *use;
	return 0;
}

static void kernel_sockets_by_table(void **state)
{
	static const char servers[] = "NV SERVER   PORT USE HOSTNAME\nv4 c0000207  801   1 nfs\n";
	static const char mounts[] =
		"9 8 0:5 / /mnt rw shared:1 - cifs //h/s rw,vers=3.1.1,addr=192.0.2.9\n";
	struct kernel_use use = { 0 };
	uint8_t want[4];

	(void)state;
	assert_int_equal(kernel_nfs_servers_parse(TEXT(servers), take_use, &use), 0);
	inet_pton(AF_INET, "192.0.2.7", want);
	assert_memory_equal(use.remote.addr, want, 4);
	assert_int_equal(use.remote.port, 2049);
	assert_int_equal(use.local_port, 0);
	assert_int_equal(kernel_nfsd_ports_parse(TEXT("tcp 2049\n"), take_use, &use), 0);
	assert_int_equal(use.local_port, 2049);
	assert_int_equal(use.proto, PV_PROTO_TCP);
	assert_int_equal(kernel_cifs_mounts_parse(TEXT(mounts), take_use, &use), 0);
	inet_pton(AF_INET, "192.0.2.9", want);
	assert_memory_equal(use.remote.addr, want, 4);
	assert_int_equal(use.remote.port, 445);
}

static void programs_and_services(void **state)
{
	struct pv_bytes sshd = bytes("sshd"), other = bytes("sshd2"), vsftpd = bytes("vsftpd");
	struct pv_bytes dnsmasq = bytes("dnsmasq");

	(void)state;
	assert_true(known_serves(known_program(&sshd), "ssh"));
	assert_false(known_serves(known_program(&sshd), "ss"));
	assert_false(known_serves(known_program(&sshd), "http"));
	assert_null(known_program(&other));
	assert_true(known_contradicts(known_program(&sshd), PV_TRANSPORT_TCP, 23, "telnet"));
	assert_true(known_contradicts(known_program(&sshd), PV_TRANSPORT_TCP, 5432, "postgresql"));
	assert_false(known_contradicts(known_program(&sshd), PV_TRANSPORT_TCP, 22, "ssh"));
	assert_false(
		known_contradicts(known_program(&sshd), PV_TRANSPORT_TCP, 2222, "EtherNet-IP-1"));
	/* ports for data, which it picks by itself */
	assert_true(known_contradicts(known_program(&vsftpd), PV_TRANSPORT_TCP, 22, "ssh"));
	assert_false(
		known_contradicts(known_program(&vsftpd), PV_TRANSPORT_TCP, 5432, "postgresql"));
	assert_true(known_contradicts(known_program(&dnsmasq), PV_TRANSPORT_TCP, 5060, "sip"));
	assert_true(known_contradicts(known_program(&dnsmasq), PV_TRANSPORT_UDP, 123, "ntp"));
	/* its questions leave from ports of its choice */
	assert_false(known_contradicts(known_program(&dnsmasq), PV_TRANSPORT_UDP, 5060, "sip"));
}

static enum program_kind kind(const char *name)
{
	struct pv_bytes b = bytes(name);

	return kind_of_name(&b);
}

static void kinds_of_programs(void **state)
{
	static const char *const shells[] = { "sh", "bash", "bash-static", "ksh93", "busybox" };
	static const char *const interpreters[] = {
		"python3.11",	 "python3.11-dbg",	 "perl5.36-x86_64-linux-gnu",
		"vim.basic",	 "php-cgi8.2",		 "beam.smp",
		"gdb-multiarch", "ld-linux-x86-64.so.2", "ld-2.31.so",
		"ld.so",	 "ld-musl-x86_64.so.1",
	};
	static const char *const relays[] = { "nc", "nc.openbsd", "ncat", "socat1",
					      "telnet.netkit" };
	static const char *const plain[] = { "sshd",   "nginx", "php-fpm8.2", "shutdown",
					     "nodesd", "ncdu",	"x.sock",     "perlbal",
					     "Rd",     "so",	"postgres",   "bashtop" };
	struct pv_bytes qemu = bytes("qemu-user-static"), system = bytes("qemu-system-x86");
	struct pv_bytes daemon = bytes("sshd-session"), server = bytes("postgres");

	(void)state;
	for (size_t i = 0; i < sizeof(shells) / sizeof(*shells); i++)
		assert_int_equal(kind(shells[i]), KIND_SHELL);
	for (size_t i = 0; i < sizeof(interpreters) / sizeof(*interpreters); i++)
		assert_int_equal(kind(interpreters[i]), KIND_INTERPRETER);
	for (size_t i = 0; i < sizeof(relays) / sizeof(*relays); i++)
		assert_int_equal(kind(relays[i]), KIND_RELAY);
	for (size_t i = 0; i < sizeof(plain) / sizeof(*plain); i++)
		assert_int_equal(kind(plain[i]), KIND_PLAIN);
	assert_int_equal(kind_of_package(&qemu), KIND_INTERPRETER);
	assert_int_equal(kind_of_package(&system), KIND_PLAIN);
	assert_true(kind_is_forwarder(&daemon));
	assert_false(kind_is_forwarder(&server));
}

/* Every place of a sentence is one that its rule can fill. */
static void rules_are_complete(void **state)
{
	size_t n;
	const struct pv_rule *rules = pv_rules(&n);

	(void)state;
	assert_int_equal(n, RULE_N);
	for (size_t i = 0; i < n; i++) {
		assert_int_equal(pv_rule_find(rules[i].id, strlen(rules[i].id)), i);
		assert_true(rules[i].about[strlen(rules[i].about) - 1] == '.');
		assert_non_null(strchr(rules[i].sentence, '{'));
		assert_int_equal(judge_rules[i].test == NULL, judge_rules[i].scope == SCOPE_POLICY);
	}
	assert_int_equal(pv_rule_find("exe", 3), -ENOENT);
}

/* What is thought of the one library of a process, when looking at it ends like that. */
static struct subject loaded(const char *path, const char *package, const char *answer,
			     const char *folder)
{
	char keys[2][64];
	struct tape tape = { .mode = TAPE_REPLAY, .dirfd = -1, .procfd = -1 };
	struct pv_snapshot *s = snapshot_new();
	struct judge j = { .tape = &tape, .s = s, .recall = { .tape = &tape } };
	struct package_query q = { .path = bytes(path), .package = bytes(package) };
	struct library lib = { .path = bytes(path), .inode = 7 };
	struct pv_process p = { .pid = 7 };
	struct subject subject = { .p = &p, .maps = MAPS_READ, .n_libraries = 1 };

	snprintf(keys[0], sizeof(keys[0]), "folder %s", path);
	snprintf(keys[1], sizeof(keys[1]), "stat %s", path);
	if (folder)
		assert_int_equal(vec_push(&j.recall.facts,
					  ((struct recall_fact){ bytes(keys[0]), bytes(folder) })),
				 0);
	if (answer)
		assert_int_equal(vec_push(&j.recall.facts,
					  ((struct recall_fact){ bytes(keys[1]), bytes(answer) })),
				 0);
	assert_int_equal(vec_push(&j.queries, q), 0);
	assert_int_equal(vec_push(&j.libraries, lib), 0);
	assert_int_equal(vec_push(&j.library_uses, 0u), 0);
	libraries_judge(&j, &subject);
	vec_deinit(&j.recall.facts);
	vec_deinit(&j.queries);
	vec_deinit(&j.libraries);
	vec_deinit(&j.library_uses);
	pv_snapshot_free(s);
	return subject;
}

/* Only what is known to be absent accuses; what cannot be looked at explains nothing either. */
static void libraries_that_cannot_be_looked_at(void **state)
{
	static const char *const silent[] = { "-110", "-13", "-5", NULL };
	static const char *const absent[] = { "-2", "-20" };
	struct subject s;

	(void)state;
	for (size_t i = 0; i < sizeof(silent) / sizeof(*silent); i++) {
		s = loaded("/usr/lib/x.so", "p", silent[i], NULL);
		assert_int_equal(s.library_state, LIBRARY_UNKNOWN);
		assert_int_equal(s.maps, MAPS_UNKNOWN);
		s = loaded("/home/x.so", "", silent[i], NULL);
		assert_int_equal(s.library_state, LIBRARY_LOCAL);
		assert_int_equal(s.maps, MAPS_UNKNOWN);
	}
	for (size_t i = 0; i < sizeof(absent) / sizeof(*absent); i++) {
		s = loaded("/usr/lib/x.so", "p", absent[i], NULL);
		assert_int_equal(s.library_state, LIBRARY_FOREIGN);
		assert_int_equal(s.maps, MAPS_READ);
	}
	assert_int_equal(loaded("/usr/lib/x.so", "p", "0 7 33188 0 1", NULL).library_state,
			 LIBRARY_PACKAGED);
	assert_int_equal(loaded("/home/x.so", "", "0 7 33188 0 1", NULL).library_state,
			 LIBRARY_FOREIGN);
	assert_int_equal(loaded("/var/x.so", "", "0 7 33188 0 1", "=").library_state,
			 LIBRARY_LOCAL);
	assert_int_equal(loaded("/var/x.so", "", "0 7 33188 0 1", "=/var").library_state,
			 LIBRARY_FOREIGN);
	s = loaded("/var/x.so", "", "0 7 33188 0 1", "?");
	assert_int_equal(s.library_state, LIBRARY_LOCAL);
	assert_int_equal(s.maps, MAPS_UNKNOWN);
}

/* --- who feeds whom: as it is told in words, all compared with all --- */

static const struct shell *naive_find(const struct judge *j, int32_t pid)
{
	for (size_t i = 0; i < j->shells.n; i++)
		if (j->shells.items[i].pid == pid)
			return &j->shells.items[i];
	return NULL;
}

static bool naive_below(const struct judge *j, const struct shell *shell, int32_t pid)
{
	for (int n = 0; shell && n < 4; n++) {
		if (shell->ppid == pid)
			return true;
		shell = naive_find(j, shell->ppid);
	}
	return false;
}

static bool naive_writes(const struct shell *holder, const struct pv_bytes *end)
{
	char word[40];

	snprintf(word, sizeof(word), "%.*s ", (int)end->len, end->data);
	return memmem(holder->outputs.data, holder->outputs.len, word, strlen(word)) != NULL;
}

static bool naive_feeds(const struct judge *j, const struct shell *h, const struct shell *s,
			const struct program *program)
{
	bool in = bytes_start(&s->ends[0], "pipe:["), out = bytes_start(&s->ends[1], "pipe:[");
	bool back = bytes_equal(&h->ends[1], &s->ends[0]);
	bool same = bytes_equal(&h->ends[0], &s->ends[0]);

	if (!s->is_shell || s->pid == h->pid || bytes_start(&s->ends[0], "/dev/null"))
		return false;
	if (in && out && bytes_start(&h->ends[1], "pipe:[") &&
	    bytes_equal(&h->ends[0], &s->ends[1]))
		return !program_is_explained(program) || back;
	if (program_is_explained(program) || same)
		return false;
	return naive_below(j, s, h->pid) || naive_writes(h, &s->ends[0]) ||
	       (program->kind == KIND_RELAY && in && back);
}

static const char *random_end(void)
{
	static const char *const ends[] = { "pipe:[1]",	  "pipe:[2]",	"pipe:[3]",
					    "pipe:[4]",	  "socket:[1]", "/dev/pts/1",
					    "/dev/pts/2", "/dev/null",	"/dev/null" };

	return ends[(size_t)random() % (sizeof(ends) / sizeof(*ends))];
}

static void put_random_shell(struct buf *b)
{
	long pid = random() % 60 + 1, is_shell = random() % 2;

	buf_printf(b, "%ld %ld %ld", pid, random() % 60, is_shell);
	buf_putc(b, 0);
	buf_puts(b, "x");
	buf_putc(b, 0);
	for (int i = 0; i < 3; i++) {
		buf_puts(b, random_end());
		buf_putc(b, 0);
	}
	for (long n = is_shell ? 0 : random() % 3; n; n--)
		buf_printf(b, "%s ", random_end());
	buf_putc(b, 0);
}

static unsigned check_feeding(const struct buf *b)
{
	struct program programs[] = { { .kind = KIND_PLAIN },
				      { .kind = KIND_RELAY },
				      { .package = bytes("p"), .disk = DISK_SAME } };
	struct judge j = { .has_shells = true };
	unsigned found = 0;

	for (size_t i = 0; i < 3; i++)
		assert_int_equal(vec_push(&j.programs, programs[i]), 0);
	assert_int_equal(shells_parse(&j, b->data, b->len), 0);
	for (int32_t pid = 0; pid < 62; pid++) {
		const struct shell *holder = naive_find(&j, pid);

		for (uint32_t k = 0; k < 3; k++) {
			struct pv_process p = { .pid = pid };
			struct subject subject = { .p = &p, .program = k };
			const struct shell *want = NULL;
			const char *channel;

			for (size_t i = 0; holder && !want && i < j.shells.n; i++)
				if (naive_feeds(&j, holder, &j.shells.items[i], &programs[k]))
					want = &j.shells.items[i];
			assert_ptr_equal(shells_fed_by(&j, &subject, &channel), want);
			assert_int_equal(channel != NULL, want != NULL);
			found += want != NULL;
		}
	}
	vec_deinit(&j.programs);
	vec_deinit(&j.shells);
	vec_deinit(&j.shell_links);
	map_deinit(&j.shells_by_pid);
	map_deinit(&j.shell_chains);
	return found;
}

static void shells_are_found_by_what_they_share(void **state)
{
	unsigned found = 0;

	(void)state;
	srandom(7);
	for (int i = 0; i < 300; i++) {
		_cleanup_(cleanup_buf) struct buf b = BUF_INIT;

		for (long n = random() % 40; n; n--)
			put_random_shell(&b);
		assert_int_equal(buf_error(&b), 0);
		found += check_feeding(&b);
	}
	assert_true(found > 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lists_own_paths),
		cmocka_unit_test(diversions_move_files),
		cmocka_unit_test(digests_are_found),
		cmocka_unit_test(facts_are_recalled),
		cmocka_unit_test(mounts_over_processes),
		cmocka_unit_test(kernel_sockets_by_table),
		cmocka_unit_test(programs_and_services),
		cmocka_unit_test(kinds_of_programs),
		cmocka_unit_test(rules_are_complete),
		cmocka_unit_test(libraries_that_cannot_be_looked_at),
		cmocka_unit_test(shells_are_found_by_what_they_share),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
