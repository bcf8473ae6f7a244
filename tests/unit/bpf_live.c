/* SPDX-License-Identifier: MIT */
#include "bpf_live.h"

#include <errno.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>

void rows_deinit(struct rows *rows)
{
	vec_deinit(&rows->sockets);
	vec_deinit(&rows->owners);
}

static int add_socket(void *userdata, const struct pv_conversation *row)
{
	struct rows *rows = userdata;
	struct seen seen = { .row = *row };

	if (row->path) {
		seen.path_len = row->path->len;
		memcpy(seen.path, row->path->data, row->path->len);
		seen.row.path = NULL;
	}
	return vec_push(&rows->sockets, seen);
}

static int add_owners(void *userdata, const struct owner_record *owners, size_t n)
{
	struct rows *rows = userdata;

	for (size_t i = 0; i < n; i++)
		if (vec_push(&rows->owners, owners[i]) < 0)
			return -ENOMEM;
	return 0;
}

int live_chunk(void *userdata, const void *data, size_t len)
{
	struct rows *rows = userdata;
	struct sink sink = { add_socket, rows };

	if (rows->kind == BPF_KIND_OWNERS || rows->kind == BPF_KIND_NETNS)
		return bpf_parse_owners(data, len, add_owners, rows, &rows->stats);
	return bpf_parse_sockets(data, len, rows->kind, &sink, &rows->stats);
}

int live_read(struct tape *tape, enum bpf_iter_kind kind, struct rows *rows)
{
	*rows = (struct rows){ .kind = kind };
	return bpf_iter_run(tape, kind, 0, live_chunk, rows);
}

struct rows live_rows(enum bpf_iter_kind kind)
{
	struct tape tape = TAPE_INIT;
	struct rows rows;

	assert_int_equal(live_read(&tape, kind, &rows), 0);
	assert_int_equal(rows.stats.n_malformed, 0);
	return rows;
}

const struct seen *live_find(const struct rows *rows, uint64_t cookie)
{
	for (size_t i = 0; i < rows->sockets.n; i++)
		if (rows->sockets.items[i].row.cookie == cookie)
			return &rows->sockets.items[i];
	return NULL;
}

void enter_netns(void)
{
	_cleanup_(cleanup_fd) int fd = -1;
	struct ifreq ifr = { .ifr_name = "lo", .ifr_flags = IFF_UP };

	assert_int_equal(unshare(CLONE_NEWNET), 0);
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &ifr), 0);
}

int keep(struct pool *pool, int fd)
{
	assert_true(fd >= 0);
	assert_true(pool->n < MAX_FDS);
	pool->fds[pool->n++] = fd;
	return fd;
}

void drop(struct pool *pool, int fd)
{
	for (int i = 0; i < pool->n; i++)
		if (pool->fds[i] == fd)
			pool->fds[i] = -1;
	close(fd);
}

void pool_deinit(struct pool *pool)
{
	while (pool->n)
		close_fd(pool->fds[--pool->n]);
}

union any_addr loopback(int family)
{
	union any_addr a = { .storage = { 0 } };

	a.sa.sa_family = (sa_family_t)family;
	if (family == AF_INET)
		a.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	else
		a.v6.sin6_addr = in6addr_loopback;
	return a;
}

socklen_t addr_size(int family)
{
	return family == AF_INET ? sizeof(struct sockaddr_in) : sizeof(struct sockaddr_in6);
}

void set_int(int fd, int level, int name, int value)
{
	assert_int_equal(setsockopt(fd, level, name, &value, sizeof(value)), 0);
}

int bound(struct pool *pool, int family, int type)
{
	union any_addr a = loopback(family);
	int fd = keep(pool, socket(family, type | SOCK_CLOEXEC, 0));

	assert_int_equal(bind(fd, &a.sa, addr_size(family)), 0);
	return fd;
}

int listener(struct pool *pool, int family, int backlog)
{
	int fd = bound(pool, family, SOCK_STREAM);

	assert_int_equal(listen(fd, backlog), 0);
	return fd;
}

union any_addr name_of(int fd)
{
	union any_addr a = { .storage = { 0 } };
	socklen_t len = sizeof(a);

	assert_int_equal(getsockname(fd, &a.sa, &len), 0);
	return a;
}

int client(struct pool *pool, int fd)
{
	union any_addr a = name_of(fd);
	int type, r;
	socklen_t len = sizeof(type);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &len), 0);
	r = keep(pool, socket(a.sa.sa_family, type | SOCK_CLOEXEC, 0));
	assert_int_equal(connect(r, &a.sa, addr_size(a.sa.sa_family)), 0);
	return r;
}

uint64_t cookie_of(int fd)
{
	uint64_t cookie = 0;
	socklen_t len = sizeof(cookie);

	assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_COOKIE, &cookie, &len), 0);
	return cookie;
}

void unix_pair(struct pool *pool, int type, int ends[2])
{
	assert_int_equal(socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends), 0);
	keep(pool, ends[0]);
	keep(pool, ends[1]);
}

int in_child(int (*check)(void))
{
	pid_t pid = fork();
	int status = -1;

	assert_true(pid >= 0);
	if (pid == 0)
		_exit(check());
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

int set_caps(uint64_t caps)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {
		{ (uint32_t)caps, (uint32_t)caps, 0 },
		{ (uint32_t)(caps >> 32), (uint32_t)(caps >> 32), 0 },
	};

	return (int)syscall(SYS_capset, &header, data);
}

int live_main(int (*run_all)(void))
{
	struct bpf_iter it = BPF_ITER_INIT;
	int r = bpf_iter_open(BPF_KIND_OWNERS, &it);
	struct rlimit limit;

	bpf_iter_close(&it);
	if (r == 0 && geteuid() != 0)
		r = -EPERM;
	if (r < 0) {
		printf("skipped: %s\n", bpf_cause(r));
		return 77;
	}
	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (limit.rlim_cur < MAX_FDS + 100) {
		printf("skipped: needs %d descriptors\n", MAX_FDS + 100);
		return 77;
	}
	return run_all();
}
