/* SPDX-License-Identifier: MIT */
/* For the tests of lib/procfs on the running kernel: children that hold sockets, and scans. */
#ifndef TESTS_PROCFS_LIVE_H
#define TESTS_PROCFS_LIVE_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <portavoz/snapshot.h>

#include "base/vec.h"
#include "procfs/process.h"
#include "procfs/scan.h"

typedef VEC(struct owner_record) record_vec;

static inline int keep_record(void *userdata, const struct owner_record *r)
{
	record_vec *v = userdata;

	return vec_push(v, *r);
}

static inline int scan(struct tape *t, const struct procfs_scan_options *o, record_vec *v,
		       struct procfs_scan_stats *stats)
{
	*v = (record_vec){ 0 };
	return procfs_scan_owners(t, o, keep_record, v, stats);
}

static inline struct tape open_live(void)
{
	struct tape t;

	assert_int_equal(tape_open(&t, NULL, NULL), 0);
	return t;
}

static inline size_t count_of(const record_vec *v, pid_t pid)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		n += v->items[i].pid == pid;
	return n;
}

static inline uint32_t inode_of(int fd)
{
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	return (uint32_t)st.st_ino;
}

static inline bool has(const record_vec *v, pid_t pid, int fd, uint32_t inode)
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

static inline struct child start(void (*run)(int out))
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

static inline uint32_t next_inode(const struct child *c)
{
	uint32_t inode = 0;

	assert_int_equal(read(c->pipe, &inode, sizeof(inode)), sizeof(inode));
	return inode;
}

static inline void stop(struct child *c)
{
	kill(c->pid, SIGKILL);
	waitpid(c->pid, NULL, 0);
	close(c->pipe);
}

/* For children: a socket at that descriptor number, told to the parent. */
static inline void make_socket(int out, int at)
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

static inline void wait_for_death(void)
{
	for (;;)
		pause();
}

/* Dense, far apart, every other one, and a name that closes its parenthesis. */
static const int places[] = { 100, 101, 103, 105, 107, 109, 111, 500, 1000, 4095 };
#define N_PLACES (sizeof(places) / sizeof(*places))

static inline void run_sparse(int out)
{
	prctl(PR_SET_NAME, "a) Z 1 (\n\x1b[m");
	for (size_t i = 0; i < N_PLACES; i++)
		make_socket(out, places[i]);
	wait_for_death();
}

static inline void wait_for_state(struct tape *t, pid_t pid, char wanted)
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

#endif
