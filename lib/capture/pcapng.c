/* SPDX-License-Identifier: MIT */
/*
 * pcapng (draft-ietf-opsawg-pcapng): blocks of a type and a length, which stands at both ends.
 * Packets (enhanced, simple and obsolete), interfaces and names are taken; every other block, of
 * whatever type, is passed over unread: secrets, statistics, systemd journals, custom ones. A
 * section header opens a section, whatever length the one before has claimed (often it is not
 * known), in its own byte order.
 */
#include <errno.h>
#include <sys/socket.h>

#include "capture/bytes.h"
#include "capture/file.h"

#define BLOCK_SECTION 0x0a0d0d0au
#define BLOCK_INTERFACE 1
#define BLOCK_PACKET 2 /* obsolete */
#define BLOCK_SIMPLE 3
#define BLOCK_NAMES 4
#define BLOCK_ENHANCED 6
#define ORDER_MAGIC 0x1a2b3c4du

#define BLOCK_MIN 12 /* type, length, length */
#define OPTION_END 0
#define IDB_TSRESOL 9
#define IDB_TSOFFSET 14
#define EPB_FLAGS 2
#define NAMES_IP4 1
#define NAMES_IP6 2

#define NS UINT64_C(1000000000)
#define NO_TIME UINT64_MAX

struct block {
	const uint8_t *body;
	uint32_t type;
	uint32_t len; /* of the body: between the two lengths */
	uint32_t total;
};

bool pcapng_is_magic(const uint8_t magic[static 4])
{
	return be32(magic) == BLOCK_SECTION; /* a palindrome */
}

static uint32_t pad4(uint32_t n)
{
	return (n + 3) & ~UINT32_C(3);
}

/* ---- options ---- */

struct option {
	const uint8_t *value;
	uint16_t code, len;
};

/* Next option of *p..end; false at the end of the list, or where it stops making sense. */
static bool next_option(const uint8_t **p, const uint8_t *end, bool swap, struct option *ret)
{
	if (end - *p < 4)
		return false;
	ret->code = file16(*p, swap);
	ret->len = file16(*p + 2, swap);
	ret->value = *p + 4;
	if (ret->code == OPTION_END || (size_t)(end - ret->value) < ret->len)
		return false;
	*p = (size_t)(end - ret->value) < pad4(ret->len) ? end : ret->value + pad4(ret->len);
	return true;
}

/* ---- time ---- */

/* Units a second of an if_tsresol byte; 0 = more than 64 bits hold. */
static uint64_t resolution(uint8_t tsresol)
{
	unsigned int exponent = tsresol & 0x7f;
	uint64_t v = 1;

	if (tsresol & 0x80)
		return exponent < 64 ? UINT64_C(1) << exponent : 0;
	for (; exponent > 0; exponent--)
		if (__builtin_mul_overflow(v, UINT64_C(10), &v))
			return 0;
	return v;
}

/* The same, where the resolution is no divisor of a nanosecond's, or there is an offset. */
static uint64_t to_ns_slow(const struct interface *i, uint64_t ticks)
{
	__int128 ns = (__int128)i->offset_s * (int64_t)NS;

	if (i->ticks_per_s > 0)
		ns += (__int128)((unsigned __int128)ticks * NS / i->ticks_per_s);
	return ns < 0 || ns > INT64_MAX ? NO_TIME : (uint64_t)ns;
}

/* Above INT64_MAX: not from 1970 to 2262. */
static uint64_t to_ns(const struct interface *i, uint64_t ticks)
{
	uint64_t ns;

	if (i->offset_s == 0 && i->ticks_per_s == 1000000 &&
	    !__builtin_mul_overflow(ticks, UINT64_C(1000), &ns))
		return ns;
	if (i->offset_s == 0 && i->ticks_per_s == NS)
		return ticks;
	return to_ns_slow(i, ticks);
}

/* ---- blocks ---- */

/* The block at the first unread byte; its body may reach beyond the window. 0, FORMAT_* */
static int next_block(struct capture_file *f, struct block *ret)
{
	const struct stream *in = &f->stream;
	const uint8_t *p = file_bytes(f);
	bool swap = f->pcapng.swap;

	if (in->skip || stream_left(in) < 12)
		return file_want(f, 12, "a block");
	ret->type = file32(p, swap);
	if (be32(p) == BLOCK_SECTION) {
		uint32_t magic = file32(p + 8, false);

		ret->type = BLOCK_SECTION;
		swap = magic != ORDER_MAGIC;
		if (swap && magic != __builtin_bswap32(ORDER_MAGIC))
			return file_damaged(f, 8, "a byte-order magic", "%02x %02x %02x %02x", p[8],
					    p[9], p[10], p[11]);
		f->pcapng.swap = swap;
	}
	ret->total = file32(p + 4, swap);
	if (ret->total < BLOCK_MIN || ret->total % 4 != 0)
		return file_damaged(f, 4, "a block length: 12 or more, a multiple of 4", "%u",
				    ret->total);
	ret->body = p + 8;
	ret->len = ret->total - BLOCK_MIN;
	return 0;
}

/* A block that is looked into is wholly in the window, and its two lengths agree. */
static int whole_block(struct capture_file *f, const struct block *b)
{
	uint32_t again;

	if (b->total > CAPTURE_PACKET_MAX + 4096)
		return file_damaged(f, 4, "a block length", "%u, over the limit of %u", b->total,
				    CAPTURE_PACKET_MAX + 4096);
	if (stream_left(&f->stream) < b->total)
		return file_want(f, b->total, "a block");
	again = file32(b->body + b->len, f->pcapng.swap);
	if (again != b->total)
		return file_damaged(f, b->total - 4, "the block length again", "%u instead of %u",
				    again, b->total);
	return 0;
}

static int body_too_short(struct capture_file *f, const struct block *b, uint32_t least,
			  const char *what)
{
	return file_damaged(f, 4, what, "a block with %u bytes, not %u", b->len, least);
}

static int take_section(struct capture_file *f, const struct block *b)
{
	uint16_t major;

	if (b->len < 16)
		return body_too_short(f, b, 16, "a section header");
	major = file16(b->body + 4, f->pcapng.swap);
	if (major != 1)
		return file_damaged(f, 12, "pcapng version 1", "version %u.%u", major,
				    file16(b->body + 6, f->pcapng.swap));
	capture_end_section(f);
	return 0;
}

static int take_interface(struct capture_file *f, const struct block *b)
{
	struct interface i = { .number = capture_number_interface(f->capture),
			       .ticks_per_s = 1000000 };
	const uint8_t *p = b->body + 8, *end = b->body + b->len;
	bool swap = f->pcapng.swap;
	struct option o;

	if (b->len < 8)
		return body_too_short(f, b, 8, "an interface description");
	i.link_type = file16(b->body, swap);
	i.snaplen = file32(b->body + 4, swap);
	while (next_option(&p, end, swap, &o)) {
		if (o.code == IDB_TSRESOL && o.len >= 1)
			i.ticks_per_s = resolution(o.value[0]);
		else if (o.code == IDB_TSOFFSET && o.len >= 8)
			i.offset_s = (int64_t)file64(o.value, swap);
	}
	return capture_add_interface(f, &i);
}

/* Names of one address: strings, each ended by NUL. */
static int take_strings(struct capture_file *f, int family, const uint8_t *addr, const uint8_t *p,
			const uint8_t *end)
{
	int r = 0;

	while (r == 0 && p < end) {
		size_t len = strnlen((const char *)p, (size_t)(end - p));

		r = capture_add_name(f->capture, family, addr, (const char *)p, len);
		p += len < (size_t)(end - p) ? len + 1 : len;
	}
	return r;
}

static int take_names(struct capture_file *f, const struct block *b)
{
	const uint8_t *p = b->body, *end = b->body + b->len;
	struct option o;
	int r = 0;

	/* records have the form of options; type 0 ends them */
	while (r == 0 && next_option(&p, end, f->pcapng.swap, &o)) {
		if (o.code == NAMES_IP4 && o.len > 4)
			r = take_strings(f, AF_INET, o.value, o.value + 4, o.value + o.len);
		else if (o.code == NAMES_IP6 && o.len > 16)
			r = take_strings(f, AF_INET6, o.value, o.value + 16, o.value + o.len);
	}
	return r;
}

/* ---- packets ---- */

/* Finds the interface; a packet of one that was not described is damage, for its link type is
 * unknown */
static int packet_interface(struct capture_file *f, uint32_t id, struct packet *ret,
			    const struct interface **ret_interface)
{
	if (id >= f->pcapng.interfaces.n)
		return file_damaged(f, 8, "an interface described before", "interface %u of %zu",
				    id, f->pcapng.interfaces.n);
	*ret_interface = &f->pcapng.interfaces.items[id];
	ret->interface = (*ret_interface)->number;
	ret->place = id;
	ret->link_type = (*ret_interface)->link_type;
	return 0;
}

static uint16_t packet_direction(const uint8_t *p, const uint8_t *end, bool swap)
{
	struct option o;

	while (next_option(&p, end, swap, &o)) {
		if (o.code != EPB_FLAGS || o.len < 4)
			continue;
		switch (file32(o.value, swap) & 3) {
		case 1:
			return PACKET_INBOUND;
		case 2:
			return PACKET_OUTBOUND;
		default:
			return 0;
		}
	}
	return 0;
}

/* Enhanced and obsolete blocks: 20 bytes, which differ only in how they tell the interface. */
static int take_packet(struct capture_file *f, const struct block *b, struct packet *ret)
{
	const struct interface *i = NULL;
	bool swap = f->pcapng.swap;
	const uint8_t *p = b->body;
	uint32_t id, padded;
	int r;

	if (b->len < 20)
		return body_too_short(f, b, 20, "a packet block");
	id = b->type == BLOCK_ENHANCED ? file32(p, swap) : file16(p, swap);
	r = packet_interface(f, id, ret, &i);
	if (r != 0)
		return r;
	ret->captured = file32(p + 12, swap);
	ret->wire = file32(p + 16, swap);
	ret->data = p + 20;
	if (ret->captured > b->len - 20)
		return file_damaged(f, 20, "a captured length", "%u in a block with room for %u",
				    ret->captured, b->len - 20);
	ret->time_ns = to_ns(i, (uint64_t)file32(p + 4, swap) << 32 | file32(p + 8, swap));
	padded = pad4(ret->captured);
	ret->flags = b->len - 20 > padded ? packet_direction(p + 20 + padded, p + b->len, swap) : 0;
	if (ret->time_ns > INT64_MAX) {
		ret->time_ns = f->last_time;
		ret->flags |= PACKET_UNTIMED;
	}
	f->last_time = ret->time_ns;
	return 0;
}

static int take_simple(struct capture_file *f, const struct block *b, struct packet *ret)
{
	const struct interface *i = NULL;
	int r;

	if (b->len < 4)
		return body_too_short(f, b, 4, "a simple packet block");
	r = packet_interface(f, 0, ret, &i);
	if (r != 0)
		return r;
	ret->wire = file32(b->body, f->pcapng.swap);
	ret->captured = i->snaplen && i->snaplen < ret->wire ? i->snaplen : ret->wire;
	if (ret->captured > b->len - 4)
		ret->captured = b->len - 4; /* the block says better what there is */
	ret->data = b->body + 4;
	ret->time_ns = f->last_time;
	ret->flags = PACKET_UNTIMED;
	return 0;
}

static bool is_packet(uint32_t type)
{
	return type == BLOCK_ENHANCED || type == BLOCK_SIMPLE || type == BLOCK_PACKET;
}

/* Sections, interfaces, names. */
static int take_other(struct capture_file *f, const struct block *b)
{
	switch (b->type) {
	case BLOCK_SECTION:
		return take_section(f, b);
	case BLOCK_INTERFACE:
		return take_interface(f, b);
	default:
		return take_names(f, b);
	}
}

static bool is_wanted(uint32_t type)
{
	return type == BLOCK_SECTION || type == BLOCK_INTERFACE || type == BLOCK_NAMES;
}

/* One block: 0 with *ret_is_packet, FORMAT_*, -errno. */
static int take_block(struct capture_file *f, struct packet *ret, bool *ret_is_packet)
{
	struct block b = { 0 };
	int r = next_block(f, &b);

	if (r != 0)
		return r;
	*ret_is_packet = is_packet(b.type);
	if (!*ret_is_packet && !is_wanted(b.type)) {
		stream_skip(&f->stream, b.total);
		return 0;
	}
	r = whole_block(f, &b);
	if (r != 0)
		return r;
	if (!*ret_is_packet)
		r = take_other(f, &b);
	else if (b.type == BLOCK_SIMPLE)
		r = take_simple(f, &b, ret);
	else
		r = take_packet(f, &b, ret);
	if (r == 0)
		stream_skip(&f->stream, b.total);
	return r;
}

static int pcapng_read(struct capture_file *f, struct packet *ret, size_t max, size_t *ret_n)
{
	size_t n = 0;
	int r = 0;

	while (n < max && r == 0) {
		bool is_a_packet = false;

		r = take_block(f, &ret[n], &is_a_packet);
		n += r == 0 && is_a_packet;
	}
	*ret_n = n;
	return r;
}

const struct format pcapng_format = { "pcapng", pcapng_read };
