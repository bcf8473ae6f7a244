/* SPDX-License-Identifier: MIT */
/*
 * The floor: the least that anyone can do who wants all TCP sockets with their owners. A sock_diag
 * dump of IPv4 and IPv6, and the iterator over the descriptors of all processes, one after the
 * other, read and thrown away. Prints the milliseconds of each.
 */
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "bpf/iter.h"

#define ANSWER_BYTES 65536

static double now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static int throw_away(void *userdata, const void *data, size_t len)
{
	size_t *bytes = userdata;

	(void)data;
	*bytes += len;
	return 0;
}

static int send_request(int fd, uint8_t family)
{
	struct {
		struct nlmsghdr nlh;
		struct inet_diag_req_v2 r;
	} request = { .nlh = { .nlmsg_len = sizeof(request),
			       .nlmsg_type = SOCK_DIAG_BY_FAMILY,
			       .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		      .r = { .sdiag_family = family,
			     .sdiag_protocol = IPPROTO_TCP,
			     .idiag_states = UINT32_MAX } };

	return send(fd, &request, sizeof(request), 0) < 0 ? -errno : 0;
}

/* The end of a dump is a message of its own, the last of the last answer. */
static int read_answers(int fd, size_t *bytes)
{
	_cleanup_(cleanup_free) char *answer = malloc(ANSWER_BYTES);
	struct nlmsghdr first;
	ssize_t n;

	if (!answer)
		return -ENOMEM;
	for (;;) {
		n = recv(fd, answer, ANSWER_BYTES, 0);
		if (n < (ssize_t)sizeof(first))
			return n < 0 ? -errno : -EBADMSG;
		*bytes += (size_t)n;
		memcpy(&first, answer, sizeof(first));
		if (first.nlmsg_type == NLMSG_DONE)
			return 0;
		if (first.nlmsg_type == NLMSG_ERROR)
			return -EIO;
	}
}

static int dump_sockets(size_t *bytes)
{
	_cleanup_(cleanup_fd) int fd =
		socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	static const uint8_t families[] = { AF_INET, AF_INET6 };
	int r = fd < 0 ? -errno : 0;

	for (size_t i = 0; r == 0 && i < sizeof(families); i++) {
		r = send_request(fd, families[i]);
		if (r == 0)
			r = read_answers(fd, bytes);
	}
	return r;
}

static int walk_owners(size_t *bytes)
{
	struct tape tape = TAPE_INIT;

	return bpf_iter_run(&tape, BPF_KIND_OWNERS, 0, throw_away, bytes);
}

static int measure(const char *what, int (*work)(size_t *bytes))
{
	double start = now_ms();
	size_t bytes = 0;
	int r = work(&bytes);

	if (r < 0)
		fprintf(stderr, "floor: %s: %s\n", what, strerror(-r));
	else
		printf("%s %.2f ms %zu bytes\n", what, now_ms() - start, bytes);
	return r;
}

int main(void)
{
	return measure("sock_diag", dump_sockets) < 0 || measure("task_file", walk_owners) < 0;
}
