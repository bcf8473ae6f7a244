/* SPDX-License-Identifier: MIT */
/*
 * IEEE 802.11 and the headers that capture tools put before it. Data frames lead to LLC, those of
 * an A-MSDU one after the other; protected frames and all others are conversations of their MAC
 * addresses.
 */
#include <string.h>

#include "capture/decode-internal.h"

#define TYPE_MANAGEMENT 0
#define TYPE_CONTROL 1
#define TYPE_DATA 2
#define FC_TO_DS 0x0100
#define FC_FROM_DS 0x0200
#define FC_MORE_FRAGMENTS 0x0400
#define FC_PROTECTED 0x4000
#define FC_ORDER 0x8000 /* in QoS frames: an HT control field */
#define SUBTYPE_NO_DATA 4
#define SUBTYPE_QOS 8
#define QOS_AMSDU 0x80

#define WIFI_HEADER 24
#define SUBFRAME_HEADER 14

static unsigned int type_of(uint16_t fc)
{
	return fc >> 2 & 3;
}

static unsigned int subtype_of(uint16_t fc)
{
	return fc >> 4 & 0xf;
}

/* Which of the addresses are the ends depends on how the frame crosses the distribution system. */
static void set_ends(struct machine *m, const uint8_t *p, uint16_t fc)
{
	bool to = fc & FC_TO_DS, from = fc & FC_FROM_DS;

	m->link->dst = to ? p + 16 : p + 4;
	m->link->src = !from ? p + 10 : to ? p + 24 : p + 16;
}

static uint32_t data_header(uint16_t fc)
{
	uint32_t n = WIFI_HEADER;

	if ((fc & FC_TO_DS) && (fc & FC_FROM_DS))
		n += 6;
	if (subtype_of(fc) & SUBTYPE_QOS)
		n += 2 + (fc & FC_ORDER ? 4 : 0);
	return n;
}

static enum step later(struct machine *m, uint16_t flags)
{
	other_frame(m);
	return odd(m, flags);
}

static enum step subframe(struct machine *m)
{
	const uint8_t *p = m->p;
	uint32_t len, whole;

	if (m->left < SUBFRAME_HEADER)
		return too_short(m, SUBFRAME_HEADER);
	len = be16(p + 12);
	whole = (SUBFRAME_HEADER + len + 3) & ~UINT32_C(3);
	m->link->dst = p;
	m->link->src = p + 6;
	m->beside_left = m->left > whole ? m->left - whole : 0;
	m->beside_wire = m->wire > whole ? m->wire - whole : 0;
	m->beside = p + (m->left > whole ? whole : m->left);
	if (SUBFRAME_HEADER + len > m->wire)
		odd(m, DECODE_BAD_LENGTH);
	limit(m, SUBFRAME_HEADER + len);
	take(m, SUBFRAME_HEADER);
	return STEP_LLC;
}

enum step step_subframe(struct machine *m)
{
	odd(m, DECODE_MORE_LATER);
	m->p = m->beside;
	m->left = m->beside_left;
	m->wire = m->beside_wire;
	m->beside_left = 0;
	begin_layer(m, DECODE_TUNNEL_AMSDU, 0);
	return subframe(m);
}

static enum step data_frame(struct machine *m, uint16_t fc, uint32_t padding)
{
	uint32_t header = data_header(fc);
	bool is_amsdu = false;

	if (m->left < header)
		return too_short(m, header);
	set_ends(m, m->p, fc);
	if (subtype_of(fc) & SUBTYPE_QOS)
		is_amsdu = m->p[header - (fc & FC_ORDER ? 6 : 2)] & QOS_AMSDU;
	if (le16(m->p + 22) & 0xf) /* fragment number */
		return later(m, DECODE_FRAGMENT | DECODE_LATER_FRAGMENT);
	header = padding ? (header + 3) & ~UINT32_C(3) : header;
	if (m->left < header)
		return too_short(m, header);
	take(m, header);
	if (subtype_of(fc) & SUBTYPE_NO_DATA)
		return other_frame(m);
	if (fc & FC_PROTECTED)
		return later(m, DECODE_ENCRYPTED);
	return is_amsdu ? subframe(m) : step_llc(m);
}

/* Sender and receiver; acknowledgements and clear-to-send name the receiver alone. */
static enum step other_wifi(struct machine *m, unsigned int type, unsigned int subtype)
{
	bool has_sender = type == TYPE_MANAGEMENT || (subtype != 12 && subtype != 13);
	uint32_t header = type == TYPE_MANAGEMENT ? WIFI_HEADER : has_sender ? 16 : 10;

	if (m->left < header)
		return too_short(m, header);
	m->link->dst = m->p + 4;
	m->link->src = has_sender ? m->p + 10 : NULL;
	take(m, header);
	return other_frame(m);
}

static enum step wifi(struct machine *m, bool is_padded)
{
	uint16_t fc;

	if (m->left < 2)
		return too_short(m, 2);
	fc = le16(m->p);
	if (fc & 3)
		return odd(m, DECODE_BAD_HEADER); /* protocol version */
	if (type_of(fc) == TYPE_DATA)
		return data_frame(m, fc, is_padded);
	return other_wifi(m, type_of(fc), subtype_of(fc));
}

enum step step_wifi(struct machine *m)
{
	return wifi(m, false);
}

#define RADIOTAP_TSFT 0x00000001u
#define RADIOTAP_FLAGS 0x00000002u
#define RADIOTAP_MORE 0x80000000u
#define RADIOTAP_F_FCS 0x10
#define RADIOTAP_F_DATAPAD 0x20

/* The flags field of a radiotap header of n bytes, all there; 0 = it has none. */
static uint8_t radiotap_flags(const uint8_t *p, uint32_t n)
{
	uint32_t present = le32(p + 4), at = 4;

	if (!(present & RADIOTAP_FLAGS))
		return 0;
	do { /* further words of presence bits stand before the fields */
		if (at + 4 > n)
			return 0;
		at += 4;
	} while (le32(p + at - 4) & RADIOTAP_MORE);
	if (present & RADIOTAP_TSFT)
		at = ((at + 7) & ~UINT32_C(7)) + 8;
	return at < n ? p[at] : 0;
}

enum step step_radiotap(struct machine *m)
{
	uint8_t flags;
	uint32_t n;

	if (m->left < 8)
		return too_short(m, 8);
	n = le16(m->p + 2);
	if (m->p[0] != 0 || n < 8)
		return odd(m, DECODE_BAD_HEADER);
	if (m->left < n)
		return too_short(m, n);
	flags = radiotap_flags(m->p, n);
	take(m, n);
	if ((flags & RADIOTAP_F_FCS) && m->wire >= 4)
		limit(m, m->wire - 4);
	return wifi(m, flags & RADIOTAP_F_DATAPAD);
}

/* Prism, or AVS under the same link type: both have their length at byte 4. */
enum step step_prism(struct machine *m)
{
	uint32_t n;

	if (m->left < 8)
		return too_short(m, 8);
	if ((be32(m->p) & 0xfffff000u) == 0x80211000u)
		return step_avs(m);
	n = le32(m->p + 4) <= UINT16_MAX ? le32(m->p + 4) : be32(m->p + 4);
	if (n < 8)
		return odd(m, DECODE_BAD_HEADER);
	if (m->left < n)
		return too_short(m, n);
	take(m, n);
	return wifi(m, false);
}

enum step step_avs(struct machine *m)
{
	uint32_t n;

	if (m->left < 8)
		return too_short(m, 8);
	n = be32(m->p + 4);
	if (n < 8)
		return odd(m, DECODE_BAD_HEADER);
	if (m->left < n)
		return too_short(m, n);
	take(m, n);
	return wifi(m, false);
}
