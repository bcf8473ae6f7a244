/* SPDX-License-Identifier: MIT */
/*
 * The scan of /proc and the reading of processes on the running kernel: every way to hold a socket
 * that a file table shows, and every way in which looking can fail.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <portavoz/snapshot.h>

#include "base/vec.h"
#include "procfs/nettables.h"
#include "procfs/process.h"
#include "procfs/reader.h"
#include "procfs/scan.h"
#include "procfs/sysctl.h"
#include "procfs/users.h"

#define NOBODY 65534

typedef VEC(struct owner_record) record_vec;

static int keep_record(void *userdata, const struct owner_record *r)
{
	record_vec *v = userdata;

	return vec_push(v, *r);
}

static int scan(struct tape *t, const struct procfs_scan_options *o, record_vec *v,
		struct procfs_scan_stats *stats)
{
	*v = (record_vec){ 0 };
	return procfs_scan_owners(t, o, keep_record, v, stats);
}

static struct tape open_live(void)
{
	struct tape t;

	assert_int_equal(tape_open(&t, NULL, NULL), 0);
	return t;
}

static size_t count_of(const record_vec *v, pid_t pid)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		n += v->items[i].pid == pid;
	return n;
}

static uint32_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return (uint32_t)st.st_ino;
}

static bool has(const record_vec *v, pid_t pid, int fd, uint32_t inode)
{
	for (size_t i = 0; i < v->n; i++)
		if (v->items[i].pid == pid && v->items[i].fd == fd && v->items[i].inode == inode)
			return true;
	return false;
}

/* A child that runs a set-up, reports the inodes it made, and waits to be killed. */
struct child {
	pid_t pid;
	int pipe;
};

static struct child start(void (*run)(int out))
{
	struct child c;
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	c.pid = fork();
	assert_true(c.pid >= 0);
	if (c.pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fds[0]);
		run(fds[1]);
		_exit(99);
	}
	close(fds[1]);
	c.pipe = fds[0];
	return c;
}

static uint32_t next_inode(const struct child *c)
{
	uint32_t inode = 0;

	assert_int_equal(read(c->pipe, &inode, sizeof(inode)), sizeof(inode));
	return inode;
}

static void stop(struct child *c)
{
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
	close(c->pipe);
}

/* For children: a socket at that descriptor number, told to the parent. */
static void make_socket(int out, int at)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	struct stat st;
	uint32_t inode;

	if (fd < 0 || (at != fd && (dup2(fd, at) < 0 || close(fd) < 0)) || fstat(at, &st) < 0)
		_exit(98);
	inode = (uint32_t)st.st_ino;
	if (write(out, &inode, sizeof(inode)) != sizeof(inode))
		_exit(97);
}

static void wait_for_death(void)
{
	for (;;)
		pause();
}

/* Dense, far apart, every other one, and a name that closes its parenthesis. */
static const int places[] = { 100, 101, 103, 105, 107, 109, 111, 500, 1000, 4095 };
#define N_PLACES (sizeof(places) / sizeof(*places))

static void run_sparse(int out)
{
	prctl(PR_SET_NAME, "a) Z 1 (\n\x1b[m");
	for (size_t i = 0; i < N_PLACES; i++)
		make_socket(out, places[i]);
	wait_for_death();
}

static void test_sparse(void **state)
{
	struct child c = start(run_sparse);
	struct tape t = open_live();
	uint32_t inodes[N_PLACES];

	(void)state;
	for (size_t i = 0; i < N_PLACES; i++)
		inodes[i] = next_inode(&c);
	for (unsigned workers = 1; workers <= 2; workers++) {
		struct procfs_scan_options o = { .n_workers = workers };
		struct procfs_scan_stats stats;
		record_vec v;

		assert_int_equal(scan(&t, &o, &v, &stats), 0);
		assert_int_equal(count_of(&v, c.pid), N_PLACES);
		for (size_t i = 0; i < N_PLACES; i++)
			assert_true(has(&v, c.pid, places[i], inodes[i]));
		assert_int_equal(stats.n_sockets, v.n);
		vec_deinit(&v);
	}
	stop(&c);
	tape_close(&t);
}

static void test_record_members(void **state)
{
	struct child c = start(run_sparse);
	struct tape t = open_live();
	struct procfs_scan_options o = { 0 };
	struct procfs_scan_stats stats;
	struct procfs_process p;
	record_vec v;

	(void)state;
	for (size_t i = 0; i < 10; i++)
		next_inode(&c);
	procfs_process_init(&p);
	assert_int_equal(procfs_process_read(&t, c.pid, 0, 0, &p), 0);
	assert_int_equal(scan(&t, &o, &v, &stats), 0);
	assert_int_equal(count_of(&v, c.pid), 10);
	assert_true(stats.n_holders >= 1);
	for (size_t i = 0; i < v.n; i++) {
		if (v.items[i].pid != c.pid)
			continue;
		assert_int_equal(v.items[i].flags, OWNER_COMM_KNOWN);
		assert_true(v.items[i].start_ticks == p.stat.start_ticks);
		assert_memory_equal(v.items[i].comm, "a) Z 1 (\n\x1b[m", 13);
		assert_true(v.items[i].cookie == 0);
	}
	procfs_process_deinit(&p);
	vec_deinit(&v);
	stop(&c);
	tape_close(&t);
}

/* One thread holds the leader's table, one a copy of it with a socket more. */
static int own_out;

static void *own_table(void *userdata)
{
	(void)userdata;
	if (unshare(CLONE_FILES) < 0)
		_exit(96);
	make_socket(own_out, 60);
	wait_for_death();
	return NULL;
}

static void *same_table(void *userdata)
{
	(void)userdata;
	wait_for_death();
	return NULL;
}

static void start_thread(void *(*run)(void *))
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 64 * 1024);
	if (pthread_create(&thread, &attr, run, NULL) != 0)
		_exit(95);
	pthread_attr_destroy(&attr);
}

static void run_own_table(int out)
{
	own_out = out;
	make_socket(out, 50);
	start_thread(same_table);
	start_thread(own_table);
	wait_for_death();
}

static void test_thread_table(void **state)
{
	struct child c = start(run_own_table);
	uint32_t shared = next_inode(&c), own = next_inode(&c);
	struct tape t = open_live();
	struct procfs_scan_options o = { 0 };
	struct procfs_scan_stats stats;
	record_vec v;

	(void)state;
	assert_int_equal(scan(&t, &o, &v, &stats), 0);
	/* the copy holds the shared socket under the same number: one holder */
	assert_int_equal(count_of(&v, c.pid), 2);
	assert_true(has(&v, c.pid, 50, shared));
	assert_true(has(&v, c.pid, 60, own));
	assert_true(stats.n_thread_tables >= 1);
	vec_deinit(&v);
	o.threads = PROCFS_THREADS_NONE;
	assert_int_equal(scan(&t, &o, &v, &stats), 0);
	assert_int_equal(count_of(&v, c.pid), 1);
	assert_true(stats.n_threads_skipped >= 1);
	vec_deinit(&v);
	stop(&c);
	tape_close(&t);
}

static void run_leader_gone(int out)
{
	start_thread(same_table);
	start_thread(same_table);
	make_socket(out, 50);
	syscall(SYS_exit, 0);
}

static void wait_for_state(struct tape *t, pid_t pid, char wanted)
{
	struct procfs_process p;

	procfs_process_init(&p);
	for (int i = 0; i < 1000 && p.stat.state != wanted; i++) {
		usleep(1000);
		assert_int_equal(procfs_process_read(t, pid, 0, 0, &p), 0);
	}
	assert_int_equal(p.stat.state, wanted);
	procfs_process_deinit(&p);
}

static void test_leader_gone(void **state)
{
	struct child c = start(run_leader_gone);
	uint32_t inode = next_inode(&c);
	struct tape t = open_live();
	struct procfs_scan_options o = { 0 };
	struct procfs_scan_stats stats;
	record_vec v;

	(void)state;
	wait_for_state(&t, c.pid, 'Z');
	assert_int_equal(scan(&t, &o, &v, &stats), 0);
	assert_int_equal(count_of(&v, c.pid), 1);
	assert_true(has(&v, c.pid, 50, inode));
	vec_deinit(&v);
	stop(&c);
	tape_close(&t);
}

static void run_many_threads(int out)
{
	for (int i = 0; i < 100; i++)
		make_socket(out, 50 + i);
	for (int i = 0; i < 2000; i++)
		start_thread(same_table);
	make_socket(out, 40);
	wait_for_death();
}

static void test_many_threads(void **state)
{
	struct child c = start(run_many_threads);
	struct tape t = open_live();
	struct procfs_scan_options o = { 0 };
	struct procfs_scan_stats stats;
	record_vec v;

	(void)state;
	for (int i = 0; i < 101; i++)
		next_inode(&c);
	assert_int_equal(scan(&t, &o, &v, &stats), 0);
	assert_int_equal(count_of(&v, c.pid), 101);
	vec_deinit(&v);
	stop(&c);
	tape_close(&t);
}

static void run_storm(int out)
{
	make_socket(out, 50);
	for (int i = 0; i < 3000; i++) {
		pid_t pid = fork();

		if (pid == 0) {
			socket(AF_UNIX, SOCK_DGRAM, 0);
			_exit(0);
		}
		if (i % 8 == 7)
			while (waitpid(-1, NULL, 0) > 0)
				;
	}
	while (waitpid(-1, NULL, 0) > 0)
		;
	make_socket(out, 51);
	wait_for_death();
}

/* What lasts is found in every scan, whatever comes and goes beside it. */
static void test_storm(void **state)
{
	struct child c = start(run_storm);
	uint32_t inode = next_inode(&c);
	struct tape t = open_live();

	(void)state;
	for (int i = 0; i < 30; i++) {
		struct procfs_scan_options o = { .n_workers = 1 + (unsigned)i % 2 };
		struct procfs_scan_stats stats;
		record_vec v;

		assert_int_equal(scan(&t, &o, &v, &stats), 0);
		assert_true(has(&v, c.pid, 50, inode));
		for (size_t k = 0; k < v.n; k++)
			assert_int_equal(v.items[k].flags, OWNER_COMM_KNOWN);
		vec_deinit(&v);
	}
	stop(&c);
	tape_close(&t);
}

/* A descriptor that stays is seen although those below it come and go. */
static void run_moving(int out)
{
	make_socket(out, 300);
	for (;;) {
		int fds[60];

		for (int i = 0; i < 60; i++)
			fds[i] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		for (int i = 0; i < 60; i++)
			close(fds[(i * 7) % 60]);
	}
}

static void test_moving(void **state)
{
	struct child c = start(run_moving);
	uint32_t inode = next_inode(&c);
	struct tape t = open_live();
	struct procfs_scan_options o = { 0 };

	(void)state;
	for (int i = 0; i < 50; i++) {
		struct procfs_scan_stats stats;
		record_vec v;

		assert_int_equal(scan(&t, &o, &v, &stats), 0);
		assert_int_equal(count_of(&v, c.pid), 1);
		assert_true(has(&v, c.pid, 300, inode));
		vec_deinit(&v);
	}
	stop(&c);
	tape_close(&t);
}

/* Runs in a child so that limits, users and mounts stay there; the verdict is its exit status. */
static void assert_in_child(int (*check)(void))
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(check());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* The list is whole, or what is missing is counted. */
static int check_limit(rlim_t limit, bool may_be_whole)
{
	struct rlimit r = { limit, limit };
	struct procfs_scan_options o = { 0 };
	struct procfs_scan_stats stats;
	struct tape t;
	record_vec v;
	int fd, result;

	if (tape_open(&t, NULL, NULL) < 0)
		return 1;
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (fd < 0 || setrlimit(RLIMIT_NOFILE, &r) < 0)
		return 2;
	result = scan(&t, &o, &v, &stats);
	if (result == -EMFILE)
		return may_be_whole ? 3 : 0;
	if (result < 0)
		return 4;
	return has(&v, getpid(), fd, inode_of(fd)) || stats.n_limited ? 0 : 5;
}

static int check_limit_16(void)
{
	for (int fd = 3; fd < 16; fd++)
		close(fd);
	return check_limit(16, true);
}

static int check_limit_tight(void)
{
	int top = dup(0);

	if (top < 0)
		return 6;
	/* the tape and the socket take two; one is left for the list of processes */
	return check_limit((rlim_t)top + 4, false);
}

static int check_limit_none(void)
{
	int top = dup(0);

	return top < 0 ? 6 : check_limit((rlim_t)top + 3, false);
}

static void test_limits(void **state)
{
	(void)state;
	assert_in_child(check_limit_16);
	assert_in_child(check_limit_tight);
	assert_in_child(check_limit_none);
}

static int become_nobody(void)
{
	if (setresgid(NOBODY, NOBODY, NOBODY) < 0 || setresuid(NOBODY, NOBODY, NOBODY) < 0) {
		fprintf(stderr, "skipped: cannot become another user: %s\n", strerror(errno));
		return -1;
	}
	/* a change of user makes a process unreadable to itself */
	prctl(PR_SET_DUMPABLE, 1);
	return 0;
}

static int check_unprivileged(void)
{
	struct procfs_scan_options o = { 0 };
	struct procfs_scan_stats stats;
	struct procfs_process p;
	struct tape t;
	record_vec v;
	int fd;

	if (tape_open(&t, NULL, NULL) < 0)
		return 1;
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (become_nobody() < 0)
		return 77;
	if (scan(&t, &o, &v, &stats) < 0)
		return 2;
	if (!has(&v, getpid(), fd, inode_of(fd)))
		return 3;
	/* our parent is root's; kernel threads have nothing to hide */
	if (stats.n_denied == 0 || stats.n_denied > stats.n_processes - 1)
		return 4;
	procfs_process_init(&p);
	if (procfs_process_read(&t, getppid(), 0, PV_NEED_ALL, &p) != 0)
		return 5;
	if (p.exe_error != -EACCES || p.uid != 0 || p.exe.len || !p.cmdline.len)
		return 6;
	procfs_process_deinit(&p);
	vec_deinit(&v);
	tape_close(&t);
	return 0;
}

static void test_unprivileged(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: needs root to become nobody\n");
		skip();
	}
	assert_in_child(check_unprivileged);
}

static int check_hidepid(void)
{
	struct procfs_scan_options o = { 0 };
	struct procfs_scan_stats stats;
	struct procfs_view view;
	struct tape t;
	record_vec v;
	int fd;

	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 ||
	    mount("proc", "/proc", "proc", 0, "hidepid=2") < 0) {
		fprintf(stderr, "skipped: cannot mount /proc: %s\n", strerror(errno));
		return 77;
	}
	if (tape_open(&t, NULL, NULL) < 0)
		return 1;
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	if (procfs_read_view(&t, &view) < 0 || view.mount.hidepid != PROCFS_HIDEPID_INVISIBLE)
		return 2;
	if (!view.is_caps_known || !view.caps || !view.netns || !view.pidns)
		return 3;
	if (become_nobody() < 0)
		return 77;
	if (scan(&t, &o, &v, &stats) < 0 || !has(&v, getpid(), fd, inode_of(fd)))
		return 4;
	/* nothing is denied, for nothing is seen: only the mount tells */
	if (stats.n_denied || count_of(&v, getppid()) || stats.n_processes > 20)
		return 5;
	if (procfs_read_view(&t, &view) < 0 || view.caps || view.mount.hidepid != 2)
		return 6;
	vec_deinit(&v);
	tape_close(&t);
	return 0;
}

static void test_hidepid(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		print_message("skipped: needs root to mount /proc\n");
		skip();
	}
	assert_in_child(check_hidepid);
}

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
	/* the pipe closes when exec is through */
	assert_int_equal(read(c.pipe, &end, 1), 0);
	procfs_process_init(&p);
	assert_int_equal(procfs_process_read(&t, c.pid, 0, PV_NEED_CMDLINE, &p), 0);
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
	struct procfs_table_stats tables[PV_PROTO_N];
	int table_results[PV_PROTO_N];
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
	for (int i = 0; i < PV_PROTO_N; i++)
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

static int stop_after_three(void *userdata, const struct owner_record *r)
{
	(void)r;
	return ++*(int *)userdata == 3 ? -ECANCELED : 0;
}

/* An error of the callback ends the scan at once and is passed on. */
static void test_callback_error(void **state)
{
	struct child c = start(run_sparse);
	struct tape t = open_live();
	struct procfs_scan_stats stats;

	(void)state;
	for (int i = 0; i < 10; i++)
		next_inode(&c);
	for (unsigned workers = 1; workers <= 2; workers++) {
		struct procfs_scan_options o = { .n_workers = workers };
		int n = 0;

		assert_int_equal(procfs_scan_owners(&t, &o, stop_after_three, &n, &stats),
				 -ECANCELED);
		assert_int_equal(n, 3);
	}
	stop(&c);
	tape_close(&t);
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
		cmocka_unit_test(test_sparse),		cmocka_unit_test(test_record_members),
		cmocka_unit_test(test_thread_table),	cmocka_unit_test(test_leader_gone),
		cmocka_unit_test(test_many_threads),	cmocka_unit_test(test_storm),
		cmocka_unit_test(test_moving),		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_unprivileged),	cmocka_unit_test(test_hidepid),
		cmocka_unit_test(test_process),		cmocka_unit_test(test_long_cmdline),
		cmocka_unit_test(test_reader_deadline), cmocka_unit_test(test_record_replay),
		cmocka_unit_test(test_callback_error),	cmocka_unit_test(test_no_procfs),
		cmocka_unit_test(test_names_live),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
