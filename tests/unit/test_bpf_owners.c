/* SPDX-License-Identifier: MIT */
/*
 * Who holds the sockets, as the owners' iterator tells it, against what the processes know of
 * themselves: threads, dead leaders, pid namespaces, few and no capabilities.
 */
#include "bpf_live.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef CAP_PERFMON
#define CAP_PERFMON 38
#define CAP_BPF 39
#endif

/* Field 22 of /proc/PID/stat. */
static uint64_t start_ticks(pid_t pid)
{
	char path[64], text[1024] = "";
	_cleanup_(cleanup_fd) int fd = -1;
	unsigned long long ticks = 0;
	char *p;

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_true(read(fd, text, sizeof(text) - 1) > 0);
	p = strrchr(text, ')');
	assert_non_null(p);
	for (int i = 0; i < 20; i++) {
		p = strchr(p + 1, ' ');
		assert_non_null(p);
	}
	ticks = strtoull(p, NULL, 10);
	return ticks;
}

static size_t owners_of(const struct rows *rows, pid_t pid, int fd,
			const struct owner_record **ret_last)
{
	size_t n = 0;

	for (size_t i = 0; i < rows->owners.n; i++) {
		const struct owner_record *r = &rows->owners.items[i];

		if (r->pid != pid || (fd >= 0 && r->fd != fd))
			continue;
		n++;
		if (ret_last)
			*ret_last = r;
	}
	return n;
}

static void own_sockets_are_found(void **state)
{
	struct pool pool = { .n = 0 };
	const struct owner_record *r = NULL;
	struct rows rows;
	struct stat st;
	int pair[2], fd;

	(void)state;
	enter_netns();
	fd = listener(&pool, AF_INET6, 1);
	unix_pair(&pool, SOCK_DGRAM, pair);
	keep(&pool, open("/dev/null", O_RDONLY | O_CLOEXEC));
	rows = live_rows(BPF_KIND_OWNERS);
	assert_int_equal(owners_of(&rows, getpid(), -1, NULL), 3);
	assert_int_equal(owners_of(&rows, getpid(), fd, &r), 1);
	assert_int_equal(r->cookie, cookie_of(fd));
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(r->inode, st.st_ino);
	assert_int_equal(r->start_ticks, start_ticks(getpid()));
	assert_int_equal(r->flags, OWNER_COMM_KNOWN);
	assert_memory_equal(r->comm, "test_bpf_owners", 16);
	rows_deinit(&rows);
	pool_deinit(&pool);
}

/* A child process that runs `work`, writes a byte when it is ready, and waits to be killed. */
struct child {
	pid_t pid;
	int fd; /* the socket it holds, as it numbers it */
};

struct child_work {
	int ready; /* write an int here */
	int n;	   /* for the work's own use */
};

static struct child start_child(void (*work)(struct child_work *), int n)
{
	struct child child = { .fd = -1 };
	int ends[2];

	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	child.pid = fork();
	assert_true(child.pid >= 0);
	if (child.pid == 0) {
		struct child_work w = { ends[1], n };

		work(&w);
		for (;;)
			pause();
	}
	close(ends[1]);
	assert_int_equal(read(ends[0], &child.fd, sizeof(child.fd)), sizeof(child.fd));
	close(ends[0]);
	return child;
}

static void stop_child(struct child child)
{
	kill(child.pid, SIGKILL);
	waitpid(child.pid, NULL, 0);
}

static void tell(struct child_work *w, int fd)
{
	if (write(w->ready, &fd, sizeof(fd)) != sizeof(fd))
		_exit(1);
}

static void *wait_forever(void *unused)
{
	for (;;)
		pause();
	return unused;
}

static void start_threads(int n)
{
	pthread_attr_t attr;
	pthread_t thread;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, 65536);
	for (int i = 0; i < n; i++)
		if (pthread_create(&thread, &attr, wait_forever, NULL))
			_exit(1);
}

static void *tell_late(void *userdata)
{
	struct child_work *w = userdata;

	usleep(100000); /* until the leader is gone */
	tell(w, w->n);
	return wait_forever(NULL);
}

static void leave_threads(struct child_work *w)
{
	pthread_t thread;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	start_threads(w->n);
	w->n = fd;
	pthread_create(&thread, NULL, tell_late, w);
	pthread_exit(NULL);
}

static void process_without_its_leader_is_found_once(void **state)
{
	struct child child = start_child(leave_threads, 50);
	struct rows rows = live_rows(BPF_KIND_OWNERS);
	const struct owner_record *r = NULL;

	(void)state;
	assert_int_equal(owners_of(&rows, child.pid, child.fd, &r), 1);
	assert_int_equal(r->start_ticks, start_ticks(child.pid));
	assert_memory_equal(r->comm, "test_bpf_owners", 16);
	rows_deinit(&rows);
	stop_child(child);
}

static void *open_apart(void *userdata)
{
	struct child_work *w = userdata;

	if (unshare(CLONE_FILES) < 0)
		_exit(1);
	for (int i = 0; i < 5; i++)
		w->n = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	tell(w, w->n);
	return wait_forever(NULL);
}

static void open_in_thread(struct child_work *w)
{
	pthread_t thread;

	pthread_create(&thread, NULL, open_apart, w);
	wait_forever(NULL);
}

static void thread_with_its_own_files_is_found(void **state)
{
	struct child child = start_child(open_in_thread, 0);
	struct rows rows = live_rows(BPF_KIND_OWNERS);

	(void)state;
	assert_int_equal(owners_of(&rows, child.pid, child.fd, NULL), 1);
	assert_int_equal(owners_of(&rows, child.pid, -1, NULL), 5);
	rows_deinit(&rows);
	stop_child(child);
}

static void many_threads(struct child_work *w)
{
	int fd = -1;

	for (int i = 0; i < 100; i++)
		fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	start_threads(w->n);
	tell(w, fd);
}

static void threads_do_not_multiply_sockets(void **state)
{
	struct child child = start_child(many_threads, 2000);
	struct rows rows = live_rows(BPF_KIND_OWNERS);

	(void)state;
	assert_int_equal(owners_of(&rows, child.pid, -1, NULL), 100);
	rows_deinit(&rows);
	stop_child(child);
}

static void all_holders_are_found(void **state)
{
	struct pool pool = { .n = 0 };
	struct child children[20];
	int fd = bound(&pool, AF_INET, SOCK_DGRAM);
	uint64_t cookie = cookie_of(fd);
	struct rows rows;
	size_t n = 0;

	(void)state;
	for (size_t i = 0; i < 20; i++)
		children[i] = start_child(many_threads, 1);
	rows = live_rows(BPF_KIND_OWNERS);
	for (size_t i = 0; i < rows.owners.n; i++)
		n += rows.owners.items[i].cookie == cookie;
	assert_int_equal(n, 21);
	for (size_t i = 0; i < 20; i++)
		stop_child(children[i]);
	rows_deinit(&rows);
	pool_deinit(&pool);
}

/* As process 1 of a pid namespace: we have that number, and nobody outside has one. */
static int check_as_first(void)
{
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct tape tape = TAPE_INIT;
	struct rows rows;

	if (live_read(&tape, BPF_KIND_OWNERS, &rows) < 0)
		return 1;
	for (size_t i = 0; i < rows.owners.n; i++)
		if (rows.owners.items[i].pid != 1)
			return 2;
	return owners_of(&rows, 1, fd, NULL) == 1 ? 0 : 3;
}

static int check_in_pid_namespace(void)
{
	return unshare(CLONE_NEWPID) < 0 ? 1 : in_child(check_as_first);
}

static void numbers_are_those_of_the_reader_s_pid_namespace(void **state)
{
	struct pool pool = { .n = 0 };

	(void)state;
	bound(&pool, AF_INET, SOCK_DGRAM);
	assert_int_equal(in_child(check_in_pid_namespace), 0);
	pool_deinit(&pool);
}

static int check_bpf_caps(void)
{
	struct tape tape = TAPE_INIT;
	struct rows rows;
	size_t n;

	if (live_read(&tape, BPF_KIND_OWNERS, &rows) < 0)
		return 1;
	n = owners_of(&rows, getppid(), -1, NULL); /* other processes come and go */
	if (!n || set_caps(UINT64_C(1) << CAP_BPF | UINT64_C(1) << CAP_PERFMON) < 0)
		return 2;
	for (int kind = 0; kind < BPF_KIND_N; kind++)
		if (live_read(&tape, (enum bpf_iter_kind)kind, &rows) < 0)
			return 3 + kind;
	if (live_read(&tape, BPF_KIND_OWNERS, &rows) < 0)
		return 9;
	return owners_of(&rows, getppid(), -1, NULL) == n ? 0 : 10;
}

static void two_capabilities_are_enough(void **state)
{
	struct pool pool = { .n = 0 };

	(void)state;
	bound(&pool, AF_INET, SOCK_DGRAM);
	assert_int_equal(in_child(check_bpf_caps), 0);
	pool_deinit(&pool);
}

/* In a namespace of its own: leaves it, and keeps a socket and a descriptor of it. */
static int check_namespaces(void)
{
	int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC), fd, sock;
	struct tape tape = TAPE_INIT;
	unsigned n_self = 0, n_socket = 0;
	struct rows rows;
	struct stat st;

	if (unshare(CLONE_NEWNET) < 0)
		return 1;
	fd = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* one of another kind is none of a network */
	if (sock < 0 || open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC) < 0 || fstat(fd, &st) < 0 ||
	    setns(home, CLONE_NEWNET) < 0)
		return 2;
	if (live_read(&tape, BPF_KIND_NETNS, &rows) < 0)
		return 3;
	for (size_t i = 0; i < rows.owners.n; i++) {
		const struct owner_record *r = &rows.owners.items[i];

		if (!(r->flags & OWNER_NETNS))
			return 4;
		if (r->inode != st.st_ino)
			continue;
		if (r->pid != getpid())
			return 5;
		n_socket += r->flags & OWNER_NETNS_SOCKET && r->fd == sock;
		n_self += !(r->flags & OWNER_NETNS_SOCKET) && r->fd == fd;
	}
	return n_self == 1 && n_socket == 1 ? 0 : 6;
}

static void namespaces_of_descriptors_are_found_once(void **state)
{
	(void)state;
	assert_int_equal(in_child(check_namespaces), 0);
}

static int check_no_caps(void)
{
	struct tape tape = TAPE_INIT;
	struct rows rows;

	if (set_caps(0) < 0)
		return 1;
	for (int kind = 0; kind < BPF_KIND_N; kind++)
		if (live_read(&tape, (enum bpf_iter_kind)kind, &rows) != -EPERM)
			return 2 + kind;
	return 0;
}

static void without_privilege_it_is_eperm(void **state)
{
	(void)state;
	assert_int_equal(in_child(check_no_caps), 0);
	assert_non_null(strstr(bpf_cause(-EPERM), "CAP_BPF"));
}

static void no_descriptor_is_left_open(void **state)
{
	int before = dup(0), after;

	(void)state;
	close(before);
	for (int kind = 0; kind < BPF_KIND_N; kind++) {
		struct rows rows = live_rows((enum bpf_iter_kind)kind);

		rows_deinit(&rows);
	}
	after = dup(0);
	assert_int_equal(after, before);
	close(after);
}

static int run_all(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(own_sockets_are_found),
		cmocka_unit_test(process_without_its_leader_is_found_once),
		cmocka_unit_test(thread_with_its_own_files_is_found),
		cmocka_unit_test(threads_do_not_multiply_sockets),
		cmocka_unit_test(all_holders_are_found),
		cmocka_unit_test(numbers_are_those_of_the_reader_s_pid_namespace),
		cmocka_unit_test(two_capabilities_are_enough),
		cmocka_unit_test(namespaces_of_descriptors_are_found_once),
		cmocka_unit_test(without_privilege_it_is_eperm),
		cmocka_unit_test(no_descriptor_is_left_open),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

int main(void)
{
	return live_main(run_all);
}
