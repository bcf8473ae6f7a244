/* SPDX-License-Identifier: MIT */
/*
 * Processes, tables and names as the running kernel tells them, and all of it recorded and
 * replayed.
 */
#include "procfs_live.h"

#include <linux/if_ether.h>
#include <linux/netlink.h>
#include <netinet/in.h>
#include <sys/un.h>

#include "procfs/nettables.h"
#include "procfs/reader.h"
#include "procfs/sysctl.h"
#include "procfs/users.h"

static void run_plain(int out)
{
	make_socket(out, 50);
	wait_for_death();
}

static void test_process(void **state)
{
	struct child c = start(run_plain);
	struct tape t = open_live();
	struct procfs_process p;
	char exe[4096];
	uint64_t start_ticks;
	ssize_t n;

	(void)state;
	next_inode(&c);
	procfs_process_init(&p);
	assert_int_equal(procfs_process_read(&t, c.pid, 0, PV_NEED_ALL, &p), 0);
	n = readlink("/proc/self/exe", exe, sizeof(exe));
	assert_int_equal(p.exe.len, n);
	assert_memory_equal(p.exe.data, exe, p.exe.len);
	assert_int_equal(p.uid, geteuid());
	assert_true(p.cmdline.len > 1 && p.cmdline.data[p.cmdline.len - 1] == 0);
	assert_true(p.cgroup.len > 0 && p.cgroup.data[0] == '/');
	assert_int_equal(p.exe_error | p.cmdline_error | p.cgroup_error | p.uid_error, 0);
	start_ticks = p.stat.start_ticks;
	assert_int_equal(procfs_process_read(&t, c.pid, start_ticks, 0, &p), 0);
	assert_int_equal(p.exe.len, 0);
	assert_int_equal(procfs_process_read(&t, c.pid, start_ticks + 1, PV_NEED_ALL, &p),
			 PROCFS_E_REUSED);
	kill(c.pid, SIGKILL);
	wait_for_state(&t, c.pid, 'Z');
	/* a zombie has no memory: no exe, and no error either */
	assert_int_equal(procfs_process_read(&t, c.pid, start_ticks, PV_NEED_ALL, &p), 0);
	assert_int_equal(p.exe.len, 0);
	assert_int_equal(p.exe_error, 0);
	waitpid(c.pid, NULL, 0);
	close(c.pipe);
	assert_int_equal(procfs_process_read(&t, c.pid, start_ticks, PV_NEED_ALL, &p),
			 PROCFS_E_GONE);
	procfs_process_deinit(&p);
	tape_close(&t);
}

/* Arguments of more than the bound are cut there, and the cut is told. */
static void run_long_cmdline(int out)
{
	char *argument = malloc(100001);
	char *argv[] = { (char *)"sleep", (char *)"1000", argument, NULL };
	uint32_t told = 1;

	memset(argument, 'x', 100000);
	argument[100000] = 0;
	if (write(out, &told, sizeof(told)) == sizeof(told))
		execv("/bin/sleep", argv);
	_exit(94);
}

static void test_long_cmdline(void **state)
{
	struct child c = start(run_long_cmdline);
	struct tape t = open_live();
	struct procfs_process p;
	char end;

	(void)state;
	next_inode(&c);
	/* exec closes the pipe, and sets up the arguments a little later */
	assert_int_equal(read(c.pipe, &end, 1), 0);
	procfs_process_init(&p);
	for (int i = 0; i < 5000 && p.cmdline.len == 0 && p.stat.state != 'Z'; i++) {
		usleep(1000);
		procfs_process_deinit(&p);
		procfs_process_init(&p);
		assert_int_equal(procfs_process_read(&t, c.pid, 0, PV_NEED_CMDLINE, &p), 0);
	}
	if (p.stat.state != 'Z') {
		assert_int_equal(p.cmdline.len, PROCFS_CMDLINE_MAX);
		assert_true(p.is_cmdline_cut);
		assert_memory_equal(p.cmdline.data,
				    "sleep\0"
				    "1000\0xxx",
				    14);
	}
	procfs_process_deinit(&p);
	stop(&c);
	tape_close(&t);
}

/* A read that never answers ends at its deadline, and does not spoil the next one. */
static void test_reader_deadline(void **state)
{
	struct reader r = READER_INIT;
	struct buf b = BUF_INIT;
	int hung[READER_MISSES_MAX][2], answering;

	(void)state;
	for (unsigned i = 0; i < READER_MISSES_MAX; i++) {
		assert_int_equal(pipe2(hung[i], O_CLOEXEC), 0);
		answering = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
		assert_int_equal(reader_read(&r, answering, 100000, 5000, &b), 0);
		assert_true(b.len > 0);
		assert_int_equal(reader_read(&r, hung[i][0], 10, 20, &b), -ETIMEDOUT);
	}
	answering = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC);
	assert_int_equal(reader_read(&r, answering, 10, 5000, &b), -ETIMEDOUT);
	assert_true(fcntl(answering, F_GETFD) < 0 && errno == EBADF);
	for (unsigned i = 0; i < READER_MISSES_MAX; i++)
		close(hung[i][1]);
	/* the threads left behind close what they were given, once their read returns */
	for (unsigned i = 0; i < READER_MISSES_MAX; i++)
		for (int k = 0; k < 5000 && fcntl(hung[i][0], F_GETFD) >= 0; k++)
			usleep(1000);
	assert_true(fcntl(hung[0][0], F_GETFD) < 0);
	reader_deinit(&r);
	buf_deinit(&b);
}

static int ignore_row(void *userdata, const struct pv_conversation *row)
{
	(void)userdata;
	(void)row;
	return 0;
}

static int count_name(void *userdata, uint32_t id, const char *name)
{
	uint64_t *hash = userdata;

	*hash = *hash * 31 + id;
	for (; *name; name++)
		*hash = *hash * 31 + (unsigned char)*name;
	return 0;
}

/* All that is read from one tape: what a recording gives back must be equal to it. */
struct everything {
	record_vec records;
	struct procfs_scan_stats stats;
	struct procfs_view view;
	struct procfs_sockstat sockstat;
	struct procfs_table_stats tables[PV_PROTO_SOCKETS_N];
	int table_results[PV_PROTO_SOCKETS_N];
	uint64_t names, ports[PROCFS_PORT_WORDS];
	uint16_t first, last;
	struct procfs_process child, gone, kernel;
	int results[3];
};

static void read_everything(struct tape *t, pid_t child, pid_t gone, struct everything *e)
{
	struct procfs_scan_options o = { .attempt = 3 };
	struct sink sink = { ignore_row, NULL };

	assert_int_equal(scan(t, &o, &e->records, &e->stats), 0);
	assert_int_equal(procfs_read_view(t, &e->view), 0);
	assert_int_equal(procfs_read_sockstat(t, &e->sockstat), 0);
	for (int i = 0; i < PV_PROTO_SOCKETS_N; i++)
		e->table_results[i] =
			procfs_read_table(t, (enum pv_proto)i, AF_INET, &sink, &e->tables[i]);
	assert_int_equal(procfs_read_users(t, count_name, &e->names), 0);
	assert_int_equal(procfs_read_ifnames(t, count_name, &e->names), 0);
	assert_int_equal(procfs_read_port_range(t, &e->first, &e->last), 0);
	assert_int_equal(procfs_read_reserved_ports(t, e->ports), 0);
	procfs_process_init(&e->child);
	procfs_process_init(&e->gone);
	procfs_process_init(&e->kernel);
	e->results[0] = procfs_process_read(t, child, 0, PV_NEED_ALL, &e->child);
	e->results[1] = procfs_process_read(t, gone, 0, PV_NEED_ALL, &e->gone);
	e->results[2] = procfs_process_read(t, 2, 0, PV_NEED_ALL, &e->kernel);
}

static void assert_same_process(const struct procfs_process *a, const struct procfs_process *b)
{
	assert_memory_equal(&a->stat, &b->stat, sizeof(a->stat));
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->exe.len, b->exe.len);
	assert_int_equal(a->cmdline.len, b->cmdline.len);
	assert_int_equal(a->cgroup.len, b->cgroup.len);
	if (a->exe.len)
		assert_memory_equal(a->exe.data, b->exe.data, a->exe.len);
	if (a->cmdline.len)
		assert_memory_equal(a->cmdline.data, b->cmdline.data, a->cmdline.len);
	if (a->cgroup.len)
		assert_memory_equal(a->cgroup.data, b->cgroup.data, a->cgroup.len);
	assert_int_equal(a->exe_error, b->exe_error);
	assert_int_equal(a->cmdline_error, b->cmdline_error);
	assert_int_equal(a->cgroup_error, b->cgroup_error);
	assert_int_equal(a->uid_error, b->uid_error);
}

static void forget(struct everything *e)
{
	procfs_process_deinit(&e->child);
	procfs_process_deinit(&e->gone);
	procfs_process_deinit(&e->kernel);
	vec_deinit(&e->records);
}

static void remove_tree(const char *path)
{
	pid_t pid = fork();

	if (pid == 0) {
		execlp("rm", "rm", "-rf", "--", path, (char *)NULL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
}

static void test_record_replay(void **state)
{
	static struct everything live, replayed;
	char dir[] = "/tmp/test-procfs-XXXXXX";
	struct child c = start(run_sparse), gone = start(run_plain);
	struct tape t;

	(void)state;
	for (int i = 0; i < 10; i++)
		next_inode(&c);
	stop(&gone);
	assert_non_null(mkdtemp(dir));
	assert_int_equal(tape_open(&t, dir, NULL), 0);
	read_everything(&t, c.pid, gone.pid, &live);
	tape_close(&t);
	stop(&c);
	assert_int_equal(tape_open(&t, NULL, dir), 0);
	read_everything(&t, c.pid, gone.pid, &replayed);
	tape_close(&t);
	remove_tree(dir);

	assert_true(live.records.n >= 10);
	assert_int_equal(live.records.n, replayed.records.n);
	assert_memory_equal(live.records.items, replayed.records.items,
			    live.records.n * sizeof(*live.records.items));
	assert_memory_equal(&live.stats, &replayed.stats, sizeof(live.stats));
	assert_memory_equal(&live.view, &replayed.view, sizeof(live.view));
	assert_memory_equal(&live.sockstat, &replayed.sockstat, sizeof(live.sockstat));
	assert_memory_equal(live.tables, replayed.tables, sizeof(live.tables));
	assert_memory_equal(live.table_results, replayed.table_results, sizeof(live.table_results));
	assert_true(live.names == replayed.names && live.names);
	assert_memory_equal(live.ports, replayed.ports, sizeof(live.ports));
	assert_int_equal(live.first, replayed.first);
	assert_int_equal(live.last, replayed.last);
	assert_int_equal(live.results[0], 0);
	assert_int_equal(live.results[1], PROCFS_E_GONE);
	assert_memory_equal(live.results, replayed.results, sizeof(live.results));
	assert_same_process(&live.child, &replayed.child);
	assert_same_process(&live.kernel, &replayed.kernel);
	forget(&live);
	forget(&replayed);
}

static void test_no_procfs(void **state)
{
	struct tape t = TAPE_INIT;
	struct procfs_scan_options o = { 0 };
	struct procfs_scan_stats stats;
	struct procfs_process p;
	record_vec v;

	(void)state;
	assert_int_equal(scan(&t, &o, &v, &stats), -ENOENT);
	procfs_process_init(&p);
	assert_int_equal(procfs_process_read(&t, 1, 0, 0, &p), PROCFS_E_GONE);
	assert_int_equal(procfs_count_files(&t), 0);
	procfs_process_deinit(&p);
}

/* What a table of this system says of one inode. */
struct wanted_row {
	uint32_t inode;
	unsigned n;
	struct pv_conversation row;
	char name[108];
	uint32_t name_len;
};

static int look_for_row(void *userdata, const struct pv_conversation *row)
{
	struct wanted_row *w = userdata;

	if (row->inode != w->inode)
		return 0;
	w->n++;
	w->row = *row;
	w->name_len = row->path ? row->path->len : 0;
	if (row->path)
		memcpy(w->name, row->path->data, row->path->len);
	return 0;
}

/* 0 = found once, 77 = the kernel lacks the protocol or its table, else a failure. */
static int find_row(enum pv_proto proto, int family, int fd, struct wanted_row *w)
{
	struct sink sink = { look_for_row, w };
	struct procfs_table_stats stats;
	struct tape t;
	int r;

	*w = (struct wanted_row){ 0 };
	if (fd < 0)
		return 77;
	w->inode = inode_of(fd);
	if (tape_open(&t, NULL, NULL) < 0)
		return 1;
	r = procfs_read_table(&t, proto, family, &sink, &stats);
	tape_close(&t);
	if (r == -ENOENT)
		return 77;
	return r == 0 && w->n == 1 && stats.n_malformed == 0 ? 0 : 1;
}

static int bound_socket(int family, int type, int protocol)
{
	struct sockaddr_in in = { .sin_family = AF_INET,
				  .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	int fd = socket(family, type | SOCK_CLOEXEC, protocol);
	int r;

	if (fd < 0)
		return -1;
	r = family == AF_INET ? bind(fd, (struct sockaddr *)&in, sizeof(in))
			      : bind(fd, (struct sockaddr *)&in6, sizeof(in6));
	if (r == 0)
		return fd;
	close(fd);
	return -1;
}

static uint32_t port_of(int fd)
{
	struct sockaddr_in6 a = { 0 };
	socklen_t len = sizeof(a);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &len), 0);
	return ntohs(a.sin6_port); /* at the same place in both families */
}

/* Each table is understood as this kernel writes it. */
static void test_tables(void **state)
{
	static const struct {
		enum pv_proto proto;
		int family, type, protocol;
		const char *name;
	} cases[] = {
		{ PV_PROTO_TCP, AF_INET, SOCK_STREAM, 0, "tcp" },
		{ PV_PROTO_TCP, AF_INET6, SOCK_STREAM, 0, "tcp6" },
		{ PV_PROTO_UDP, AF_INET, SOCK_DGRAM, 0, "udp" },
		{ PV_PROTO_UDP, AF_INET6, SOCK_DGRAM, 0, "udp6" },
		{ PV_PROTO_UDPLITE, AF_INET, SOCK_DGRAM, IPPROTO_UDPLITE, "udplite" },
		{ PV_PROTO_UDPLITE, AF_INET6, SOCK_DGRAM, IPPROTO_UDPLITE, "udplite6" },
		{ PV_PROTO_RAW, AF_INET, SOCK_RAW, 89, "raw" },
		{ PV_PROTO_RAW, AF_INET6, SOCK_RAW, 89, "raw6" },
		{ PV_PROTO_PING, AF_INET, SOCK_DGRAM, IPPROTO_ICMP, "icmp" },
		{ PV_PROTO_PING, AF_INET6, SOCK_DGRAM, IPPROTO_ICMPV6, "icmp6" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		int fd = bound_socket(cases[i].family, cases[i].type, cases[i].protocol);
		bool is_listener = cases[i].proto == PV_PROTO_TCP;
		struct wanted_row w;
		int r;

		if (fd >= 0 && is_listener)
			assert_int_equal(listen(fd, 5), 0);
		r = find_row(cases[i].proto, cases[i].family, fd, &w);
		if (r == 77) {
			print_message("not here: %s\n", cases[i].name);
			close(fd);
			continue;
		}
		assert_int_equal(r, 0);
		assert_int_equal(w.row.state, is_listener ? PV_STATE_LISTEN : PV_STATE_CLOSE);
		assert_int_equal(w.row.uid, geteuid());
		assert_int_equal(w.row.family, cases[i].family);
		if (cases[i].proto == PV_PROTO_RAW)
			assert_int_equal(w.row.protocol, 89);
		else
			assert_int_equal(w.row.local.port, port_of(fd));
		assert_int_equal(w.row.local.addr[0], cases[i].family == AF_INET ? 127 : 0);
		assert_int_equal(w.row.local.addr[15], cases[i].family == AF_INET ? 0 : 1);
		close(fd);
	}
}

static void test_tables_without_port(void **state)
{
	static const char name[] = "\0portavoz test\nline @";
	struct sockaddr_un un = { .sun_family = AF_UNIX };
	struct sockaddr_nl nl = { .nl_family = AF_NETLINK };
	int unix_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int netlink_fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	int packet_fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, htons(ETH_P_LOOP));
	socklen_t len = sizeof(nl);
	struct wanted_row w;

	(void)state;
	memcpy(un.sun_path, name, sizeof(name) - 1);
	assert_int_equal(bind(unix_fd, (struct sockaddr *)&un,
			      offsetof(struct sockaddr_un, sun_path) + sizeof(name) - 1),
			 0);
	assert_int_equal(listen(unix_fd, 1), 0);
	assert_int_equal(find_row(PV_PROTO_UNIX, AF_UNSPEC, unix_fd, &w), 0);
	assert_int_equal(w.row.state, PV_STATE_LISTEN);
	assert_int_equal(w.name_len, sizeof(name) - 1);
	assert_memory_equal(w.name, name, sizeof(name) - 1);

	assert_int_equal(bind(netlink_fd, (struct sockaddr *)&nl, sizeof(nl)), 0);
	assert_int_equal(getsockname(netlink_fd, (struct sockaddr *)&nl, &len), 0);
	assert_int_equal(find_row(PV_PROTO_NETLINK, AF_UNSPEC, netlink_fd, &w), 0);
	assert_int_equal(w.row.local.port, nl.nl_pid);
	assert_int_equal(w.row.protocol, NETLINK_ROUTE);

	if (find_row(PV_PROTO_PACKET, AF_UNSPEC, packet_fd, &w) == 0) {
		assert_int_equal(w.row.local.port, ETH_P_LOOP);
		assert_int_equal(w.row.type, SOCK_DGRAM);
	} else {
		assert_true(packet_fd < 0);
		print_message("not here: packet (needs CAP_NET_RAW)\n");
	}
	close(unix_fd);
	close(netlink_fd);
	if (packet_fd >= 0)
		close(packet_fd);
}

/* The names of this system's own tables. */
struct found_names {
	bool has_loopback, has_root;
};

static int look_for_names(void *userdata, uint32_t id, const char *name)
{
	struct found_names *f = userdata;

	f->has_loopback |= !strcmp(name, "lo") && id > 0;
	f->has_root |= !strcmp(name, "root") && id == 0;
	return 0;
}

static void test_names_live(void **state)
{
	struct tape t = open_live();
	struct found_names f = { 0 };

	(void)state;
	assert_int_equal(procfs_read_ifnames(&t, look_for_names, &f), 0);
	assert_int_equal(procfs_read_users(&t, look_for_names, &f), 0);
	assert_true(f.has_loopback);
	assert_true(f.has_root);
	tape_close(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_process),
		cmocka_unit_test(test_long_cmdline),
		cmocka_unit_test(test_reader_deadline),
		cmocka_unit_test(test_record_replay),
		cmocka_unit_test(test_no_procfs),
		cmocka_unit_test(test_tables),
		cmocka_unit_test(test_tables_without_port),
		cmocka_unit_test(test_names_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
