/* SPDX-License-Identifier: MIT */
#include "procfs/clock.h"

#include <errno.h>

#include "base/cleanup.h"
#include "procfs/text.h"

#define SECONDS_MAX (UINT64_C(1) << 48)
#define NS_PER_SECOND INT64_C(1000000000)
#define NS_PER_TICK INT64_C(10000000) /* USER_HZ is 100 everywhere */
/* the kernel's limit is KTIME_SEC_MAX / 2 */
#define OFFSET_MAX (INT64_MAX / NS_PER_SECOND / 2)

int procfs_boot_time_parse(const void *data, size_t len, uint64_t *ret_seconds)
{
	struct text t = text_of(data, len), line, word;
	uint64_t v;

	while (text_line(&t, &line, NULL)) {
		if (!text_word(&line, &word) || !text_is(word, "btime"))
			continue;
		if (!text_word_u64(&line, 10, &v) || v > SECONDS_MAX)
			return -EBADMSG;
		*ret_seconds = v;
		return 0;
	}
	return -EBADMSG;
}

int procfs_uptime_parse(const void *data, size_t len, uint64_t *ret_hundredths)
{
	struct text t = text_of(data, len), word, seconds;
	uint64_t whole, part;

	if (!text_word(&t, &word) || !text_until(&word, '.', &seconds) ||
	    !text_u64(seconds, 10, &whole) || whole > SECONDS_MAX || text_len(word) != 2 ||
	    !text_u64(word, 10, &part))
		return -EBADMSG;
	*ret_hundredths = whole * 100 + part;
	return 0;
}

int procfs_time_offset_parse(const void *data, size_t len, const char *clock, int64_t *ret_ns)
{
	struct text t = text_of(data, len), line, word;
	uint64_t seconds, ns;
	bool is_before;

	while (text_line(&t, &line, NULL)) {
		if (!text_word(&line, &word) || !text_is(word, clock))
			continue;
		if (!text_word(&line, &word))
			return -EBADMSG;
		is_before = *word.p == '-';
		word.p += is_before;
		/* nanoseconds are counted forwards from negative seconds, too */
		if (!text_u64(word, 10, &seconds) || seconds > OFFSET_MAX ||
		    !text_word_u64(&line, 10, &ns) || ns >= NS_PER_SECOND)
			return -EBADMSG;
		*ret_ns = (is_before ? -(int64_t)seconds : (int64_t)seconds) * NS_PER_SECOND +
			  (int64_t)ns;
		return 0;
	}
	return -EBADMSG;
}

int64_t procfs_read_time_offset(struct tape *t, const char *clock)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int64_t ns = 0;

	if (tape_proc_read(t, -1, "self/timens_offsets", &b) < 0 ||
	    procfs_time_offset_parse(b.data, b.len, clock, &ns) < 0)
		return 0;
	return ns;
}

/*
 * What was cut off a start time is lost: with an offset that is no whole number of ticks the sum is
 * not known to the tick, and better not known at all.
 */
uint64_t procfs_shown_ticks(uint64_t ticks, int64_t offset_ns)
{
	int64_t offset = offset_ns / NS_PER_TICK;

	if (!ticks || !offset_ns)
		return ticks;
	if (offset_ns % NS_PER_TICK || (offset < 0 && (uint64_t)-offset >= ticks))
		return 0;
	return ticks + (uint64_t)offset;
}

int procfs_read_clock(struct tape *t, uint64_t *ret_boot_time, uint64_t *ret_uptime)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int r, first;

	*ret_boot_time = *ret_uptime = 0;
	first = tape_proc_read(t, -1, "uptime", &b);
	if (first == 0)
		first = procfs_uptime_parse(b.data, b.len, ret_uptime);
	buf_clear(&b);
	r = tape_proc_read(t, -1, "stat", &b);
	if (r == 0)
		r = procfs_boot_time_parse(b.data, b.len, ret_boot_time);
	return first < 0 ? first : r;
}
