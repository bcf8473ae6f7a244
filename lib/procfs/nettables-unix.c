/* SPDX-License-Identifier: MIT */
/*
 * net/unix. Names stand in it as they are, newlines included: whatever follows a named row may be
 * part of that name. What does not have the exact form of a row is joined to the name before it;
 * what does have it is shown, but an inode that two rows claim belongs to neither for certain.
 */
#include <errno.h>
#include <sys/socket.h>

#include "base/map.h"
#include "procfs/nettables-internal.h"

#define NAME_MAX_BYTES 108	/* sun_path */
#define FLAG_LISTENS 0x00010000 /* __SO_ACCEPTCON */

/* SS_* of include/uapi/linux/net.h; an accepted one without a process reads as connecting */
enum { SS_CONNECTING = 2, SS_CONNECTED = 3, SS_DISCONNECTING = 4 };

struct unix_row {
	struct pv_conversation row;
	struct text line; /* without its newline; the joined lines of a name included */
	struct text name; /* as printed; NULL, NULL = no name */
};

/* Takes exactly n hexadecimal digits. */
static bool take_hex(struct text *t, size_t n, uint64_t *ret)
{
	struct text digits = { t->p, t->p + n };

	if (text_len(*t) < n || !text_u64(digits, 16, ret))
		return false;
	t->p += n;
	return true;
}

static bool take_str(struct text *t, const char *s)
{
	if (!text_starts(*t, s))
		return false;
	t->p += strlen(s);
	return true;
}

/* Decimal, padded with spaces to five places, as "%5lu" writes it. */
static bool take_inode(struct text *t, uint32_t *ret)
{
	const char *start = t->p;
	struct text digits;

	while (t->p < t->end && *t->p == ' ' && t->p - start < 4)
		t->p++;
	digits = (struct text){ t->p, t->p };
	while (digits.end < t->end && *digits.end >= '0' && *digits.end <= '9')
		digits.end++;
	t->p = digits.end;
	if (t->p - start < 5 || (digits.p > start && t->p - start != 5))
		return false;
	return text_u32(digits, 10, ret);
}

static bool set_state(struct pv_conversation *row, uint64_t flags, uint64_t state)
{
	if ((flags & ~(uint64_t)FLAG_LISTENS) || state == 0 || state > SS_DISCONNECTING)
		return false;
	if (flags & FLAG_LISTENS)
		row->state = PV_STATE_LISTEN;
	else if (state == SS_CONNECTED || state == SS_CONNECTING)
		row->state = PV_STATE_ESTABLISHED;
	else
		row->state = PV_STATE_CLOSE;
	return true;
}

/* A field of exactly n hexadecimal digits and what follows it. */
static bool take_field(struct text *t, size_t n, uint64_t *ret)
{
	return take_hex(t, n, ret) && take_str(t, " ");
}

static bool take_pointer(struct text *t)
{
	struct text pointer;

	return text_until(t, ':', &pointer) && nettables_is_pointer(pointer) && take_str(t, " ");
}

static bool set_type(struct pv_conversation *row, uint64_t type)
{
	row->type = (uint8_t)type;
	return type == SOCK_STREAM || type == SOCK_DGRAM || type == SOCK_SEQPACKET;
}

/* "%pK: %08X %08X %08X %04X %02X %5lu": references, protocol, flags, type, state, inode */
static bool parse_line(struct text t, struct unix_row *u)
{
	uint64_t references, protocol, flags, type, state;

	*u = (struct unix_row){
		.line = t,
		.row = { .family = AF_UNIX, .proto = PV_PROTO_UNIX, .uid = UINT32_MAX },
	};
	if (!take_pointer(&t) || !take_field(&t, 8, &references) || !take_field(&t, 8, &protocol) ||
	    !take_field(&t, 8, &flags) || !take_field(&t, 4, &type) || !take_field(&t, 2, &state) ||
	    !take_inode(&t, &u->row.inode))
		return false;
	if (protocol != 0 || !set_state(&u->row, flags, state) || !set_type(&u->row, type))
		return false;
	u->row.references = (uint32_t)references;
	if (t.p == t.end)
		return true;
	if (!take_str(&t, " ") || text_len(t) > NAME_MAX_BYTES)
		return false;
	u->name = t;
	return true;
}

/* Extends the name by lines that can only be the rest of it: they are no rows, and it fits. */
static void join_name(struct text *t, struct unix_row *u)
{
	struct text line, rest = *t;
	struct unix_row next;
	bool is_whole;

	while (u->name.p && text_line(&rest, &line, &is_whole) && is_whole &&
	       line.end - u->name.p <= NAME_MAX_BYTES && !parse_line(line, &next)) {
		u->name.end = u->line.end = line.end;
		*t = rest;
	}
}

/* Takes the next row; false at the end of the text. */
static bool take_row(struct text *t, struct unix_row *u, struct procfs_table_stats *stats)
{
	struct text line;
	bool is_whole;

	while (text_line(t, &line, &is_whole)) {
		if (is_whole && parse_line(line, u)) {
			join_name(t, u);
			return true;
		}
		stats->n_malformed++;
	}
	return false;
}

/* Inodes by the row that claimed them first, and those that another row claims too. */
struct claims {
	const char *start;
	struct map first, twice;
};

/* A row that is equal in every byte, pointer and name included, is the same socket read twice. */
static bool is_repetition(const struct claims *c, const struct unix_row *u)
{
	uint32_t offset = map_get(&c->first, u->row.inode);
	struct text t = { c->start + offset, u->line.p };
	struct procfs_table_stats ignored = { 0 };
	struct unix_row first;

	return offset != MAP_NONE && t.p < t.end && take_row(&t, &first, &ignored) &&
	       text_len(first.line) == text_len(u->line) &&
	       !memcmp(first.line.p, u->line.p, text_len(u->line));
}

static int claim(struct claims *c, const struct unix_row *u)
{
	uint32_t old;
	int r;

	if (!u->row.inode)
		return 0;
	r = map_insert(&c->first, u->row.inode, (uint32_t)(u->line.p - c->start), &old);
	if (r <= 0 || is_repetition(c, u))
		return r < 0 ? r : 0;
	return map_put(&c->twice, u->row.inode, 0);
}

static int give(struct unix_row *u, const struct claims *c, const struct sink *sink,
		struct procfs_table_stats *stats)
{
	char name[NAME_MAX_BYTES];
	struct pv_bytes path = { name, (uint32_t)text_len(u->name) };

	if (u->row.inode && is_repetition(c, u)) {
		stats->n_doubled++;
		return 0;
	}
	if (u->name.p) {
		memcpy(name, u->name.p, path.len);
		/* abstract names begin with a NUL, which is printed as '@' */
		if (path.len && name[0] == '@')
			name[0] = 0;
		u->row.path = &path;
	}
	if (u->row.inode && map_get(&c->twice, u->row.inode) != MAP_NONE) {
		u->row.flags |= PV_CONV_INODE_TWICE;
		stats->n_untrusted++;
	}
	stats->n_rows++;
	return sink->row(sink->userdata, &u->row);
}

static int claim_all(struct text t, struct claims *c)
{
	struct procfs_table_stats ignored = { 0 };
	struct unix_row u;
	int r = 0;

	while (r == 0 && take_row(&t, &u, &ignored))
		r = claim(c, &u);
	return r;
}

int nettables_unix_parse(struct text text, const struct sink *sink,
			 struct procfs_table_stats *stats)
{
	struct claims c = { .start = text.p, .first = MAP_INIT, .twice = MAP_INIT };
	struct unix_row u;
	struct text head;
	int r;

	if (text_len(text) >= MAP_NONE)
		return -EMSGSIZE;
	if (!text_line(&text, &head, NULL))
		return 0;
	r = claim_all(text, &c);
	while (r == 0 && take_row(&text, &u, stats))
		r = give(&u, &c, sink, stats);
	map_deinit(&c.first);
	map_deinit(&c.twice);
	return r;
}
