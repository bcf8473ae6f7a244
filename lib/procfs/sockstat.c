/* SPDX-License-Identifier: MIT */
#include "procfs/sockstat.h"

#include <errno.h>

#include "base/cleanup.h"
#include "procfs/text.h"

static const struct member {
	const char *line, *name;
	size_t offset;
} members[] = {
	{ "sockets:", "used", offsetof(struct procfs_sockstat, used) },
	{ "TCP:", "inuse", offsetof(struct procfs_sockstat, tcp_inuse) },
	{ "TCP:", "orphan", offsetof(struct procfs_sockstat, tcp_orphan) },
	{ "TCP:", "tw", offsetof(struct procfs_sockstat, tcp_time_wait) },
	{ "TCP:", "alloc", offsetof(struct procfs_sockstat, tcp_alloc) },
	{ "UDP:", "inuse", offsetof(struct procfs_sockstat, udp_inuse) },
	{ "UDPLITE:", "inuse", offsetof(struct procfs_sockstat, udplite_inuse) },
	{ "RAW:", "inuse", offsetof(struct procfs_sockstat, raw_inuse) },
	{ "TCP6:", "inuse", offsetof(struct procfs_sockstat, tcp6_inuse) },
	{ "UDP6:", "inuse", offsetof(struct procfs_sockstat, udp6_inuse) },
	{ "UDPLITE6:", "inuse", offsetof(struct procfs_sockstat, udplite6_inuse) },
	{ "RAW6:", "inuse", offsetof(struct procfs_sockstat, raw6_inuse) },
};
#define N_MEMBERS (sizeof(members) / sizeof(*members))

static void set_member(struct procfs_sockstat *s, struct text line, struct text name,
		       uint64_t value)
{
	for (size_t i = 0; i < N_MEMBERS; i++)
		if (text_is(line, members[i].line) && text_is(name, members[i].name))
			*(uint64_t *)((char *)s + members[i].offset) = value;
}

int procfs_sockstat_parse(const void *data, size_t len, struct procfs_sockstat *s)
{
	struct text t = text_of(data, len), line, head, name;
	uint64_t value;

	while (text_line(&t, &line, NULL)) {
		if (!text_word(&line, &head))
			continue;
		while (text_word(&line, &name)) {
			if (!text_word_u64(&line, 10, &value))
				return -EBADMSG;
			set_member(s, head, name, value);
		}
	}
	return 0;
}

int procfs_read_sockstat(struct tape *t, struct procfs_sockstat *ret_stat)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int r;

	for (size_t i = 0; i < N_MEMBERS; i++)
		*(uint64_t *)((char *)ret_stat + members[i].offset) = PROCFS_COUNT_UNKNOWN;
	r = tape_proc_read(t, -1, "net/sockstat", &b);
	if (r < 0)
		return r;
	r = procfs_sockstat_parse(b.data, b.len, ret_stat);
	buf_clear(&b);
	/* a kernel without IPv6 lacks the second file */
	if (r == 0 && tape_proc_read(t, -1, "net/sockstat6", &b) == 0)
		r = procfs_sockstat_parse(b.data, b.len, ret_stat);
	return r;
}

uint64_t procfs_count_files(struct tape *t)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	uint64_t n = 0;
	struct text text;

	if (tape_proc_read(t, -1, "sys/fs/file-nr", &b) < 0)
		return 0;
	text = text_of(b.data, b.len);
	return text_word_u64(&text, 10, &n) ? n : 0;
}

/* "0.00 0.01 0.05 1/123 4567": runnable/existing, then the newest pid */
uint64_t procfs_count_threads(struct tape *t)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct text text, word, part;
	uint64_t n = 0;

	if (tape_proc_read(t, -1, "loadavg", &b) < 0)
		return 0;
	text = text_of(b.data, b.len);
	if (!text_skip(&text, 3) || !text_word(&text, &word) || !text_until(&word, '/', &part))
		return 0;
	return text_u64(word, 10, &n) ? n : 0;
}
