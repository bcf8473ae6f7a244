/* SPDX-License-Identifier: MIT */
/* The transport, whose kernel is the other half of a socket pair, and the replay of recordings. */
#include "netlink_messages.h"

ssize_t __real_recvmsg(int fd, struct msghdr *msg, int flags);
ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags);
int __real_poll(struct pollfd *fds, nfds_t n, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout);

static struct {
	int fail[4]; /* errno of the next calls, 0 = go through */
	size_t n, at;
	bool is_poll_late;
} faults;

ssize_t __wrap_recvmsg(int fd, struct msghdr *msg, int flags)
{
	int fail = faults.at < faults.n ? faults.fail[faults.at++] : 0;

	if (fail) {
		errno = fail;
		return -1;
	}
	return __real_recvmsg(fd, msg, flags);
}

int __wrap_poll(struct pollfd *fds, nfds_t n, int timeout)
{
	return faults.is_poll_late ? 0 : __real_poll(fds, n, timeout);
}

struct seen {
	unsigned calls;
	size_t bytes;
	uint32_t flags;
	int ret;
};

static int see_datagram(void *userdata, const struct netlink_datagram *d)
{
	struct seen *seen = userdata;

	seen->calls++;
	seen->bytes += d->len;
	seen->flags |= d->flags;
	return seen->ret;
}

/* Runs a dump whose answer is `n` datagrams. */
static int run_dump(const struct message *answers, size_t n, struct seen *seen,
		    struct netlink_dump_result *result)
{
	struct nlmsghdr req = { .nlmsg_len = sizeof(req), .nlmsg_seq = 7 };
	int fds[2], r;

	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	for (size_t i = 0; i < n; i++)
		assert_int_equal(send(fds[1], answers[i].data, answers[i].len, 0), answers[i].len);
	r = netlink_dump(fds[0], &req, sizeof(req), see_datagram, seen, result);
	close(fds[0]);
	close(fds[1]);
	memset(&faults, 0, sizeof(faults));
	return r;
}

static struct message done_message(int error)
{
	struct message m = { 0 };

	put_message(&m, NLMSG_DONE, &error, sizeof(error));
	return m;
}

static struct message error_message(int error)
{
	struct message m = { 0 };
	struct nlmsgerr e = { .error = error };

	put_message(&m, NLMSG_ERROR, &e, sizeof(e));
	return m;
}

static struct message row_message(uint16_t flags)
{
	struct message m = { 0 };

	header_of(&m, put_inet(&m, AF_INET, PV_STATE_LISTEN))->nlmsg_flags = flags;
	return m;
}

static void test_dump(void **state)
{
	const struct message answers[] = { row_message(NLM_F_MULTI), row_message(0),
					   done_message(0) };
	struct netlink_dump_result result;
	struct seen seen = { 0 };

	(void)state;
	/* EINTR is nothing */
	faults.fail[0] = EINTR;
	faults.n = 1;
	assert_int_equal(run_dump(answers, 3, &seen, &result), 0);
	assert_int_equal(seen.calls, 3);
	assert_int_equal(result.datagrams, 3);
	assert_int_equal(result.row_datagrams, 2);
	assert_int_equal(result.row_bytes, answers[0].len * 2);
	assert_true(result.done);
	assert_int_equal(result.error, 0);
}

static void test_dump_errors(void **state)
{
	static const struct {
		bool is_done;
		int error, result, result_error;
	} cases[] = {
		{ false, -ENOENT, NETLINK_REFUSED, -ENOENT },
		{ false, -EINVAL, NETLINK_REFUSED, -EINVAL },
		{ true, -ENOMEM, NETLINK_REFUSED, -ENOMEM },
		{ true, 0, 0, 0 },
		{ false, 0, 0, 0 }, /* an acknowledgement */
		{ false, 5, NETLINK_REFUSED, -EBADMSG },
		{ true, INT_MIN, NETLINK_REFUSED, -EBADMSG },
	};
	struct netlink_dump_result result;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		struct seen seen = { 0 };
		struct message m = cases[i].is_done ? done_message(cases[i].error)
						    : error_message(cases[i].error);

		assert_int_equal(run_dump(&m, 1, &seen, &result), cases[i].result);
		assert_int_equal(result.error, cases[i].result_error);
		assert_true(result.done);
	}
}

/* An error without its number, and a DONE of old kernels without any. */
static void test_dump_short_control(void **state)
{
	struct netlink_dump_result result;
	struct seen seen = { 0 };
	struct message m = { 0 };

	(void)state;
	put_message(&m, NLMSG_ERROR, NULL, 0);
	assert_int_equal(run_dump(&m, 1, &seen, &result), NETLINK_REFUSED);
	assert_int_equal(result.error, -EBADMSG);
	m.len = 0;
	put_message(&m, NLMSG_DONE, NULL, 0);
	assert_int_equal(run_dump(&m, 1, &seen, &result), 0);
}

static void test_dump_interrupted(void **state)
{
	const struct message answers[] = { row_message(NLM_F_MULTI | NLM_F_DUMP_INTR),
					   done_message(0) };
	struct netlink_dump_result result;
	struct seen seen = { 0 };

	(void)state;
	assert_int_equal(run_dump(answers, 2, &seen, &result), NETLINK_PARTIAL);
	assert_true(result.interrupted);
	assert_false(result.overrun || result.truncated);
}

static void test_dump_overrun(void **state)
{
	const struct message answers[] = { row_message(NLM_F_MULTI), done_message(0) };
	struct netlink_dump_result result;
	struct seen seen = { 0 };

	(void)state;
	faults.fail[1] = ENOBUFS;
	faults.n = 2;
	assert_int_equal(run_dump(answers, 2, &seen, &result), NETLINK_PARTIAL);
	assert_true(result.overrun && result.done);
	assert_int_equal(result.row_datagrams, 1);
	assert_int_equal(seen.flags, NETLINK_DATAGRAM_OVERRUN);
	/* and one the kernel never ended */
	memset(&seen, 0, sizeof(seen));
	faults.fail[1] = ENOBUFS;
	faults.n = 2;
	faults.is_poll_late = true;
	assert_int_equal(run_dump(answers, 1, &seen, &result), NETLINK_PARTIAL);
	assert_true(result.overrun && !result.done);
}

static void test_dump_silent_kernel(void **state)
{
	const struct message row = row_message(NLM_F_MULTI);
	struct netlink_dump_result result;
	struct seen seen = { 0 };

	(void)state;
	faults.is_poll_late = true;
	assert_int_equal(run_dump(&row, 1, &seen, &result), -ETIMEDOUT);
	assert_false(result.done);
	faults.fail[0] = ENOTCONN;
	faults.n = 1;
	assert_int_equal(run_dump(&row, 1, &seen, &result), -ENOTCONN);
}

static void test_dump_truncated(void **state)
{
	_cleanup_(cleanup_free) char *big = calloc(1, NETLINK_BUFFER_SIZE + 64);
	const struct message row = row_message(NLM_F_MULTI), done = done_message(0);
	struct nlmsghdr req = { .nlmsg_len = sizeof(req), .nlmsg_seq = 7 };
	struct netlink_dump_result result;
	struct seen seen = { 0 };
	int fds[2];

	(void)state;
	assert_non_null(big);
	memcpy(big, row.data, row.len);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds), 0);
	assert_int_equal(send(fds[1], big, NETLINK_BUFFER_SIZE + 64, 0), NETLINK_BUFFER_SIZE + 64);
	assert_int_equal(send(fds[1], done.data, done.len, 0), done.len);
	assert_int_equal(netlink_dump(fds[0], &req, sizeof(req), see_datagram, &seen, &result),
			 NETLINK_PARTIAL);
	assert_true(result.truncated && result.done);
	assert_int_equal(seen.bytes, NETLINK_BUFFER_SIZE + done.len);
	assert_int_equal(seen.flags, NETLINK_DATAGRAM_TRUNCATED);
	close(fds[0]);
	close(fds[1]);
}

/* Messages of an earlier request do not end this one; a refusing sink does. */
static void test_dump_foreign_sequence(void **state)
{
	struct message answers[] = { done_message(0), row_message(NLM_F_MULTI), done_message(0) };
	struct netlink_dump_result result;
	struct seen seen = { 0 };

	(void)state;
	header_of(&answers[0], 0)->nlmsg_seq = 6;
	assert_int_equal(run_dump(answers, 3, &seen, &result), 0);
	assert_int_equal(seen.calls, 3);
	assert_int_equal(result.row_datagrams, 1);
	seen.ret = -ENOSPC;
	assert_int_equal(run_dump(answers, 3, &seen, &result), -ENOSPC);
}

/* ---- replay ---- */

static void make_recording(char dir[static 64], const char *stream, const void *data, size_t len)
{
	char path[160];
	int fd;

	snprintf(dir, 64, "/tmp/test-netlink-XXXXXX");
	assert_non_null(mkdtemp(dir));
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(fd >= 0);
	assert_int_equal(file_append_at(fd, "manifest", "portavoz-recording=1\n", 21), 0);
	assert_int_equal(mkdirat(fd, "streams", 0700), 0);
	snprintf(path, sizeof(path), "streams/%s", stream);
	assert_int_equal(file_append_at(fd, path, data, len), 0);
	close(fd);
}

static void remove_recording(const char *dir, const char *stream)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/streams/%s", dir, stream);
	unlink(path);
	snprintf(path, sizeof(path), "%s/streams", dir);
	rmdir(path);
	snprintf(path, sizeof(path), "%s/manifest", dir);
	unlink(path);
	assert_int_equal(rmdir(dir), 0);
}

static int replay(const char *stream, const void *data, size_t len, const struct netlink_query *q,
		  struct rows *rows, struct netlink_dump_result *result)
{
	struct sink sink = { keep_row, rows };
	struct tape t = TAPE_INIT;
	char dir[64];
	int r;

	make_recording(dir, stream, data, len);
	assert_int_equal(tape_open(&t, NULL, dir), 0);
	r = netlink_read_sockets(&t, -1, q, 0, &sink, result);
	tape_close(&t);
	remove_recording(dir, stream);
	return r;
}

static void test_replay_recordings(void **state)
{
	(void)state;
	for (size_t i = 0; i < N_RECORDINGS; i++) {
		const struct recording *rec = &recordings[i];
		_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
		ROWS rows = { 0 };
		struct netlink_dump_result result;

		read_data(rec->name, &b);
		assert_int_equal(replay(rec->name, b.data, b.len, &rec->q, &rows, &result), 0);
		assert_int_equal(result.rows, rec->rows);
		assert_int_equal(rows.v.n, rec->rows);
		assert_true(result.done);
	}
}

static void test_replay_damaged(void **state)
{
	const struct recording *rec = &recordings[0];
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct netlink_dump_result result;
	const uint32_t overrun[2] = { 0, NETLINK_DATAGRAM_OVERRUN };
	const uint32_t huge[2] = { UINT32_MAX, 0 };
	ROWS rows = { 0 };
	size_t whole;

	(void)state;
	read_data(rec->name, &b);
	for (size_t cut = 1; cut < 8; cut++)
		assert_int_equal(replay(rec->name, b.data, b.len - cut, &rec->q, &rows, &result),
				 -EBADMSG);
	/* cut between two datagrams: the dump's end is missing */
	whole = 8 + NLA_ALIGN(*(uint32_t *)(void *)b.data);
	assert_int_equal(replay(rec->name, b.data, whole, &rec->q, &rows, &result), -EBADMSG);
	assert_false(result.done);
	assert_int_equal(replay(rec->name, huge, sizeof(huge), &rec->q, &rows, &result), -EBADMSG);
	buf_put(&b, overrun, sizeof(overrun));
	assert_int_equal(replay(rec->name, b.data, b.len, &rec->q, &rows, &result),
			 NETLINK_PARTIAL);
	assert_true(result.overrun);
	assert_int_equal(replay("other-stream", b.data, b.len, &rec->q, &rows, &result), -ENODATA);
}

/* A source that could not be opened is recorded as that, and fails the same way in replay. */
static void test_record_failure(void **state)
{
	struct netlink_dump_result result;
	struct tape t = TAPE_INIT;
	ROWS rows = { 0 };
	struct sink sink = { keep_row, &rows };
	char dir[64] = "/tmp/test-netlink-XXXXXX", path[160];

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(tape_open(&t, dir, NULL), 0);
	assert_int_equal(netlink_read_sockets(&t, -EPROTONOSUPPORT, &tcp4, 3, &sink, &result),
			 -EPROTONOSUPPORT);
	tape_close(&t);
	assert_int_equal(tape_open(&t, NULL, dir), 0);
	assert_int_equal(netlink_read_sockets(&t, -1, &tcp4, 3, &sink, &result), -EPROTONOSUPPORT);
	assert_int_equal(netlink_read_sockets(&t, -1, &tcp4, 0, &sink, &result), -ENODATA);
	tape_close(&t);
	snprintf(path, sizeof(path), "%s/proc", dir);
	rmdir(path);
	remove_recording(dir, "diag-tcp-inet.3.error");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_dump),
		cmocka_unit_test(test_dump_errors),
		cmocka_unit_test(test_dump_short_control),
		cmocka_unit_test(test_dump_interrupted),
		cmocka_unit_test(test_dump_overrun),
		cmocka_unit_test(test_dump_silent_kernel),
		cmocka_unit_test(test_dump_truncated),
		cmocka_unit_test(test_dump_foreign_sequence),
		cmocka_unit_test(test_replay_recordings),
		cmocka_unit_test(test_replay_damaged),
		cmocka_unit_test(test_record_failure),
	};

	return cmocka_run_group_tests_name("netlink-transport", tests, NULL, NULL);
}
