/* SPDX-License-Identifier: MIT */
/*
 * DNS (RFC 1035) over UDP and TCP, mDNS and LLMNR; NetBIOS names have its form, but are not. A
 * message counts only when it can be read to its last byte. Every answer with an address is
 * remembered, if the query was seen: it names the remote end of conversations to come.
 */
#include <stdio.h>
#include <strings.h>
#include <sys/socket.h>

#include "base/inet.h"
#include "observe/observe-internal.h"

#define HEADER 12
#define NAME_MAX_TEXT 255
#define JUMPS_MAX 16
#define RECORDS_MAX 512
#define REPEATS_MAX 8
#define DETAIL_FULL (OBSERVE_DETAIL_MAX - 55) /* a question of fair length would not fit */

#define TYPE_A 1
#define TYPE_CNAME 5
#define TYPE_AAAA 28
#define TYPE_OPT 41
#define TYPE_NB 32
#define TYPE_NBSTAT 33
#define CLASS_IN 1
#define CLASS_ANY 255
#define CLASS_NONE 254
#define CLASS_CHAOS 3
#define IS_RESPONSE 0x8000 /* of the flags */
#define MDNS_BIT 0x8000	   /* RFC 6762: unicast answer wanted, or the cache is to be flushed */

struct message {
	const uint8_t *p;
	size_t len, pos;
	bool is_short; /* damage is the end of the bytes, not their contents */
	bool is_group; /* sent to a group of mDNS */
	uint16_t flags, questions, answers, authorities, additionals;
};

struct name {
	uint8_t text[NAME_MAX_TEXT];
	size_t len;
};

static bool fail_short(struct message *m)
{
	m->is_short = true;
	return false;
}

/* Reads a name, following pointers backwards; without the last dot; "." is empty. */
static bool read_name(struct message *m, struct name *ret)
{
	size_t pos = m->pos, jumps = 0;

	ret->len = 0;
	for (;;) {
		uint8_t n;

		if (pos >= m->len)
			return fail_short(m);
		n = m->p[pos];
		if ((n & 0xc0) == 0xc0) {
			if (pos + 1 >= m->len)
				return fail_short(m);
			if (jumps == 0)
				m->pos = pos + 2;
			/* a pointer that does not point back could make a loop */
			if (++jumps > JUMPS_MAX || (get_be16(m->p + pos) & 0x3fff) >= pos)
				return false;
			pos = get_be16(m->p + pos) & 0x3fff;
			if (pos < HEADER)
				return false;
			continue;
		}
		if (n > 63)
			return false;
		pos++;
		if (n == 0)
			break;
		if (n > m->len - pos)
			return fail_short(m);
		if (ret->len + 1 + n > sizeof(ret->text))
			return false;
		if (ret->len)
			ret->text[ret->len++] = '.';
		memcpy(ret->text + ret->len, m->p + pos, n);
		ret->len += n;
		pos += n;
	}
	if (jumps == 0)
		m->pos = pos;
	return true;
}

static bool is_class(uint16_t class)
{
	class &= (uint16_t)~MDNS_BIT;
	return class == CLASS_IN || class == CLASS_ANY || class == CLASS_CHAOS ||
	       class == CLASS_NONE;
}

static void detail_type(struct detail *d, uint16_t type)
{
	static const struct {
		uint16_t type;
		const char *name;
	} types[] = {
		{ 1, "A" },	 { 2, "NS" },	   { 5, "CNAME" }, { 6, "SOA" },    { 12, "PTR" },
		{ 15, "MX" },	 { 16, "TXT" },	   { 28, "AAAA" }, { 33, "SRV" },   { 35, "NAPTR" },
		{ 43, "DS" },	 { 48, "DNSKEY" }, { 64, "SVCB" }, { 65, "HTTPS" }, { 251, "IXFR" },
		{ 252, "AXFR" }, { 255, "ANY" },   { 257, "CAA" },
	};

	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (types[i].type == type) {
			detail_text(d, "type", types[i].name);
			return;
		}
	detail_printf(d, "type", "%u", type);
}

static void detail_question(struct detail *d, const struct name *name, uint16_t type)
{
	if (name->len)
		detail_bytes(d, "query", name->text, name->len);
	else
		detail_text(d, "query", ".");
	detail_type(d, type);
}

static void detail_rcode(struct detail *d, unsigned rcode)
{
	static const char *const names[] = { NULL,	"FORMERR", "SERVFAIL", "NXDOMAIN",
					     "NOTIMP",	"REFUSED", "YXDOMAIN", "YXRRSET",
					     "NXRRSET", "NOTAUTH", "NOTZONE" };

	if (rcode < sizeof(names) / sizeof(names[0]) && names[rcode])
		detail_text(d, "rcode", names[rcode]);
	else if (rcode)
		detail_printf(d, "rcode", "%u", rcode);
}

/* Long conversations: nothing new comes or would fit, but answers are still remembered. */
static bool is_full(const struct probe *p)
{
	return p->s->detail_len >= DETAIL_FULL || p->s->repeats >= REPEATS_MAX;
}

/*
 * Over which IPv6 address will it talk that asked by IPv4, over which at all that asked a resolver
 * of its own? The name is anybody's then.
 */
static const uint8_t *asker_of(const struct observe_payload *payload, int family)
{
	return payload->family == family && !inet_is_loopback(family, payload->dst) ? payload->dst
										    : NULL;
}

static int read_address(struct probe *p, const struct name *name, uint16_t type,
			const uint8_t *addr)
{
	const struct observe_payload *payload = p->payload;
	int family = type == TYPE_A ? AF_INET : AF_INET6;
	char text[INET_TEXT_MAX];

	if (!is_full(p))
		detail_bytes(&p->detail, "answer", text, inet_text(family, addr, text));
	if (!name)
		return 0;
	return asked_put(&p->o->asked, &(struct asked_answer){
					       .addr = addr,
					       .asker = asker_of(payload, family),
					       .name = (const char *)name->text,
					       .len = name->len,
					       .time = payload->time,
					       .family = family,
				       });
}

static bool is_same_name(const struct name *a, const struct name *b)
{
	return a->len == b->len &&
	       !strncasecmp((const char *)a->text, (const char *)b->text, a->len);
}

/* What answers are to: a question that was seen, and the name that its CNAMEs have led to. */
struct answered {
	bool was_asked;
	const struct name *asked;
	struct name alias;
};

/* Of the answer section: addresses of what was asked for are remembered under its name. */
static bool take_answer(struct probe *p, const struct message *m, struct answered *a,
			const struct name *owner, uint16_t type)
{
	struct message at = *m;

	if (!is_same_name(owner, &a->alias))
		return true;
	if (type == TYPE_CNAME)
		return read_name(&at, &a->alias);
	return read_address(p, a->was_asked ? a->asked : NULL, type, m->p + m->pos) >= 0;
}

/* One record; `a` NULL: not of the answer section. */
static bool read_record(struct probe *p, struct message *m, struct answered *a)
{
	struct name owner;
	uint16_t type, class, n;

	if (!read_name(m, &owner))
		return false;
	if (m->len - m->pos < 10)
		return fail_short(m);
	type = get_be16(m->p + m->pos);
	class = get_be16(m->p + m->pos + 2);
	n = get_be16(m->p + m->pos + 8);
	m->pos += 10;
	if (type == 0 || (type != TYPE_OPT && !is_class(class)))
		return false;
	if (n > m->len - m->pos)
		return fail_short(m);
	if ((type == TYPE_A && n != 4 && n != 0) || (type == TYPE_AAAA && n != 16 && n != 0))
		return false;
	if (a && (class & ~MDNS_BIT) == CLASS_IN && n &&
	    (type == TYPE_A || type == TYPE_AAAA || type == TYPE_CNAME) &&
	    !take_answer(p, m, a, &owner, type))
		return false;
	m->pos += n;
	return true;
}

/* NetBIOS names (RFC 1001 section 14.1): half a byte a letter, from A to P. */
static bool is_netbios(const struct name *name, uint16_t type)
{
	if ((type != TYPE_NB && type != TYPE_NBSTAT) || name->len < 32)
		return false;
	for (unsigned i = 0; i < 32; i++)
		if (name->text[i] < 'A' || name->text[i] > 'P')
			return false;
	return name->len == 32 || name->text[32] == '.';
}

static bool read_question(struct message *m, struct name *name, uint16_t *ret_type)
{
	if (!read_name(m, name))
		return false;
	if (m->len - m->pos < 4)
		return fail_short(m);
	*ret_type = get_be16(m->p + m->pos);
	if (*ret_type == 0 || !is_class(get_be16(m->p + m->pos + 2)) || is_netbios(name, *ret_type))
		return false;
	m->pos += 4;
	return true;
}

/*
 * The header alone rules most foreign bytes out. Queries, notifications and updates are asked about
 * one name (mDNS: many, with answers that are known already), answers repeat at most that.
 */
static bool header_is_sound(struct message *m)
{
	unsigned opcode = m->flags >> 11 & 15, rcode = m->flags & 15;
	bool is_response = m->flags & IS_RESPONSE, is_mdns = m->is_group || get_be16(m->p) == 0;

	if ((opcode != 0 && opcode != 4 && opcode != 5) || m->flags & 0x0040)
		return false;
	if ((unsigned)m->questions + m->answers + m->authorities + m->additionals > RECORDS_MAX)
		return false;
	if (is_response)
		return m->questions == 1 || (is_mdns && m->answers + m->authorities > 0) ||
		       (m->questions == 0 && rcode != 0 && m->answers == 0);
	if (rcode != 0 || m->questions == 0)
		return false;
	if (opcode == 0 && !is_mdns && m->answers)
		return false;
	return m->questions == 1 || is_mdns;
}

static bool read_header(struct message *m)
{
	if (m->len < HEADER)
		return fail_short(m);
	m->flags = get_be16(m->p + 2);
	m->questions = get_be16(m->p + 4);
	m->answers = get_be16(m->p + 6);
	m->authorities = get_be16(m->p + 8);
	m->additionals = get_be16(m->p + 10);
	m->pos = HEADER;
	return header_is_sound(m);
}

static bool detail_has_question(const struct probe *p, const struct detail *question)
{
	size_t n;
	const char *known = observe_state_detail(p->s, &n);

	return question->len && n >= question->len &&
	       memmem(known, n, question->text, question->len);
}

/* Notes a query; of a response, says whether its query was seen. */
static bool meet_question(struct probe *p, const struct message *m, const struct name *name,
			  uint16_t type)
{
	const struct observe_payload *payload = p->payload;
	bool is_response = m->flags & IS_RESPONSE;
	struct asked_question q = {
		.client = is_response ? payload->dst : payload->src,
		.server = is_response ? payload->src : payload->dst,
		.client_port = is_response ? payload->dst_port : payload->src_port,
		.id = get_be16(m->p),
		.type = type,
		.name = name->text,
		.len = name->len,
		.family = payload->family,
	};

	if (!payload->src || !payload->dst)
		return false;
	if (is_response)
		return asked_has(&p->o->asked, &q);
	asked_note(&p->o->asked, &q);
	return false;
}

/* Reads a whole message; false: damaged, then m->is_short tells whether for lack of bytes. */
static bool read_message(struct probe *p, struct message *m)
{
	struct name asked = { .len = 0 }, name;
	struct answered a = { .asked = &asked };
	struct detail question = { 0 };
	uint16_t type = 0;

	if (!read_header(m))
		return false;
	for (unsigned i = 0; i < m->questions; i++) {
		if (!read_question(m, i ? &name : &asked, &type))
			return false;
		if (!is_full(p))
			detail_question(&question, i ? &name : &asked, type);
	}
	if (!is_full(p) && !detail_has_question(p, &question))
		p->detail = question;
	if (m->flags & IS_RESPONSE && !is_full(p))
		detail_rcode(&p->detail, m->flags & 15);
	a.was_asked = m->questions == 1 && meet_question(p, m, &asked, type);
	a.alias = asked;
	for (unsigned i = 0; i < m->answers; i++)
		if (!read_record(p, m, m->flags & IS_RESPONSE ? &a : NULL))
			return false;
	for (unsigned i = 0; i < (unsigned)m->authorities + m->additionals; i++)
		if (!read_record(p, m, NULL))
			return false;
	return m->pos == m->len;
}

/* Messages of a stream stand behind their length; each is used up when it is whole. */
static enum probe_result stream(struct probe *p)
{
	enum probe_result result = p->is_decided ? PROBE_SURE : PROBE_MORE;

	while (p->len - p->used >= 2) {
		struct message m = { .p = p->data + p->used + 2,
				     .len = get_be16(p->data + p->used) };

		if (m.len < HEADER)
			return result == PROBE_DONE ? PROBE_DONE : PROBE_NO;
		if (p->len - p->used - 2 < HEADER)
			break;
		if (p->len - p->used - 2 < m.len)
			return read_header(&m) ? result : PROBE_NO;
		p->detail.len = 0;
		if (!read_message(p, &m))
			return PROBE_NO;
		p->used += 2 + m.len;
		result = PROBE_DONE;
	}
	return result;
}

/* RFC 6762 section 3. Its queries should have the id 0; those of some phones do not. */
static bool is_to_group(const struct observe_payload *payload)
{
	static const uint8_t group4[4] = { 224, 0, 0, 251 };
	static const uint8_t group6[16] = { 0xff, 0x02, [15] = 0xfb };

	if (!payload->dst)
		return false;
	return payload->family == AF_INET    ? !memcmp(payload->dst, group4, 4)
	       : payload->family == AF_INET6 ? !memcmp(payload->dst, group6, 16)
					     : false;
}

enum probe_result observe_dns_probe(struct probe *p)
{
	struct message m = { .p = p->data, .len = p->len, .is_group = is_to_group(p->payload) };

	if (p->payload->transport == PV_TRANSPORT_TCP)
		return stream(p);
	if (read_message(p, &m))
		return PROBE_DONE;
	/* what is cut behind its question is still a question */
	return m.is_short && p->is_last && p->detail.len ? PROBE_DONE : PROBE_NO;
}
