/* SPDX-License-Identifier: MIT */
/* Lines of net/sctp/assocs and net/sctp/eps. Addresses are lists; the primary one has a star. */
#include <arpa/inet.h>
#include <stdio.h>
#include <sys/socket.h>

#include "procfs/nettables-internal.h"

#include "model/sctp.h"

#define STYLE_ONE_TO_ONE 2 /* SCTP_SOCKET_TCP */

/* The kernel writes 127.0.0.1, and IPv6 in full: 0000:0000:...:0001. */
static bool address_of(struct text w, int *ret_family, uint8_t addr[static 16])
{
	char text[64];

	if (text_starts(w, "*"))
		w.p++;
	if (text_len(w) >= sizeof(text) || memchr(w.p, 0, text_len(w)))
		return false;
	memcpy(text, w.p, text_len(w));
	text[text_len(w)] = 0;
	*ret_family = strchr(text, ':') ? AF_INET6 : AF_INET;
	return inet_pton(*ret_family, text, addr) == 1;
}

/* Takes addresses up to "<->" or the line's end and keeps the primary one, else the first. */
static bool take_addresses(struct text *line, int *ret_family, uint8_t addr[static 16])
{
	bool have_any = false;
	uint8_t candidate[16];
	struct text w;
	int family;

	while (text_until(line, ' ', &w)) {
		if (w.p == w.end)
			continue;
		if (text_is(w, "<->"))
			break;
		memset(candidate, 0, sizeof(candidate));
		if (!address_of(w, &family, candidate))
			return false;
		if (!have_any || *w.p == '*') {
			memcpy(addr, candidate, sizeof(candidate));
			*ret_family = family;
		}
		have_any = true;
	}
	return have_any;
}

static void set_type(struct pv_conversation *row, uint32_t style)
{
	row->type = style == STYLE_ONE_TO_ONE ? SOCK_STREAM : SOCK_SEQPACKET;
}

static bool set_assoc_state(struct pv_conversation *row, uint32_t state)
{
	row->state = sctp_association_state(state);
	return row->state != PV_STATE_UNKNOWN;
}

static bool word_pointer(struct text *line)
{
	struct text w;

	return text_word(line, &w) && nettables_is_pointer(w);
}

static bool word_port(struct text *line, uint32_t *ret)
{
	return text_word_u32(line, 10, ret) && *ret <= 65535;
}

/*
 * assoc, sk, style, socket state, state, hash, id, send queue, receive queue, uid, inode, ports,
 * local addresses, "<->", remote addresses, a tab and more.
 */
static bool assoc_numbers(struct text *head, struct pv_conversation *row)
{
	uint32_t style, state;

	if (!word_pointer(head) || !word_pointer(head) || !text_word_u32(head, 10, &style) ||
	    !text_skip(head, 1) || !text_word_u32(head, 10, &state) ||
	    !set_assoc_state(row, state) || !text_skip(head, 2) ||
	    !text_word_u32(head, 10, &row->send_q) || !text_word_u32(head, 10, &row->recv_q) ||
	    !text_word_u32(head, 10, &row->uid) || !text_word_u32(head, 10, &row->inode))
		return false;
	set_type(row, style);
	return word_port(head, &row->local.port) && word_port(head, &row->remote.port);
}

bool nettables_assoc_line(struct text line, const struct table *table, struct pv_conversation *row)
{
	int family = AF_UNSPEC, remote_family = AF_UNSPEC;
	struct text head;

	(void)table;
	if (!text_until(&line, '\t', &head) || !assoc_numbers(&head, row) ||
	    !take_addresses(&head, &family, row->local.addr) ||
	    !take_addresses(&head, &remote_family, row->remote.addr))
		return false;
	row->family = (uint8_t)family;
	return family == remote_family;
}

/* endpoint, sk, style, socket state, hash, port, uid, inode, local addresses */
bool nettables_endpoint_line(struct text line, const struct table *table,
			     struct pv_conversation *row)
{
	uint32_t style, state;
	int family = AF_UNSPEC;

	(void)table;
	if (!word_pointer(&line) || !word_pointer(&line) || !text_word_u32(&line, 10, &style) ||
	    !text_word_u32(&line, 10, &state) || !text_skip(&line, 1) ||
	    !word_port(&line, &row->local.port) || !text_word_u32(&line, 10, &row->uid) ||
	    !text_word_u32(&line, 10, &row->inode))
		return false;
	set_type(row, style);
	row->state = state == PV_STATE_LISTEN ? PV_STATE_LISTEN : PV_STATE_CLOSE;
	if (!take_addresses(&line, &family, row->local.addr))
		return false;
	row->family = (uint8_t)family;
	return true;
}
