/* SPDX-License-Identifier: MIT */
/*
 * Rows from text: a name and key=value words, %HH for odd bytes. holder= takes
 * PID,FD,COMM,EXE,UNIT,CONTAINER,CGROUP and may be repeated.
 */
#include "filter_test.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fcntl.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fdio.h"

struct row_reader {
	struct pv_snapshot *s;
	struct pv_conversation row;
	struct pv_bytes path;
	struct pv_detail detail;
	struct pv_holder holders[4];
	uint32_t n_holders;
};

static size_t decode(char *text)
{
	char *out = text, *in = text;

	while (*in) {
		unsigned int byte;

		if (*in == '%' && sscanf(in + 1, "%2x", &byte) == 1) {
			*out++ = (char)byte;
			in += 3;
		} else {
			*out++ = *in++;
		}
	}
	*out = '\0';
	return (size_t)(out - text);
}

/* ADDRESS|PORT */
static void set_end(struct row_reader *r, struct pv_endpoint *end, char *value)
{
	char *bar = strchr(value, '|');

	assert_non_null(bar);
	*bar = '\0';
	end->port = (uint32_t)strtoul(bar + 1, NULL, 0);
	if (r->row.family == AF_VSOCK) {
		uint32_t cid = (uint32_t)strtoul(value, NULL, 0);

		memcpy(end->addr, &cid, sizeof(cid));
	} else if (r->row.family == AF_INET || r->row.family == AF_INET6) {
		assert_int_equal(inet_pton(r->row.family, value, end->addr), 1);
	}
}

static void add_holder(struct row_reader *r, char *value)
{
	struct pv_process p = { 0 };
	struct pv_bytes *strings[] = { &p.comm, &p.exe, &p.unit, &p.container, &p.cgroup };
	struct pv_holder *h = &r->holders[r->n_holders++];
	char *field = strsep(&value, ",");

	assert_true(r->n_holders <= 4);
	p.pid = (int32_t)strtol(field, NULL, 10);
	field = strsep(&value, ",");
	h->fd = (int32_t)strtol(field, NULL, 10);
	for (size_t i = 0; i < sizeof(strings) / sizeof(*strings) && value; i++) {
		field = strsep(&value, ",");
		strings[i]->len = (uint32_t)decode(field);
		strings[i]->data = field;
	}
	assert_int_equal(snapshot_add_process(r->s, &p, &h->process), 0);
}

static uint64_t number(const char *value)
{
	char *end;
	uint64_t v = strtoull(value, &end, 0);

	if (*end)
		fail_msg("not a number: %s", value);
	return v;
}

static uint8_t index_of(const char *value, const char *(*name)(unsigned int), unsigned int n)
{
	for (unsigned int i = 0; i < n; i++)
		if (!strcmp(name(i), value))
			return (uint8_t)i;
	fail_msg("unknown word: %s", value);
	return 0;
}

static const char *proto_name(unsigned int i)
{
	return pv_proto_name((enum pv_proto)i);
}

static const char *direction_name(unsigned int i)
{
	return pv_direction_name((enum pv_direction)i);
}

static const char *reason_name(unsigned int i)
{
	return pv_reason_name((enum pv_reason)i);
}

static const char *state_name(unsigned int i)
{
	return pv_state_name(PV_PROTO_TCP, (enum pv_state)i);
}

static const char *family_name(unsigned int i)
{
	return i == AF_INET	 ? "inet"
	       : i == AF_INET6	 ? "inet6"
	       : i == AF_UNIX	 ? "unix"
	       : i == AF_PACKET	 ? "packet"
	       : i == AF_NETLINK ? "netlink"
	       : i == AF_VSOCK	 ? "vsock"
				 : "?";
}

static void set_key(struct row_reader *r, const char *key, char *value)
{
	const struct {
		const char *key;
		uint32_t *field;
	} numbers[] = {
		{ "uid", &r->row.uid },	      { "inode", &r->row.inode },
		{ "mark", &r->row.mark },     { "ifindex", &r->row.ifindex },
		{ "netns", &r->row.netns },   { "recv_q", &r->row.recv_q },
		{ "send_q", &r->row.send_q }, { "peer", &r->row.peer },
	};

	for (size_t i = 0; i < sizeof(numbers) / sizeof(*numbers); i++) {
		if (!strcmp(key, numbers[i].key)) {
			*numbers[i].field = (uint32_t)number(value);
			return;
		}
	}
	if (!strcmp(key, "family"))
		r->row.family = index_of(value, family_name, AF_MAX);
	else if (!strcmp(key, "proto"))
		r->row.proto = index_of(value, proto_name, PV_PROTO_N);
	else if (!strcmp(key, "state"))
		r->row.state = index_of(value, state_name, PV_STATE_N);
	else if (!strcmp(key, "direction"))
		r->row.direction = index_of(value, direction_name, PV_DIR_N);
	else if (!strcmp(key, "reason"))
		r->row.owner_reason = index_of(value, reason_name, PV_REASON_N);
	else if (!strcmp(key, "protocol"))
		r->row.protocol = (uint8_t)number(value);
	else if (!strcmp(key, "cookie"))
		r->row.cookie = number(value);
	else if (!strcmp(key, "local"))
		set_end(r, &r->row.local, value);
	else if (!strcmp(key, "remote"))
		set_end(r, &r->row.remote, value);
	else if (!strcmp(key, "holder"))
		add_holder(r, value);
	else if (!strcmp(key, "cgroup_id"))
		r->detail = (struct pv_detail){ .present = PV_DETAIL_CGROUP,
						.cgroup_id = number(value) };
	else if (!strcmp(key, "path"))
		r->path = (struct pv_bytes){ value, (uint32_t)decode(value) };
	else
		fail_msg("unknown key %s", key);
}

static void add_row(struct named_rows *rows, char *line)
{
	struct row_reader r = { .s = rows->snapshot };
	struct pv_conversation *row;
	char *word = strsep(&line, " ");

	assert_int_equal(vec_push(&rows->names, strdup(word)), 0);
	while ((word = strsep(&line, " "))) {
		char *value = strchr(word, '=');

		if (!value)
			continue;
		*value = '\0';
		set_key(&r, word, value + 1);
	}
	if (r.path.data)
		r.row.path = &r.path;
	if (r.detail.present)
		r.row.detail = &r.detail;
	row = snapshot_add(r.s, &r.row);
	assert_non_null(row);
	if (r.n_holders)
		assert_int_equal(snapshot_set_holders(r.s, row, r.holders, r.n_holders), 0);
}

void rows_load(struct named_rows *rows, const char *path)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct pv_netns ns[] = {
		{ .inode = 4026531840, .ephemeral_first = 32768, .ephemeral_last = 60999 },
		{ .inode = 4026532001 }
	};
	char *text, *line;

	*rows = (struct named_rows){ .snapshot = snapshot_new() };
	assert_non_null(rows->snapshot);
	assert_int_equal(file_read_at(AT_FDCWD, path, &b), 0);
	assert_int_equal(vec_push(&rows->snapshot->netns, ns[0]), 0);
	assert_int_equal(vec_push(&rows->snapshot->netns, ns[1]), 0);
	assert_int_equal(snapshot_add_user(rows->snapshot, 0, "root"), 0);
	assert_int_equal(snapshot_add_user(rows->snapshot, 1000, "alice"), 0);
	assert_int_equal(snapshot_add_ifname(rows->snapshot, 0, 1, "lo"), 0);
	assert_int_equal(snapshot_add_ifname(rows->snapshot, 0, 2, "eth0"), 0);
	text = (char *)buf_str(&b);
	while ((line = strsep(&text, "\n")))
		if (*line && *line != '#')
			add_row(rows, line);
	snapshot_seal(rows->snapshot);
}

void rows_free(struct named_rows *rows)
{
	for (size_t i = 0; i < rows->names.n; i++)
		free(rows->names.items[i]);
	vec_deinit(&rows->names);
	pv_snapshot_free(rows->snapshot);
}
