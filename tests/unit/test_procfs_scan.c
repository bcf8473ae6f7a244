/* SPDX-License-Identifier: MIT */
/*
 * The scan of /proc on the running kernel: every way to hold a socket that a file table shows, and
 * every way in which looking can fail.
 */
#include "procfs_live.h"

#include <pthread.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "procfs/sysctl.h"

#define NOBODY 65534

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

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sparse),	       cmocka_unit_test(test_record_members),
		cmocka_unit_test(test_thread_table),   cmocka_unit_test(test_leader_gone),
		cmocka_unit_test(test_many_threads),   cmocka_unit_test(test_storm),
		cmocka_unit_test(test_moving),	       cmocka_unit_test(test_limits),
		cmocka_unit_test(test_unprivileged),   cmocka_unit_test(test_hidepid),
		cmocka_unit_test(test_callback_error),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
