/* SPDX-License-Identifier: MIT */
/*
 * Ten ways to hold a listening socket, ordinary and odd. Prints {"case","port","pids","held"} for
 * each: `pids` are all the processes whose file tables hold the socket; none when it is held
 * without one ("held" is then "no_table").
 */
#include <errno.h>
#include <linux/io_uring.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include "helper.h"

#define N_SHARERS 100

static void report(const char *name, uint16_t port, const pid_t *pids, size_t n)
{
	printf("{\"case\":\"%s\",\"port\":%u,\"held\":\"%s\",\"pids\":[", name, port,
	       n ? "table" : "no_table");
	for (size_t i = 0; i < n; i++)
		printf("%s%d", i ? "," : "", pids[i]);
	printf("]}\n");
}

/* A child runs `body`, which calls tell() when its socket stands. */
static int tell_fd = -1;

static void tell(uint16_t port)
{
	must((int)write(tell_fd, &port, sizeof(port)), "write");
}

static void run_case(const char *name, void (*body)(void), bool has_table)
{
	int ends[2];
	uint16_t port;

	must(pipe2(ends, O_CLOEXEC), "pipe");
	pid_t pid = fork_child();
	if (!pid) {
		close(ends[0]);
		tell_fd = ends[1];
		body();
		for (;;)
			pause();
	}
	close(ends[1]);
	bool told = read(ends[0], &port, sizeof(port)) == sizeof(port);
	close(ends[0]);
	if (told)
		report(name, port, &pid, has_table);
	else
		printf("{\"case\":\"%s\",\"skipped\":true}\n", name);
}

static int listener(void)
{
	return tcp_listener(LOOPBACK, 0, 5);
}

/* the thread goes on after the leader is a zombie; its /proc/PID/fd cannot be read any more */
static void *outlive_leader(void *leader)
{
	pthread_join(*(pthread_t *)leader, NULL);
	tell(port_of(listener()));
	for (;;)
		pause();
	return leader;
}

static void leader_exited(void)
{
	static pthread_t self;
	pthread_t thread;

	self = pthread_self();
	must(-pthread_create(&thread, NULL, outlive_leader, &self), "thread");
	pthread_exit(NULL);
}

static void *own_files(void *arg)
{
	must(unshare(CLONE_FILES), "CLONE_FILES");
	tell(port_of(listener()));
	for (;;)
		pause();
	return arg;
}

static void thread_files(void)
{
	pthread_t thread;

	must(-pthread_create(&thread, NULL, own_files, NULL), "thread");
}

static void send_fd(int via, int fd)
{
	char c = 'x';
	struct iovec iov = { &c, 1 };
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control.bytes,
			      .msg_controllen = sizeof(control.bytes) };
	struct cmsghdr *head = CMSG_FIRSTHDR(&msg);

	head->cmsg_level = SOL_SOCKET;
	head->cmsg_type = SCM_RIGHTS;
	head->cmsg_len = CMSG_LEN(sizeof(int));
	memcpy(CMSG_DATA(head), &fd, sizeof(fd));
	must((int)sendmsg(via, &msg, 0), "sendmsg");
}

static void in_flight(void)
{
	int pair[2], fd = listener();
	uint16_t port = port_of(fd);

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), "socketpair");
	send_fd(pair[0], fd);
	close(fd);
	tell(port);
}

static void io_uring_fixed(void)
{
	struct io_uring_params params = { 0 };
	int ring = (int)syscall(SYS_io_uring_setup, 4, &params);
	int fd = listener();
	uint16_t port = port_of(fd);

	if (ring < 0 || syscall(SYS_io_uring_register, ring, IORING_REGISTER_FILES, &fd, 1) < 0)
		_exit(0);
	close(fd);
	tell(port);
}

static void renaming(void)
{
	tell(port_of(listener()));
	for (unsigned int i = 0;; i++) {
		prctl(PR_SET_NAME, i % 2 ? "rename-odd" : "rename-even");
		usleep(50);
	}
}

static void duplicated(void)
{
	int fd = listener();

	must(dup(fd), "dup");
	must(fcntl(fd, F_DUPFD_CLOEXEC, 500), "dup");
	tell(port_of(fd));
}

/* an image that exists in no directory */
static void memfd_image(void)
{
	int image = must(memfd_create("image", MFD_CLOEXEC), "memfd");
	int self = must(open("/proc/self/exe", O_RDONLY | O_CLOEXEC), "exe");
	char buf[65536], fd_text[16], tell_text[16];
	ssize_t n;

	while ((n = read(self, buf, sizeof(buf))) > 0)
		must((int)write(image, buf, (size_t)n), "write");
	snprintf(fd_text, sizeof(fd_text), "%d", must(dup(listener()), "dup"));
	snprintf(tell_text, sizeof(tell_text), "%d", must(dup(tell_fd), "dup"));
	char *const argv[] = { (char *)"memfd-image", (char *)"--hold", fd_text, tell_text, NULL };
	fexecve(image, argv, environ);
	die("fexecve");
}

static void __attribute__((noreturn)) hold(char **argv)
{
	follow_parent();
	tell_fd = (int)number(argv[3], 1 << 20);
	tell(port_of((int)number(argv[2], 1 << 20)));
	for (;;)
		pause();
}

static void shared_by_many(void)
{
	pid_t pids[N_SHARERS];
	int fd = listener();

	for (size_t i = 0; i < N_SHARERS; i++) {
		pids[i] = fork_child();
		if (!pids[i])
			for (;;)
				pause();
	}
	report("shared-by-100", port_of(fd), pids, N_SHARERS);
	close(fd); /* the parent of all lets go */
}

static int wait_forever(void *arg)
{
	(void)arg;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;)
		pause();
	return 0;
}

/* two processes, one file table: as between vfork() and exec() */
static void shared_table(void)
{
	static char stack[65536] __attribute__((aligned(16)));
	int ends[2];
	struct {
		uint16_t port;
		pid_t other;
	} answer;

	must(pipe2(ends, O_CLOEXEC), "pipe");
	pid_t pid = fork_child();
	if (!pid) {
		answer.port = port_of(listener());
		answer.other = must(clone(wait_forever, stack + sizeof(stack),
					  CLONE_FILES | CLONE_VM | SIGCHLD, NULL),
				    "clone");
		must((int)write(ends[1], &answer, sizeof(answer)), "write");
		for (;;)
			pause();
	}
	must((int)read(ends[0], &answer, sizeof(answer)), "read");
	close(ends[0]);
	close(ends[1]);
	report("shared-table", answer.port, (pid_t[]){ pid, answer.other }, 2);
}

static void passed_on(void)
{
	int fd = listener();
	uint16_t port = port_of(fd);
	pid_t pid = fork_child();

	if (!pid)
		for (;;)
			pause();
	close(fd);
	report("passed-on", port, &pid, 1);
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[1], "--hold"))
		hold(argv);
	helper_begin(300);
	run_case("leader-exited", leader_exited, true);
	run_case("thread-files", thread_files, true);
	run_case("in-flight", in_flight, false);
	run_case("io-uring-fixed", io_uring_fixed, false);
	run_case("renaming", renaming, true);
	run_case("duplicated", duplicated, true);
	run_case("memfd-image", memfd_image, true);
	shared_by_many();
	shared_table();
	passed_on();
	say_ready();
	wait_for_end();
	return 0;
}
