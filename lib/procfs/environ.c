/* SPDX-License-Identifier: MIT */
#include "procfs/environ.h"

#include "procfs/text.h"

#define PID "LISTEN_PID="
#define FDS "LISTEN_FDS="
#define NAMES "LISTEN_FDNAMES="
#define PRELOAD "LD_PRELOAD="
#define AUDIT "LD_AUDIT="

static bool value_of(struct text word, const char *key, struct text *ret_value)
{
	if (!text_starts(word, key))
		return false;
	*ret_value = (struct text){ word.p + strlen(key), word.end };
	return true;
}

/* A longer one is cut, not dropped: that something is loaded must not be hidden by length. */
static bool is_preload(struct text *word)
{
	struct text value;

	if ((!value_of(*word, PRELOAD, &value) && !value_of(*word, AUDIT, &value)) ||
	    !text_len(value))
		return false;
	if (text_len(*word) > PROCFS_PRELOAD_MAX)
		word->end = word->p + PROCFS_PRELOAD_MAX;
	return true;
}

static bool is_wanted(struct text word)
{
	struct text value;

	if (value_of(word, NAMES, &value))
		return text_len(value) <= PROCFS_LISTEN_NAMES_MAX;
	return value_of(word, PID, &value) || value_of(word, FDS, &value);
}

void procfs_listen_filter(const void *data, size_t len, struct buf *b)
{
	struct text t = text_of(data, len), word;

	while (text_until(&t, 0, &word)) {
		if (!is_preload(&word) && !is_wanted(word))
			continue;
		buf_put(b, word.p, text_len(word));
		buf_putc(b, 0);
	}
}

void procfs_preload_parse(const void *data, size_t len, struct buf *b)
{
	struct text t = text_of(data, len), word;

	while (text_until(&t, 0, &word)) {
		if (!is_preload(&word))
			continue;
		buf_put(b, word.p, text_len(word));
		buf_putc(b, 0);
	}
}

void procfs_listen_parse(const void *data, size_t len, struct procfs_listen *ret)
{
	struct text t = text_of(data, len), word, value;
	struct procfs_listen l = { 0 };
	uint32_t pid = 0;

	while (text_until(&t, 0, &word)) {
		if (value_of(word, PID, &value) && (!text_u32(value, 10, &pid) || pid > INT32_MAX))
			pid = 0;
		else if (value_of(word, FDS, &value) && !text_u32(value, 10, &l.n_fds))
			l.n_fds = 0;
		else if (value_of(word, NAMES, &value) &&
			 text_len(value) <= PROCFS_LISTEN_NAMES_MAX)
			l.names = (struct pv_bytes){ value.p, (uint32_t)text_len(value) };
	}
	l.pid = (int32_t)pid;
	*ret = l.pid && l.n_fds ? l : (struct procfs_listen){ 0 };
}
