/* SPDX-License-Identifier: MIT */
/*
 * One request, one answer of many datagrams. The kernel walks its tables inside sendmsg() and
 * recvmsg() of the asker, so the next datagram always waits already: an empty queue before
 * NLMSG_DONE is a fault, not a reason to block for ever.
 */
#include "netlink/transport.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "netlink/message.h"

#define SOCKET_BUFFER (1 << 20)
#define ANSWER_TIMEOUT_MS 5000

int netlink_open_family(int family)
{
	int size = SOCKET_BUFFER;
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, family);

	if (fd < 0)
		return -errno;
	/* best effort: a smaller buffer only costs more system calls */
	(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return fd;
}

int netlink_open(void)
{
	return netlink_open_family(NETLINK_SOCK_DIAG);
}

static int send_request(int fd, const void *req, size_t len)
{
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };
	struct iovec iov = { .iov_base = (void *)req, .iov_len = len };
	struct msghdr msg = {
		.msg_name = &kernel, .msg_namelen = sizeof(kernel), .msg_iov = &iov, .msg_iovlen = 1
	};
	ssize_t n;

	do
		n = sendmsg(fd, &msg, MSG_NOSIGNAL);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : 0;
}

static int wait_readable(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int n;

	do
		n = poll(&p, 1, ANSWER_TIMEOUT_MS);
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n == 0 ? -ETIMEDOUT : 0;
}

/* Another process with CAP_NET_ADMIN may write to our port; only port 0 is the kernel. */
static bool is_from_kernel(const struct msghdr *msg, const struct sockaddr_nl *from)
{
	return msg->msg_namelen < sizeof(*from) || from->nl_family != AF_NETLINK ||
	       from->nl_pid == 0;
}

int netlink_receive(int fd, void *buf, size_t size, struct netlink_datagram *d)
{
	for (;;) {
		struct sockaddr_nl from = { 0 };
		struct iovec iov = { .iov_base = buf, .iov_len = size };
		struct msghdr msg = { .msg_name = &from,
				      .msg_namelen = sizeof(from),
				      .msg_iov = &iov,
				      .msg_iovlen = 1 };
		ssize_t n = recvmsg(fd, &msg, MSG_DONTWAIT);

		if (n >= 0 && is_from_kernel(&msg, &from)) {
			*d = (struct netlink_datagram){ .data = buf, .len = (size_t)n };
			if (msg.msg_flags & MSG_TRUNC)
				d->flags |= NETLINK_DATAGRAM_TRUNCATED;
			return n == 0 ? -ECONNRESET : 0;
		}
		if (n < 0 && errno != EINTR)
			return -errno;
	}
}

/* One datagram from the kernel; d->len is what the buffer holds. 0 or -errno (-ENOBUFS: dropped).
 */
static int receive(int fd, void *buf, size_t size, struct netlink_datagram *d)
{
	int r;

	while ((r = netlink_receive(fd, buf, size, d)) == -EAGAIN) {
		r = wait_readable(fd);
		if (r < 0)
			break;
	}
	return r;
}

/* The errno of NLMSG_ERROR and NLMSG_DONE stands first in both; DONE without one is a success. */
static int control_error(const struct nlmsghdr *nlh)
{
	int error = 0;

	if (mnl_nlmsg_get_payload_len(nlh) >= sizeof(error))
		memcpy(&error, mnl_nlmsg_get_payload(nlh), sizeof(error));
	else if (nlh->nlmsg_type == NLMSG_ERROR)
		error = -EBADMSG;
	return error < 0 && error > -4096 ? error : error ? -EBADMSG : 0;
}

static void note_message(const struct nlmsghdr *nlh, struct netlink_dump_result *result,
			 bool *has_rows)
{
	if (nlh->nlmsg_flags & NLM_F_DUMP_INTR)
		result->interrupted = true;
	switch (nlh->nlmsg_type) {
	case NLMSG_NOOP:
		break;
	case NLMSG_OVERRUN:
		result->overrun = true;
		break;
	case NLMSG_ERROR:
	case NLMSG_DONE:
		result->error = control_error(nlh);
		result->done = true;
		break;
	default:
		*has_rows = true;
	}
}

void netlink_note_datagram(const struct netlink_datagram *d, uint32_t seq,
			   struct netlink_dump_result *result)
{
	const struct nlmsghdr *nlh = d->data;
	size_t left = d->len;
	bool has_rows = false;

	if (d->flags & NETLINK_DATAGRAM_OVERRUN)
		result->overrun = true;
	if (d->flags & NETLINK_DATAGRAM_TRUNCATED)
		result->truncated = true;
	if (!d->len)
		return;
	result->datagrams++;
	for (; message_is_whole(nlh, left); nlh = message_next(nlh, &left))
		if (!seq || nlh->nlmsg_seq == seq)
			note_message(nlh, result, &has_rows);
	if (has_rows) {
		result->row_datagrams++;
		result->row_bytes += d->len;
	}
}

int netlink_dump_status(const struct netlink_dump_result *result)
{
	if (result->error)
		return NETLINK_REFUSED;
	return result->interrupted || result->overrun || result->truncated ? NETLINK_PARTIAL : 0;
}

static int receive_dump(int fd, uint32_t seq, void *buf,
			int (*datagram)(void *userdata, const struct netlink_datagram *d),
			void *userdata, struct netlink_dump_result *result)
{
	while (!result->done) {
		struct netlink_datagram d = { 0 };
		int r = receive(fd, buf, NETLINK_BUFFER_SIZE, &d);

		if (r == -ENOBUFS)
			d = (struct netlink_datagram){ .data = buf,
						       .flags = NETLINK_DATAGRAM_OVERRUN };
		/* after a failed allocation the kernel may leave the dump unfinished */
		else if (r == -ETIMEDOUT && result->overrun)
			return 0;
		else if (r < 0)
			return r;
		netlink_note_datagram(&d, seq, result);
		r = datagram(userdata, &d);
		if (r < 0)
			return r;
	}
	return 0;
}

int netlink_dump(int fd, const void *req, size_t len,
		 int (*datagram)(void *userdata, const struct netlink_datagram *d), void *userdata,
		 struct netlink_dump_result *result)
{
	_cleanup_(cleanup_free) void *buf = malloc(NETLINK_BUFFER_SIZE);
	const struct nlmsghdr *nlh = req;
	int r;

	*result = (struct netlink_dump_result){ 0 };
	if (!buf)
		return -ENOMEM;
	r = send_request(fd, req, len);
	if (r < 0)
		return r;
	r = receive_dump(fd, nlh->nlmsg_seq, buf, datagram, userdata, result);
	return r < 0 ? r : netlink_dump_status(result);
}

int netlink_get(int fd, const void *req, size_t len)
{
	_Alignas(struct nlmsghdr) char buf[4096];
	const struct nlmsghdr *sent = req, *nlh = (const void *)buf;
	struct netlink_datagram d;
	int r = send_request(fd, req, len);

	if (r < 0)
		return r;
	do {
		r = receive(fd, buf, sizeof(buf), &d);
		if (r < 0)
			return r;
		if (!message_is_whole(nlh, d.len))
			return d.flags ? 0 : -EBADMSG;
	} while (nlh->nlmsg_seq != sent->nlmsg_seq);
	return nlh->nlmsg_type == NLMSG_ERROR ? control_error(nlh) : 0;
}
