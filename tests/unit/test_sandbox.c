/* SPDX-License-Identifier: MIT */
/* The sandbox from inside: what still works, what ends the child, who it is. */
#include "../../cli/sandbox.c"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

static int body_return(void *userdata, volatile uint64_t *position)
{
	*position = 7;
	return *(int *)userdata;
}

static int body_open(void *userdata, volatile uint64_t *position)
{
	(void)userdata;
	*position = 42;
	return open("/etc/passwd", O_RDONLY | O_CLOEXEC) >= 0 ? 10 : 11;
}

static int body_create(void *userdata, volatile uint64_t *position)
{
	(void)userdata, (void)position;
	return open("/tmp/sandbox-test", O_WRONLY | O_CREAT | O_CLOEXEC, 0600) >= 0 ? 10 : 11;
}

static int body_socket(void *userdata, volatile uint64_t *position)
{
	(void)userdata, (void)position;
	return socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0) >= 0 ? 10 : 11;
}

static int body_exec(void *userdata, volatile uint64_t *position)
{
	(void)userdata, (void)position;
	execl("/bin/true", "true", (char *)NULL);
	return 11;
}

static int body_fork(void *userdata, volatile uint64_t *position)
{
	pid_t pid = fork();

	(void)userdata, (void)position;
	if (pid == 0)
		_exit(0);
	return pid > 0 ? 10 : 11;
}

static int body_kill(void *userdata, volatile uint64_t *position)
{
	(void)userdata, (void)position;
	return kill(getppid(), 0) == 0 ? 10 : 11;
}

static int body_make_executable(void *userdata, volatile uint64_t *position)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)userdata, (void)position;
	return mprotect(p, 4096, PROT_READ | PROT_EXEC) == 0 ? 10 : 11;
}

static void *add_one(void *number)
{
	++*(int *)number;
	return NULL;
}

/* Memory, threads and the descriptors that are open. */
static int body_work(void *userdata, volatile uint64_t *position)
{
	const int *pipes = userdata;
	char *memory = malloc(1 << 22), line[4];
	pthread_t thread;
	int number = 1;

	(void)position;
	if (!memory)
		return 20;
	memset(memory, 1, 1 << 22);
	free(memory);
	if (pthread_create(&thread, NULL, add_one, &number) != 0 ||
	    pthread_join(thread, NULL) != 0 || number != 2)
		return 21;
	if (read(pipes[0], line, sizeof(line)) != 4 || memcmp(line, "ping", 4) != 0)
		return 22;
	return write(pipes[3], "pong", 4) == 4 ? 0 : 23;
}

/* Waits until the parent has looked at it, which it asks for on the second pipe. */
static int body_wait(void *userdata, volatile uint64_t *position)
{
	const int *pipes = userdata;
	pid_t self = getpid();
	char byte;

	(void)position;
	return write(pipes[3], &self, sizeof(self)) == sizeof(self) && read(pipes[0], &byte, 1) == 1
		       ? 0
		       : 24;
}

static void test_returns_status_and_position(void **state)
{
	struct sandbox_end end;
	int status = 5;

	(void)state;
	assert_int_equal(sandbox_run(body_return, &status, NULL, &end), 0);
	assert_int_equal(end.status, 5);
	assert_int_equal(end.signal, 0);
	assert_int_equal(end.position, 7);
}

static void test_what_ends_it(void **state)
{
	static const sandbox_body bodies[] = { body_open,	    body_create, body_socket,
					       body_exec,	    body_fork,	 body_kill,
					       body_make_executable };
	struct sandbox_end end;

	(void)state;
	for (size_t i = 0; i < sizeof(bodies) / sizeof(*bodies); i++) {
		print_message("body %zu\n", i);
		assert_int_equal(sandbox_run(bodies[i], NULL, NULL, &end), 0);
		assert_int_equal(end.status, -1);
		assert_int_equal(end.signal, SIGSYS);
		assert_int_equal(end.position, i == 0 ? 42 : 0);
	}
	assert_int_equal(access("/tmp/sandbox-test", F_OK), -1);
}

static void open_pipes(int pipes[static 4])
{
	assert_int_equal(pipe2(pipes, O_CLOEXEC), 0);
	assert_int_equal(pipe2(pipes + 2, O_CLOEXEC), 0);
}

static void close_pipes(int pipes[static 4])
{
	for (int i = 0; i < 4; i++)
		close(pipes[i]);
}

static void test_what_remains(void **state)
{
	struct sandbox_end end;
	char line[4];
	int pipes[4];

	(void)state;
	open_pipes(pipes);
	assert_int_equal(write(pipes[1], "ping", 4), 4);
	assert_int_equal(sandbox_run(body_work, pipes, NULL, &end), 0);
	assert_int_equal(end.signal, 0);
	assert_int_equal(end.status, 0);
	assert_int_equal(read(pipes[2], line, 4), 4);
	assert_memory_equal(line, "pong", 4);
	close_pipes(pipes);
}

struct look {
	int *pipes;
	char text[4096];
};

static void *look_at_child(void *userdata)
{
	struct look *look = userdata;
	char path[64];
	pid_t child = 0;
	FILE *f;

	if (read(look->pipes[2], &child, sizeof(child)) != sizeof(child))
		return NULL;
	snprintf(path, sizeof(path), "/proc/%d/status", (int)child);
	f = fopen(path, "re");
	if (f) {
		look->text[fread(look->text, 1, sizeof(look->text) - 1, f)] = '\0';
		fclose(f);
	}
	(void)!write(look->pipes[1], "x", 1);
	return NULL;
}

static void test_who_it_is(void **state)
{
	struct look look = { 0 };
	struct sandbox_end end;
	pthread_t thread;
	int pipes[4];

	(void)state;
	open_pipes(pipes);
	look.pipes = pipes;
	assert_int_equal(pthread_create(&thread, NULL, look_at_child, &look), 0);
	assert_int_equal(sandbox_run(body_wait, pipes, NULL, &end), 0);
	pthread_join(thread, NULL);
	assert_int_equal(end.status, 0);
	assert_non_null(strstr(look.text, "NoNewPrivs:\t1\n"));
	assert_non_null(strstr(look.text, "Seccomp:\t2\n"));
	assert_non_null(strstr(look.text, "CapPrm:\t0000000000000000\n"));
	assert_non_null(strstr(look.text, "CapEff:\t0000000000000000\n"));
	if (geteuid() == 0) {
		assert_non_null(strstr(look.text, "Uid:\t65534\t65534\t65534\t65534\n"));
		assert_non_null(strstr(look.text, "Gid:\t65534\t65534\t65534\t65534\n"));
		assert_non_null(strstr(look.text, "Groups:\t \n"));
		assert_non_null(strstr(look.text, "CapBnd:\t0000000000000000\n"));
	}
	close_pipes(pipes);
}

/* ---- where something is missing ---- */

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), r;

	r = fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text) ? 0 : -1;
	if (fd >= 0)
		close(fd);
	return r;
}

/* As `unshare -r`: this user is root, and no other one can be become. */
static int become_root_of_nothing(bool has_setgroups)
{
	char uid_map[32], gid_map[32];
	int to_parent[2], to_child[2], status;
	pid_t helper;
	char byte;

	snprintf(uid_map, sizeof(uid_map), "0 %d 1", (int)geteuid());
	snprintf(gid_map, sizeof(gid_map), "0 %d 1", (int)getegid());
	if (!has_setgroups) /* who may map himself alone has to renounce setgroups(2) */
		return unshare(CLONE_NEWUSER) < 0 || write_file("/proc/self/setgroups", "deny") ||
				       write_file("/proc/self/uid_map", uid_map) ||
				       write_file("/proc/self/gid_map", gid_map)
			       ? -1
			       : 0;
	if (pipe2(to_parent, O_CLOEXEC) < 0 || pipe2(to_child, O_CLOEXEC) < 0)
		return -1;
	helper = fork();
	if (helper == 0) {
		char path[2][64];

		snprintf(path[0], sizeof(path[0]), "/proc/%d/uid_map", (int)getppid());
		snprintf(path[1], sizeof(path[1]), "/proc/%d/gid_map", (int)getppid());
		_exit(read(to_child[0], &byte, 1) != 1 || write_file(path[0], uid_map) ||
		      write_file(path[1], gid_map));
	}
	if (helper < 0 || unshare(CLONE_NEWUSER) < 0 || write(to_child[1], "x", 1) != 1 ||
	    waitpid(helper, &status, 0) != helper)
		return -1;
	return status;
}

/* What a process that is prepared so sees of a sandbox it runs. */
struct seen {
	int prepared, r, status;
	char text[4096];
};

static void see_from_other(int (*prepare)(void), struct seen *ret)
{
	struct look look = { 0 };
	struct sandbox_end end = { 0 };
	int result[2], pipes[4];
	pthread_t thread;
	pid_t pid;

	memset(ret, 0, sizeof(*ret));
	assert_int_equal(pipe2(result, O_CLOEXEC), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		alarm(20);
		look.pipes = pipes;
		ret->prepared = prepare();
		if (ret->prepared == 0 && pipe2(pipes, O_CLOEXEC) == 0 &&
		    pipe2(pipes + 2, O_CLOEXEC) == 0 &&
		    pthread_create(&thread, NULL, look_at_child, &look) == 0) {
			ret->r = sandbox_run(body_wait, pipes, NULL, &end);
			close(pipes[3]);
			pthread_join(thread, NULL);
			ret->status = end.signal ? -end.signal : end.status;
			memcpy(ret->text, look.text, sizeof(ret->text));
		}
		_exit(write(result[1], ret, sizeof(*ret)) != sizeof(*ret));
	}
	close(result[1]);
	assert_int_equal(read(result[0], ret, sizeof(*ret)), sizeof(*ret));
	close(result[0]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(ret->prepared, 0);
}

static void assert_walls(const struct seen *seen, const char *user, const char *seccomp)
{
	assert_non_null(strstr(seen->text, user));
	assert_non_null(strstr(seen->text, seccomp));
	assert_non_null(strstr(seen->text, "NoNewPrivs:\t1\n"));
	assert_non_null(strstr(seen->text, "CapInh:\t0000000000000000\n"));
	assert_non_null(strstr(seen->text, "CapPrm:\t0000000000000000\n"));
	assert_non_null(strstr(seen->text, "CapEff:\t0000000000000000\n"));
	assert_non_null(strstr(seen->text, "CapBnd:\t0000000000000000\n"));
	assert_non_null(strstr(seen->text, "CapAmb:\t0000000000000000\n"));
	assert_int_equal(seen->status, 0);
}

static int prepare_without_setgroups(void)
{
	return become_root_of_nothing(false);
}

static int prepare_with_setgroups(void)
{
	return become_root_of_nothing(true);
}

/* Root of a user namespace where `nobody` is not: the other walls stand. */
static void test_where_nobody_is_missing(void **state)
{
	struct seen seen;

	(void)state;
	see_from_other(prepare_without_setgroups, &seen);
	assert_int_equal(seen.r, 0);
	assert_walls(&seen, "Uid:\t0\t0\t0\t0\n", "Seccomp:\t2\n");
	if (geteuid() != 0)
		return;
	see_from_other(prepare_with_setgroups, &seen);
	assert_int_equal(seen.r, 0);
	assert_walls(&seen, "Uid:\t0\t0\t0\t0\n", "Seccomp:\t2\n");
	assert_non_null(strstr(seen.text, "Groups:\t \n"));
}

/* Makes a system call fail so, from now on; of prctl(2) one option. */
static int refuse(int call, bool has_option, int option, int error)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
	const struct scmp_arg_cmp is_option = SCMP_A0(SCMP_CMP_EQ, (scmp_datum_t)option);
	int r = filter ? seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((uint32_t)error), call,
						has_option ? 1 : 0, &is_option)
		       : -1;

	r = r == 0 ? seccomp_load(filter) : r;
	seccomp_release(filter);
	return r;
}

/* What a kernel without CONFIG_SECCOMP answers. */
static int prepare_without_seccomp(void)
{
	int r = refuse(SCMP_SYS(prctl), true, PR_SET_SECCOMP, EINVAL);

	return r == 0 ? refuse(SCMP_SYS(seccomp), false, 0, ENOSYS) : r;
}

static int prepare_invalid_landlock(void)
{
	return refuse(SCMP_SYS(landlock_restrict_self), false, 0, EINVAL);
}

static int prepare_invalid_seccomp(void)
{
	return refuse(SCMP_SYS(seccomp), true, SECCOMP_SET_MODE_FILTER, EINVAL);
}

static int prepare_invalid_capset(void)
{
	return refuse(SCMP_SYS(capset), false, 0, EINVAL);
}

static int prepare_no_more_processes(void)
{
	return refuse(SCMP_SYS(setresuid), false, 0, EAGAIN);
}

/* A kernel without filters is told as such, by the one step that knows; the rest is in force. */
static void test_without_seccomp(void **state)
{
	struct seen seen;

	(void)state;
	if (geteuid() != 0)
		skip();
	see_from_other(prepare_without_seccomp, &seen);
	assert_int_equal(seen.r, SANDBOX_UNFILTERED);
	/* 2: of the filter that plays that kernel */
	assert_walls(&seen, "Uid:\t65534\t65534\t65534\t65534\n", "Seccomp_filters:\t2\n");
}

/* Any other wall that is there and cannot be put up: the body does not run. */
static void test_walls_that_fail(void **state)
{
	static const struct {
		int (*prepare)(void);
		int r;
	} cases[] = {
		{ prepare_invalid_landlock, -EINVAL },
		{ prepare_invalid_seccomp, -EINVAL },
		{ prepare_invalid_capset, -EINVAL },
		{ prepare_no_more_processes, -EAGAIN },
	};
	struct seen seen;

	(void)state;
	if (geteuid() != 0 || syscall(SYS_landlock_create_ruleset, NULL, 0, 1U) < 1)
		skip();
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		see_from_other(cases[i].prepare, &seen);
		print_message("case %zu: %d\n", i, seen.r);
		assert_int_equal(seen.r, cases[i].r);
		assert_string_equal(seen.text, "");
	}
}

/* Landlock by itself, which the list of system calls would hide. */
static void test_landlock_alone(void **state)
{
	long abi = syscall(SYS_landlock_create_ruleset, NULL, 0, 1U);
	int status;
	pid_t pid;

	(void)state;
	if (abi < 1) {
		print_message("the kernel lacks Landlock\n");
		skip();
	}
	pid = fork();
	if (pid == 0) {
		int fd = -1;

		if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || forbid_files() != 0)
			_exit(1);
		fd = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
		_exit(fd < 0 && errno == EACCES ? 0 : 2);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static int body_until_term(void *userdata, volatile uint64_t *position)
{
	(void)position;
	(void)!write(((const int *)userdata)[3], "r", 1);
	pause();
	return 0;
}

static void *send_term(void *userdata)
{
	char byte;

	if (read(((const int *)userdata)[2], &byte, 1) == 1)
		kill(getpid(), SIGTERM);
	return NULL;
}

static void test_passes_signals_on(void **state)
{
	struct sandbox_end end;
	pthread_t thread;
	sigset_t term;
	int pipes[4];

	(void)state;
	open_pipes(pipes);
	sigemptyset(&term);
	sigaddset(&term, SIGTERM);
	/* in the helper thread SIGTERM must not be deliverable either */
	pthread_sigmask(SIG_BLOCK, &term, NULL);
	assert_int_equal(pthread_create(&thread, NULL, send_term, pipes), 0);
	pthread_sigmask(SIG_UNBLOCK, &term, NULL);
	assert_int_equal(sandbox_run(body_until_term, pipes, NULL, &end), 0);
	pthread_join(thread, NULL);
	assert_int_equal(end.status, -1);
	assert_int_equal(end.signal, SIGTERM);
	close_pipes(pipes);
}

static size_t serve_twice_as_much(const void *question, size_t len, void *answer, void *userdata)
{
	memcpy(answer, question, len);
	memcpy((char *)answer + len, question, len);
	++*(int *)userdata;
	return 2 * len;
}

static int body_ask(void *userdata, volatile uint64_t *position)
{
	const struct sandbox_service *service = userdata;
	char answer[16];

	(void)position;
	for (int i = 0; i < 3; i++)
		if (write(service->child_fd, "ab", 2) != 2 ||
		    read(service->child_fd, answer, sizeof(answer)) != 4 ||
		    memcmp(answer, "abab", 4) != 0)
			return 30 + i;
	return 0;
}

static void test_serves(void **state)
{
	struct sandbox_service service = { .serve = serve_twice_as_much };
	struct sandbox_end end;
	int questions = 0;

	(void)state;
	service.userdata = &questions;
	assert_int_equal(sandbox_run(body_ask, &service, &service, &end), 0);
	assert_int_equal(end.signal, 0);
	assert_int_equal(end.status, 0);
	assert_int_equal(questions, 3);
}

static size_t serve_no_more(const void *question, size_t len, void *answer, void *userdata)
{
	(void)question, (void)len, (void)answer, (void)userdata;
	return 0;
}

/* A service that is over leaves the child without an answer, not the parent without an end. */
static int body_ask_in_vain(void *userdata, volatile uint64_t *position)
{
	const struct sandbox_service *service = userdata;

	char byte;

	(void)position;
	if (write(service->child_fd, "ab", 2) != 2)
		return 40;
	return read(service->child_fd, &byte, 1) == 0 ? 0 : 41;
}

static void test_serves_no_more(void **state)
{
	struct sandbox_service service = { .serve = serve_no_more };
	struct sandbox_end end;

	(void)state;
	assert_int_equal(sandbox_run(body_ask_in_vain, &service, &service, &end), 0);
	assert_int_equal(end.status, 0);
}

static void *wait_for_byte(void *userdata)
{
	char byte;

	(void)!read(*(const int *)userdata, &byte, 1);
	return NULL;
}

/* SIGCHLD may be taken by any thread that does not block it. */
static void test_ends_beside_other_threads(void **state)
{
	struct sandbox_end end;
	pthread_t thread;
	int pipes[4], status = 6;

	(void)state;
	open_pipes(pipes);
	assert_int_equal(pthread_create(&thread, NULL, wait_for_byte, pipes), 0);
	assert_int_equal(sandbox_run(body_return, &status, NULL, &end), 0);
	assert_int_equal(write(pipes[1], "x", 1), 1);
	pthread_join(thread, NULL);
	assert_int_equal(end.status, 6);
	close_pipes(pipes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_returns_status_and_position),
		cmocka_unit_test(test_what_ends_it),
		cmocka_unit_test(test_what_remains),
		cmocka_unit_test(test_who_it_is),
		cmocka_unit_test(test_where_nobody_is_missing),
		cmocka_unit_test(test_without_seccomp),
		cmocka_unit_test(test_walls_that_fail),
		cmocka_unit_test(test_landlock_alone),
		cmocka_unit_test(test_passes_signals_on),
		cmocka_unit_test(test_serves),
		cmocka_unit_test(test_serves_no_more),
		cmocka_unit_test(test_ends_beside_other_threads),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
