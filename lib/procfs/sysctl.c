/* SPDX-License-Identifier: MIT */
#include "procfs/sysctl.h"

#include <errno.h>
#include <stdio.h>

#include "base/cleanup.h"
#include "procfs/text.h"

/* The inode the kernel gives the first pid namespace (PROC_PID_INIT_INO, since 3.8). */
#define INITIAL_PIDNS UINT64_C(0xeffffffc)

static bool port_of(struct text t, uint32_t *ret_port)
{
	return text_u32(t, 10, ret_port) && *ret_port <= 65535;
}

int procfs_port_range_parse(const void *data, size_t len, uint16_t *ret_first, uint16_t *ret_last)
{
	struct text t = text_of(data, len), line, a, b;
	uint32_t first, last;

	if (!text_line(&t, &line, NULL) || !text_word(&line, &a) || !text_word(&line, &b))
		return -EBADMSG;
	if (!port_of(a, &first) || !port_of(b, &last) || first > last)
		return -EBADMSG;
	*ret_first = (uint16_t)first;
	*ret_last = (uint16_t)last;
	return 0;
}

static int set_ports(struct text item, uint64_t *bits)
{
	uint32_t first, last;
	struct text a;

	if (!text_until(&item, '-', &a) || !port_of(a, &first))
		return -EBADMSG;
	last = first;
	if (item.p > a.end && !port_of(item, &last))
		return -EBADMSG;
	if (last < first)
		return -EBADMSG;
	for (uint32_t port = first; port <= last; port++)
		bits[port / 64] |= UINT64_C(1) << port % 64;
	return 0;
}

int procfs_port_list_parse(const void *data, size_t len, uint64_t bits[static PROCFS_PORT_WORDS])
{
	struct text t = text_of(data, len), line, item;
	int r = 0;

	if (!text_line(&t, &line, NULL))
		return 0;
	while (r == 0 && text_until(&line, ',', &item))
		r = set_ports(item, bits);
	return r;
}

int procfs_read_port_range(struct tape *t, uint16_t *ret_first, uint16_t *ret_last)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int r = tape_proc_read(t, -1, "sys/net/ipv4/ip_local_port_range", &b);

	return r < 0 ? r : procfs_port_range_parse(b.data, b.len, ret_first, ret_last);
}

int procfs_read_reserved_ports(struct tape *t, uint64_t bits[static PROCFS_PORT_WORDS])
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int r = tape_proc_read(t, -1, "sys/net/ipv4/ip_local_reserved_ports", &b);

	memset(bits, 0, PROCFS_PORT_WORDS * sizeof(*bits));
	return r < 0 ? r : procfs_port_list_parse(b.data, b.len, bits);
}

static int hidepid_of(struct text value)
{
	static const struct {
		const char *name;
		enum procfs_hidepid value;
	} names[] = {
		{ "0", PROCFS_HIDEPID_OFF },	    { "off", PROCFS_HIDEPID_OFF },
		{ "1", PROCFS_HIDEPID_NOACCESS },   { "noaccess", PROCFS_HIDEPID_NOACCESS },
		{ "2", PROCFS_HIDEPID_INVISIBLE },  { "invisible", PROCFS_HIDEPID_INVISIBLE },
		{ "4", PROCFS_HIDEPID_PTRACEABLE }, { "ptraceable", PROCFS_HIDEPID_PTRACEABLE },
	};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
		if (text_is(value, names[i].name))
			return names[i].value;
	return PROCFS_HIDEPID_INVISIBLE;
}

static void take_options(struct text options, struct procfs_mount *m)
{
	struct text option;

	*m = (struct procfs_mount){ 0 };
	while (text_until(&options, ',', &option)) {
		if (text_starts(option, "hidepid=")) {
			option.p += strlen("hidepid=");
			m->hidepid = hidepid_of(option);
		} else if (text_is(option, "subset=pid")) {
			m->is_subset_pid = true;
		}
	}
}

/*
 * "22 27 0:21 / /proc rw,relatime shared:5 - proc proc rw,hidepid=invisible": the mount point is
 * the fifth word; behind the lone dash come type, source and the options of the file system.
 */
static bool take_mount(struct text line, struct procfs_mount *m)
{
	struct text point, word, type, options;

	if (!text_skip(&line, 4) || !text_word(&line, &point) || !text_is(point, "/proc"))
		return false;
	do {
		if (!text_word(&line, &word))
			return false;
	} while (!text_is(word, "-"));
	if (!text_word(&line, &type) || !text_is(type, "proc") || !text_skip(&line, 1) ||
	    !text_word(&line, &options))
		return false;
	take_options(options, m);
	return true;
}

int procfs_mountinfo_parse(const void *data, size_t len, struct procfs_mount *ret_mount)
{
	struct text t = text_of(data, len), line;
	bool found = false;

	/* what was mounted last lies on top and stands last */
	while (text_line(&t, &line, NULL))
		found |= take_mount(line, ret_mount);
	return found ? 0 : -ENOENT;
}

int procfs_status_caps(const void *data, size_t len, uint64_t *ret_caps)
{
	struct text t = text_of(data, len), line;

	while (text_line(&t, &line, NULL)) {
		if (!text_starts(line, "CapEff:"))
			continue;
		line.p += strlen("CapEff:");
		return text_word_u64(&line, 16, ret_caps) ? 0 : -EBADMSG;
	}
	return -EBADMSG;
}

/* "net:[4026531840]" */
static bool namespace_of(struct text t, uint64_t *ret_inode)
{
	struct text name, rest;

	if (!text_until(&t, '[', &name) || !text_until(&t, ']', &rest))
		return false;
	return text_u64(rest, 10, ret_inode);
}

int procfs_read_namespace(struct tape *t, const char *name, uint64_t *ret_inode)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	char path[32];
	int r;

	snprintf(path, sizeof(path), "self/ns/%s", name);
	r = tape_proc_readlink(t, -1, path, &b);
	if (r < 0)
		return r;
	return namespace_of(text_of(b.data, b.len), ret_inode) ? 0 : -EBADMSG;
}

int procfs_read_view(struct tape *t, struct procfs_view *ret_view)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct procfs_view v = { 0 };
	int r;

	*ret_view = v;
	r = tape_proc_read(t, -1, "self/status", &b);
	if (r < 0)
		return r;
	v.is_caps_known = procfs_status_caps(b.data, b.len, &v.caps) == 0;
	procfs_read_namespace(t, "net", &v.netns);
	if (procfs_read_namespace(t, "pid", &v.pidns) == 0)
		v.is_initial_pidns = v.pidns == INITIAL_PIDNS;
	buf_clear(&b);
	if (tape_proc_read(t, -1, "self/mountinfo", &b) == 0)
		procfs_mountinfo_parse(b.data, b.len, &v.mount);
	*ret_view = v;
	return buf_error(&b);
}
