/* SPDX-License-Identifier: MIT */
/* What the live tests of the iterators share: reading rows, and making sockets. */
#ifndef TESTS_UNIT_BPF_LIVE_H
#define TESTS_UNIT_BPF_LIVE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/cleanup.h"
#include "base/vec.h"
#include "bpf/iter.h"

/* A socket as an iterator or a dump tells it. */
struct seen {
	struct pv_conversation row;
	char path[110];
	size_t path_len;
};

struct rows {
	VEC(struct seen) sockets;
	VEC(struct owner_record) owners;
	enum bpf_iter_kind kind;
	struct bpf_stats stats;
};

#define MAX_FDS 6000

/* Descriptors that a test closes at its end. */
struct pool {
	int fds[MAX_FDS];
	int n;
};

union any_addr {
	struct sockaddr sa;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_un un;
	struct sockaddr_storage storage;
};

void rows_deinit(struct rows *rows);
/* Adds the rows of a chunk to a struct rows. */
int live_chunk(void *userdata, const void *data, size_t len);
/* bpf_iter_run() into *rows; 0 or -errno. */
int live_read(struct tape *tape, enum bpf_iter_kind kind, struct rows *rows);
/* The same of the live kernel, which must succeed. */
struct rows live_rows(enum bpf_iter_kind kind);
/* NULL = no such cookie */
const struct seen *live_find(const struct rows *rows, uint64_t cookie);
/* Moves into a new network namespace with its lo up. */
void enter_netns(void);
/* Puts a descriptor, which must be one, into the pool; returns it. */
int keep(struct pool *pool, int fd);
/* Closes one before the others. */
void drop(struct pool *pool, int fd);
void pool_deinit(struct pool *pool);
union any_addr loopback(int family);
socklen_t addr_size(int family);
void set_int(int fd, int level, int name, int value);
/* Bound to loopback and a free port. */
int bound(struct pool *pool, int family, int type);
int listener(struct pool *pool, int family, int backlog);
union any_addr name_of(int fd);
/* A client connected to what fd listens or waits at. */
int client(struct pool *pool, int fd);
void unix_pair(struct pool *pool, int type, int ends[2]);
uint64_t cookie_of(int fd);
/* Runs `check` in a child process; its return value is the exit status. */
int in_child(int (*check)(void));
int set_caps(uint64_t caps); /* effective and permitted; 0 or -1 */

/*
 * Runs the tests of a binary, or prints why BPF iterators cannot be used here. The exit status of
 * main(): 77 = skipped.
 */
int live_main(int (*run_all)(void));

#endif
