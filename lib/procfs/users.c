/* SPDX-License-Identifier: MIT */
#include "procfs/users.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "procfs/text.h"

#define NAME_BYTES_MAX 255

static int take_line(struct text line, procfs_name_fn *name, void *userdata)
{
	char text[NAME_BYTES_MAX + 1];
	struct text number;
	uint32_t id;
	size_t n;

	if (!text_until(&line, ' ', &number) || !text_u32(number, 10, &id))
		return 0;
	n = text_len(line);
	if (n == 0 || n > NAME_BYTES_MAX || memchr(line.p, 0, n))
		return 0;
	memcpy(text, line.p, n);
	text[n] = 0;
	return name(userdata, id, text);
}

int procfs_names_parse(const void *data, size_t len, procfs_name_fn *name, void *userdata)
{
	struct text t = text_of(data, len), line;
	int r = 0;

	while (r == 0 && text_line(&t, &line, NULL))
		r = take_line(line, name, userdata);
	return r;
}

static void put_name(struct buf *b, uint32_t id, const char *name)
{
	if (strchr(name, '\n'))
		return;
	buf_u64(b, id);
	buf_putc(b, ' ');
	buf_puts(b, name);
	buf_putc(b, '\n');
}

/* "name:password:uid:..."; lines of NIS ("+", "-") name nobody here. */
static void take_passwd_line(struct text line, struct buf *b)
{
	char text[NAME_BYTES_MAX + 1];
	struct text name, number;
	uint32_t uid;

	if (!text_until(&line, ':', &name) || !text_until(&line, ':', &number) ||
	    !text_until(&line, ':', &number) || !text_u32(number, 10, &uid))
		return;
	if (name.p == name.end || text_len(name) > NAME_BYTES_MAX || strchr("+-#", *name.p) ||
	    memchr(name.p, 0, text_len(name)))
		return;
	memcpy(text, name.p, text_len(name));
	text[text_len(name)] = 0;
	put_name(b, uid, text);
}

static int list_users(struct buf *b)
{
	_cleanup_(cleanup_buf) struct buf file = BUF_INIT;
	int r = file_read_at(AT_FDCWD, "/etc/passwd", &file);
	struct text t = text_of(file.data, file.len), line;

	while (r == 0 && text_line(&t, &line, NULL))
		take_passwd_line(line, b);
	return r;
}

static int list_ifnames(struct buf *b)
{
	struct if_nameindex *all = if_nameindex();

	if (!all)
		return -errno;
	for (const struct if_nameindex *i = all; i->if_index; i++)
		put_name(b, i->if_index, i->if_name);
	if_freenameindex(all);
	return 0;
}

/* What is told to the caller is what the stream says, so a replay tells the same. */
static int read_names(struct tape *t, const char *stream, int (*list)(struct buf *),
		      procfs_name_fn *name, void *userdata)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int r;

	if (t->mode == TAPE_REPLAY) {
		r = tape_stream_get(t, stream, &b);
	} else {
		r = list(&b);
		if (r == 0)
			r = buf_error(&b);
		if (r < 0)
			tape_stream_fail(t, stream, r);
		else
			r = tape_stream_put(t, stream, b.data ? b.data : "", b.len);
	}
	return r < 0 ? r : procfs_names_parse(b.data, b.len, name, userdata);
}

int procfs_read_users(struct tape *t, procfs_name_fn *name, void *userdata)
{
	return read_names(t, "users", list_users, name, userdata);
}

int procfs_read_ifnames(struct tape *t, procfs_name_fn *name, void *userdata)
{
	return read_names(t, "ifnames", list_ifnames, name, userdata);
}
