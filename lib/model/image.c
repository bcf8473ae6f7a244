/* SPDX-License-Identifier: MIT */
/*
 * An image is
 *   "portavoz-image 1\n"
 *   for each table: "NAME COUNT MEMBER:KIND ...\n", then COUNT records of its members in that order
 * KIND u is a number (LEB128), b a length (LEB128) and as many bytes.
 */
#include "model/image.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"

#define MAGIC "portavoz-image 1\n"
#define MEMBERS_MAX 64

enum member_kind {
	MEMBER_NUMBER,	/* an integer of `size` bytes */
	MEMBER_BYTES,	/* struct pv_bytes */
	MEMBER_POINTED, /* const struct pv_bytes *, NULL when empty */
	MEMBER_STRING,	/* const char *, NULL when empty */
	MEMBER_RAW,	/* `size` bytes; a shorter one is filled with zeros */
	MEMBER_BITMAP,	/* const void * to `size` bytes, NULL when empty */
};

struct member {
	const char *name;
	uint32_t offset, size;
	uint8_t kind;
	uint32_t limit; /* a number is below it; 0 = any */
};

#define SIZE(type, member) sizeof(((type *)NULL)->member)
#define NUMBER(type, member, limit)                                                                \
	{                                                                                          \
#member, offsetof(type, member), SIZE(type, member), MEMBER_NUMBER, limit          \
	}
#define OTHER(kind, type, member)                                                                  \
	{                                                                                          \
#member, offsetof(type, member), SIZE(type, member), MEMBER_##kind, 0              \
	}

/* A row with the number of its detail: image_row.detail is 1 + that, or 0. */
struct image_row {
	struct pv_conversation c;
	uint32_t detail;
};

#define ROW(member, limit)                                                                         \
	{                                                                                          \
#member, offsetof(struct image_row, c.member),                                     \
			SIZE(struct pv_conversation, member), MEMBER_NUMBER, limit                 \
	}

static const struct member row_members[] = {
	ROW(cookie, 0),
	{ "local_addr", offsetof(struct image_row, c.local.addr), 16, MEMBER_RAW, 0 },
	{ "local_port", offsetof(struct image_row, c.local.port), 4, MEMBER_NUMBER, 0 },
	{ "remote_addr", offsetof(struct image_row, c.remote.addr), 16, MEMBER_RAW, 0 },
	{ "remote_port", offsetof(struct image_row, c.remote.port), 4, MEMBER_NUMBER, 0 },
	ROW(netns, 0),
	ROW(inode, 0),
	ROW(uid, 0),
	ROW(recv_q, 0),
	ROW(send_q, 0),
	ROW(ifindex, 0),
	ROW(mark, 0),
	ROW(timer_ms, 0),
	ROW(first_holder, 0),
	ROW(n_holders, 0),
	ROW(peer, 0),
	ROW(peer_inode, 0),
	ROW(family, 0),
	ROW(proto, PV_PROTO_SOCKETS_N),
	ROW(state, PV_STATE_N),
	ROW(type, 0),
	ROW(protocol, 0),
	ROW(timer, PV_TIMER_N),
	ROW(retrans, 0),
	ROW(direction, PV_DIR_N),
	ROW(direction_by, PV_BY_N),
	ROW(owner_reason, PV_REASON_N),
	ROW(shutdown, 0),
	ROW(flags, 0),
	ROW(verdict, PV_VERDICT_N),
	ROW(verdict_is_partial, 2),
	ROW(n_findings, 0),
	ROW(first_finding, 0),
	ROW(references, 0),
	ROW(exposure, PV_EXPOSURE_N),
	ROW(relation, 0),
	{ "path", offsetof(struct image_row, c.path), 0, MEMBER_POINTED, 0 },
	{ "remote_name", offsetof(struct image_row, c.remote_name), 0, MEMBER_STRING, 0 },
	{ "detail", offsetof(struct image_row, detail), 4, MEMBER_NUMBER, 0 },
};

static const struct member detail_members[] = {
	NUMBER(struct pv_detail, present, 0),	  NUMBER(struct pv_detail, tcp_len, 0),
	NUMBER(struct pv_detail, tos, 0),	  NUMBER(struct pv_detail, tclass, 0),
	NUMBER(struct pv_detail, class_id, 0),	  OTHER(RAW, struct pv_detail, mem),
	OTHER(RAW, struct pv_detail, congestion), NUMBER(struct pv_detail, cgroup_id, 0),
	OTHER(RAW, struct pv_detail, tcp),
};

#define PROCESS(member) NUMBER(struct pv_process, member, 0)
#define PROCESS_BYTES(member) OTHER(BYTES, struct pv_process, member)
static const struct member process_members[] = {
	PROCESS(pid),
	PROCESS(uid),
	PROCESS(start_ticks),
	PROCESS_BYTES(comm),
	PROCESS_BYTES(exe),
	PROCESS_BYTES(cmdline),
	PROCESS_BYTES(cgroup),
	PROCESS_BYTES(unit),
	PROCESS_BYTES(runtime),
	PROCESS_BYTES(container),
	NUMBER(struct pv_process, reason, PV_REASON_N),
	PROCESS(known),
	PROCESS(ppid),
	PROCESS(parent),
	PROCESS(listen_pid),
	PROCESS(listen_fds),
	PROCESS_BYTES(listen_names),
	PROCESS(exe_device),
	PROCESS(exe_inode),
	PROCESS(exe_links),
	PROCESS(exe_uid),
	PROCESS_BYTES(preload),
};

#define RELATION(member, limit) NUMBER(struct snapshot_relation, member, limit)
#define RELATION_RAW(member) OTHER(RAW, struct snapshot_relation, member)
static const struct member relation_members[] = {
	RELATION_RAW(translation.local.addr),
	RELATION(translation.local.port, UINT16_MAX + 1),
	RELATION_RAW(translation.remote.addr),
	RELATION(translation.remote.port, UINT16_MAX + 1),
	RELATION(translation.family, 0),
	RELATION(translation.is_opener, 2),
	RELATION(translation.n_hops, 0),
	RELATION(translation.netns, 0),
	RELATION(n_candidates, 0),
	RELATION(has_publication, 2),
	RELATION_RAW(publication.addr),
	RELATION(publication.family, 0),
	RELATION(publication.prefix, 129),
	RELATION(publication.by, PV_PUBLISHED_BY_N),
	RELATION(publication.table_family, 0),
	RELATION(publication.is_partial, 2),
	RELATION(publication.is_port_unsure, 2),
	RELATION(publication.first_port, 0),
	RELATION(publication.last_port, 0),
	RELATION(publication.netns, 0),
	RELATION(publication.n_candidates, 0),
	RELATION(publication.n_more, 0),
	OTHER(BYTES, struct snapshot_relation, publication.table),
	OTHER(BYTES, struct snapshot_relation, publication.chain),
};

static const struct member holder_members[] = { NUMBER(struct pv_holder, process, 0),
						NUMBER(struct pv_holder, fd, 0) };

static const struct member netns_members[] = {
	NUMBER(struct pv_netns, inode, 0),
	NUMBER(struct pv_netns, ephemeral_first, 0),
	NUMBER(struct pv_netns, ephemeral_last, 0),
	{ "reserved", offsetof(struct pv_netns, reserved), 8192, MEMBER_BITMAP, 0 },
	OTHER(BYTES, struct pv_netns, name),
	NUMBER(struct pv_netns, name_by, PV_NETNS_BY_N),
	NUMBER(struct pv_netns, is_own, 2),
	NUMBER(struct pv_netns, is_read, 2),
	NUMBER(struct pv_netns, pid, 0),
	OTHER(BYTES, struct pv_netns, runtime),
	OTHER(BYTES, struct pv_netns, container),
};

static const struct member name_members[] = { NUMBER(struct snapshot_user, id, 0),
					      OTHER(STRING, struct snapshot_user, name) };
static const struct member source_members[] = {
	OTHER(STRING, struct pv_source, name), OTHER(STRING, struct pv_source, via),
	OTHER(STRING, struct pv_source, cause), NUMBER(struct pv_source, state, PV_SOURCE_OFF + 1)
};
static const struct member gap_members[] = { NUMBER(struct pv_gap, kind, PV_GAP_N),
					     NUMBER(struct pv_gap, count, 0),
					     OTHER(STRING, struct pv_gap, detail) };
static const struct member clock_members[] = { NUMBER(struct pv_clock, boot_time, 0),
					       NUMBER(struct pv_clock, uptime_ticks, 0) };

/* A finding by the name of its rule: numbers of rules differ between versions. */
struct image_finding {
	const char *rule;
	struct pv_finding f;
};
static const struct member finding_members[] = {
	{ "rule", offsetof(struct image_finding, rule), 0, MEMBER_STRING, 0 },
	{ "process", offsetof(struct image_finding, f.process), 4, MEMBER_NUMBER, 0 },
	{ "evidence", offsetof(struct image_finding, f.evidence), 0, MEMBER_BYTES, 0 },
};

/* What is being read or written: rows and details are gathered, all else lies in the snapshot. */
struct image {
	struct pv_snapshot *s;
	VEC(struct pv_detail) details;
};

struct table {
	const char *name;
	const struct member *members;
	size_t n_members, size;
	size_t (*count)(const struct pv_snapshot *s);
	/* record number i in *out; records are copied, `scratch` has room for one */
	void (*get)(const struct pv_snapshot *s, size_t i, void *scratch);
	int (*add)(struct image *m, const void *record);
};

/* --- tables --- */

#define VECTOR_TABLE(name, vec, type)                                                              \
	static size_t count_##name(const struct pv_snapshot *s)                                    \
	{                                                                                          \
		return s->vec.n;                                                                   \
	}                                                                                          \
	static void get_##name(const struct pv_snapshot *s, size_t i, void *scratch)               \
	{                                                                                          \
		memcpy(scratch, &s->vec.items[i], sizeof(type));                                   \
	}                                                                                          \
	static int add_##name(struct image *m, const void *record)                                 \
	{                                                                                          \
		const type *item = record;                                                         \
                                                                                                   \
		return vec_push(&m->s->vec, *item);                                                \
	}

VECTOR_TABLE(holders, holders, struct pv_holder)
VECTOR_TABLE(processes, processes, struct pv_process)
VECTOR_TABLE(netns, netns, struct pv_netns)
VECTOR_TABLE(users, users, struct snapshot_user)
VECTOR_TABLE(ifnames, ifnames, struct snapshot_user)
VECTOR_TABLE(relations, relations, struct snapshot_relation)
VECTOR_TABLE(gaps, gaps, struct pv_gap)
VECTOR_TABLE(sources, sources, struct pv_source)

static size_t count_clock(const struct pv_snapshot *s)
{
	(void)s;
	return 1;
}

static void get_clock(const struct pv_snapshot *s, size_t i, void *scratch)
{
	(void)i;
	memcpy(scratch, &s->clock, sizeof(s->clock));
}

static int add_clock(struct image *m, const void *record)
{
	memcpy(&m->s->clock, record, sizeof(m->s->clock));
	return 0;
}

static size_t count_rows(const struct pv_snapshot *s)
{
	return s->n_rows;
}

/* Details lie at the same number as their row: one that has none is empty. */
static void get_detail(const struct pv_snapshot *s, size_t i, void *scratch)
{
	const struct pv_detail *detail = snapshot_row(s, i)->detail;

	if (detail)
		memcpy(scratch, detail, sizeof(*detail));
	else
		memset(scratch, 0, sizeof(*detail));
}

static int add_detail(struct image *m, const void *record)
{
	const struct pv_detail *detail = record;

	return vec_push(&m->details, *detail);
}

static void get_row(const struct pv_snapshot *s, size_t i, void *scratch)
{
	struct image_row *row = scratch;

	row->c = *snapshot_row(s, i);
	row->detail = row->c.detail ? (uint32_t)i + 1 : 0;
}

static int add_row(struct image *m, const void *record)
{
	const struct image_row *row = record;
	struct pv_conversation c = row->c;

	c.detail = NULL;
	if (row->detail && row->detail <= m->details.n)
		c.detail = &m->details.items[row->detail - 1];
	return snapshot_add(m->s, &c) ? 0 : -ENOMEM;
}

static size_t count_findings(const struct pv_snapshot *s)
{
	return s->findings.n;
}

static void get_finding(const struct pv_snapshot *s, size_t i, void *scratch)
{
	struct image_finding *finding = scratch;
	size_t n;

	finding->f = s->findings.items[i];
	finding->rule = pv_rules(&n)[finding->f.rule].id;
}

static int add_finding(struct image *m, const void *record)
{
	const struct image_finding *finding = record;
	struct pv_finding f = finding->f;
	int rule = finding->rule ? pv_rule_find(finding->rule, strlen(finding->rule)) : -ENOENT;

	if (rule < 0)
		return -EBADMSG;
	f.rule = (uint32_t)rule;
	return vec_push(&m->s->findings, f);
}

#define TABLE(name, type, members, count, get, add)                                                \
	{                                                                                          \
		name, members, sizeof(members) / sizeof(*(members)), sizeof(type), count, get, add \
	}

/* Rows last: they refer to the others. */
static const struct table tables[] = {
	TABLE("clock", struct pv_clock, clock_members, count_clock, get_clock, add_clock),
	TABLE("netns", struct pv_netns, netns_members, count_netns, get_netns, add_netns),
	TABLE("users", struct snapshot_user, name_members, count_users, get_users, add_users),
	TABLE("interfaces", struct snapshot_user, name_members, count_ifnames, get_ifnames,
	      add_ifnames),
	TABLE("sources", struct pv_source, source_members, count_sources, get_sources, add_sources),
	TABLE("gaps", struct pv_gap, gap_members, count_gaps, get_gaps, add_gaps),
	TABLE("processes", struct pv_process, process_members, count_processes, get_processes,
	      add_processes),
	TABLE("holders", struct pv_holder, holder_members, count_holders, get_holders, add_holders),
	TABLE("findings", struct image_finding, finding_members, count_findings, get_finding,
	      add_finding),
	TABLE("relations", struct snapshot_relation, relation_members, count_relations,
	      get_relations, add_relations),
	TABLE("details", struct pv_detail, detail_members, count_rows, get_detail, add_detail),
	TABLE("rows", struct image_row, row_members, count_rows, get_row, add_row),
};
#define RECORD_MAX sizeof(struct image_row)
_Static_assert(sizeof(struct pv_detail) <= 2048 && RECORD_MAX <= 2048, "scratch is too small");

/* --- writing --- */

static void put_number(struct buf *b, uint64_t v)
{
	for (; v >= 0x80; v >>= 7)
		buf_putc(b, (char)(v | 0x80));
	buf_putc(b, (char)v);
}

static void put_bytes(struct buf *b, const void *data, size_t len)
{
	put_number(b, len);
	buf_put(b, data ? data : "", len);
}

static uint64_t load_number(const char *at, uint32_t size)
{
	uint64_t v = 0;

	/* in the byte order of this machine: the number is what counts */
	switch (size) {
	case 1:
		return *(const uint8_t *)at;
	case 2:
		v = *(const uint16_t *)at;
		break;
	case 4:
		v = *(const uint32_t *)at;
		break;
	default:
		memcpy(&v, at, sizeof(v));
	}
	return v;
}

static void put_member(struct buf *b, const struct member *m, const char *record)
{
	const char *at = record + m->offset, *string;
	const struct pv_bytes *bytes;

	switch ((enum member_kind)m->kind) {
	case MEMBER_NUMBER:
		put_number(b, load_number(at, m->size));
		break;
	case MEMBER_BYTES:
		bytes = (const struct pv_bytes *)at;
		put_bytes(b, bytes->data, bytes->len);
		break;
	case MEMBER_POINTED:
		memcpy(&bytes, at, sizeof(bytes));
		put_bytes(b, bytes ? bytes->data : NULL, bytes ? bytes->len : 0);
		break;
	case MEMBER_STRING:
		memcpy(&string, at, sizeof(string));
		put_bytes(b, string, string ? strlen(string) : 0);
		break;
	case MEMBER_RAW:
		put_bytes(b, at, m->size);
		break;
	case MEMBER_BITMAP:
		memcpy(&string, at, sizeof(string));
		put_bytes(b, string, string ? m->size : 0);
		break;
	}
}

void image_put(const struct pv_snapshot *s, struct buf *b)
{
	_Alignas(16) char scratch[2048];

	buf_puts(b, MAGIC);
	for (size_t t = 0; t < sizeof(tables) / sizeof(*tables); t++) {
		const struct table *table = &tables[t];
		size_t n = table->count(s);

		buf_printf(b, "%s %zu", table->name, n);
		for (size_t i = 0; i < table->n_members; i++)
			buf_printf(b, " %s:%c", table->members[i].name,
				   table->members[i].kind == MEMBER_NUMBER ? 'u' : 'b');
		buf_putc(b, '\n');
		for (size_t k = 0; k < n; k++) {
			table->get(s, k, scratch);
			for (size_t i = 0; i < table->n_members; i++)
				put_member(b, &table->members[i], scratch);
		}
	}
}

/* --- reading --- */

struct reader {
	const char *at, *end;
	struct image image;
};

/* A column of the table that is read: the member it is, or NULL, and its kind. */
struct column {
	const struct member *member;
	bool is_number;
};

static int get_number(struct reader *r, uint64_t *ret)
{
	unsigned shift = 0;

	*ret = 0;
	while (r->at < r->end && shift < 64) {
		uint8_t byte = (uint8_t)*r->at++;

		*ret |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80))
			return 0;
		shift += 7;
	}
	return -EBADMSG;
}

static int get_bytes(struct reader *r, struct pv_bytes *ret)
{
	uint64_t len;

	if (get_number(r, &len) < 0 || len > (uint64_t)(r->end - r->at) || len > UINT32_MAX)
		return -EBADMSG;
	*ret = (struct pv_bytes){ r->at, (uint32_t)len };
	r->at += len;
	return 0;
}

static int store_number(const struct member *m, char *record, uint64_t v)
{
	char *at = record + m->offset;

	if ((m->limit && v >= m->limit) || (m->size < 8 && v >> (8 * m->size)))
		return -EBADMSG;
	switch (m->size) {
	case 1:
		*(uint8_t *)at = (uint8_t)v;
		break;
	case 2:
		*(uint16_t *)at = (uint16_t)v;
		break;
	case 4:
		*(uint32_t *)at = (uint32_t)v;
		break;
	default:
		memcpy(at, &v, sizeof(v));
	}
	return 0;
}

static int store_bytes(struct reader *r, const struct member *m, char *record,
		       const struct pv_bytes *b)
{
	struct arena *arena = &r->image.s->arena;
	struct pv_bytes copy = *b, *pointed;
	char *at = record + m->offset;
	const char *string = NULL;

	if (m->kind == MEMBER_RAW) {
		memcpy(at, b->data, b->len < m->size ? b->len : m->size);
		return 0;
	}
	if (!b->len || (m->kind == MEMBER_BITMAP && b->len != m->size))
		return 0;
	string = copy.data = arena_dup(arena, b->data, b->len);
	if (!string)
		return -ENOMEM;
	if (m->kind == MEMBER_BYTES) {
		memcpy(at, &copy, sizeof(copy));
	} else if (m->kind == MEMBER_POINTED) {
		pointed = arena_dup(arena, &copy, sizeof(copy));
		if (!pointed)
			return -ENOMEM;
		memcpy(at, &pointed, sizeof(pointed));
	} else {
		memcpy(at, &string, sizeof(string));
	}
	return 0;
}

static int get_cell(struct reader *r, const struct column *c, char *record)
{
	struct pv_bytes bytes;
	uint64_t number;

	if (c->is_number) {
		if (get_number(r, &number) < 0)
			return -EBADMSG;
		return c->member ? store_number(c->member, record, number) : 0;
	}
	if (get_bytes(r, &bytes) < 0)
		return -EBADMSG;
	return c->member ? store_bytes(r, c->member, record, &bytes) : 0;
}

static const struct table *find_table(const char *name, size_t len)
{
	for (size_t i = 0; i < sizeof(tables) / sizeof(*tables); i++)
		if (strlen(tables[i].name) == len && !memcmp(tables[i].name, name, len))
			return &tables[i];
	return NULL;
}

static int set_column(struct column *c, const struct table *table, const char *word, size_t len)
{
	if (len < 3 || word[len - 2] != ':' || (word[len - 1] != 'u' && word[len - 1] != 'b'))
		return -EBADMSG;
	*c = (struct column){ .is_number = word[len - 1] == 'u' };
	for (size_t i = 0; table && i < table->n_members; i++)
		if (strlen(table->members[i].name) == len - 2 &&
		    !memcmp(table->members[i].name, word, len - 2))
			c->member = &table->members[i];
	if (c->member && c->is_number != (c->member->kind == MEMBER_NUMBER))
		return -EBADMSG;
	return 0;
}

/* "NAME COUNT MEMBER:KIND ..." */
static int get_header(struct reader *r, const struct table **table, uint64_t *count,
		      struct column columns[static MEMBERS_MAX], size_t *n)
{
	const char *newline = memchr(r->at, '\n', (size_t)(r->end - r->at)), *word = r->at;
	unsigned number = 0;

	if (!newline)
		return -EBADMSG;
	*n = *count = 0;
	for (; word <= newline; number++) {
		const char *space = memchr(word, ' ', (size_t)(newline - word));
		size_t len = (size_t)((space ? space : newline) - word);

		if (number == 0)
			*table = find_table(word, len);
		else if (number > 1 && *n == MEMBERS_MAX)
			return -EBADMSG;
		else if (number > 1 && set_column(&columns[(*n)++], *table, word, len) < 0)
			return -EBADMSG;
		for (size_t i = 0; number == 1 && i < len; i++) {
			if (word[i] < '0' || word[i] > '9' || *count > UINT32_MAX)
				return -EBADMSG;
			*count = *count * 10 + (uint64_t)(word[i] - '0');
		}
		word += len + 1;
	}
	r->at = newline + 1;
	return number > 2 ? 0 : -EBADMSG;
}

static int get_table(struct reader *r)
{
	_Alignas(16) char record[2048];
	struct column columns[MEMBERS_MAX];
	const struct table *table = NULL;
	uint64_t count;
	size_t n;
	int result = get_header(r, &table, &count, columns, &n);

	/* each cell takes a byte at least: a false count ends with the bytes */
	for (uint64_t k = 0; result == 0 && k < count; k++) {
		memset(record, 0, table ? table->size : 0);
		for (size_t i = 0; result == 0 && i < n; i++)
			result = get_cell(r, &columns[i], record);
		if (result == 0 && table)
			result = table->add(&r->image, record);
	}
	return result;
}

/* --- what refers to what --- */

static bool row_is_sound(const struct pv_snapshot *s, const struct pv_conversation *c)
{
	if (c->n_holders > s->holders.n || c->first_holder > s->holders.n - c->n_holders)
		return false;
	if (c->n_findings > s->findings.n || c->first_finding > s->findings.n - c->n_findings)
		return false;
	return c->peer <= s->n_rows && c->relation <= s->relations.n &&
	       (c->n_holders == 0 || c->owner_reason == 0);
}

static bool is_inet(uint8_t family)
{
	return family == AF_INET || family == AF_INET6;
}

static bool relation_is_sound(const struct snapshot_relation *r)
{
	const struct pv_publication *p = &r->publication;

	if (r->translation.n_hops && !is_inet(r->translation.family))
		return false;
	if (!p->family)
		return !p->prefix;
	return is_inet(p->family) && p->prefix <= (p->family == AF_INET ? 32 : 128);
}

static int check(const struct pv_snapshot *s)
{
	for (size_t i = 0; i < s->relations.n; i++)
		if (!relation_is_sound(&s->relations.items[i]))
			return -EBADMSG;
	for (size_t i = 0; i < s->holders.n; i++)
		if (s->holders.items[i].process >= s->processes.n)
			return -EBADMSG;
	for (size_t i = 0; i < s->findings.n; i++)
		if (s->findings.items[i].process != UINT32_MAX &&
		    s->findings.items[i].process >= s->processes.n)
			return -EBADMSG;
	for (size_t i = 0; i < s->processes.n; i++)
		if (s->processes.items[i].parent > s->processes.n)
			return -EBADMSG;
	for (size_t i = 0; i < s->n_rows; i++)
		if (!row_is_sound(s, snapshot_row(s, i)))
			return -EBADMSG;
	for (size_t i = 0; i < s->users.n; i++)
		if (!s->users.items[i].name)
			return -EBADMSG;
	for (size_t i = 0; i < s->ifnames.n; i++)
		if (!s->ifnames.items[i].name)
			return -EBADMSG;
	for (size_t i = 0; i < s->sources.n; i++)
		if (!s->sources.items[i].name || !s->sources.items[i].via)
			return -EBADMSG;
	return 0;
}

int image_get(const void *data, size_t len, struct pv_snapshot *s)
{
	static const size_t magic = sizeof(MAGIC) - 1;
	struct reader r = { .at = data, .image.s = s };
	int result = 0;

	r.end = r.at + len;
	if (len < magic || memcmp(data, MAGIC, magic) != 0)
		return -EBADMSG;
	r.at += magic;
	while (result == 0 && r.at < r.end)
		result = get_table(&r);
	vec_deinit(&r.image.details);
	return result < 0 ? result : check(s);
}
