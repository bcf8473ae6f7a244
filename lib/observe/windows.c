/* SPDX-License-Identifier: MIT */
/* SMB over NetBIOS or direct TCP (MS-SMB, MS-SMB2), and RDP's connection request (MS-RDPBCGR). */
#include "observe/observe-internal.h"

#define SMB_HEADER 32
#define SMB2_HEADER 64

/* --- SMB ------------------------------------------------------------------------------------ */

static const char *smb_dialect(uint16_t dialect)
{
	switch (dialect) {
	case 0x0202:
		return "2.0.2";
	case 0x0210:
		return "2.1";
	case 0x0300:
		return "3.0";
	case 0x0302:
		return "3.0.2";
	case 0x0311:
		return "3.1.1";
	case 0x02ff:
		return "2.???"; /* any version 2: the server wants to be asked again */
	default:
		return NULL;
	}
}

static uint16_t get_le16(const uint8_t *p)
{
	return (uint16_t)(p[0] | p[1] << 8);
}

/* SMB2 NEGOTIATE: what a client offers at most, or what the server chose. */
static void smb2_detail(struct probe *p, const uint8_t *m, size_t len)
{
	bool is_response = len > 16 && m[16] & 1;
	const char *text = NULL;

	if (len < SMB2_HEADER + 6 || get_le16(m + 12) != 0)
		return;
	m += SMB2_HEADER;
	len -= SMB2_HEADER;
	if (is_response) {
		text = smb_dialect(get_le16(m + 4));
	} else {
		size_t n = get_le16(m + 2);

		if (n && len >= 36 + 2 * n)
			text = smb_dialect(get_le16(m + 36 + 2 * (n - 1)));
	}
	if (text)
		detail_text(&p->detail, is_response ? "dialect" : "offers", text);
}

/* NetBIOS session request: two names in the encoding of RFC 1001 */
static enum probe_result netbios_request(struct probe *p)
{
	if (p->len < 5)
		return PROBE_MORE;
	return get_be32(p->data) == 0x81000044 && p->data[4] == 0x20 ? PROBE_SURE : PROBE_NO;
}

enum probe_result observe_smb_probe(struct probe *p)
{
	const uint8_t *m;
	size_t n;

	if (p->data[0] == 0x81)
		return netbios_request(p);
	if (p->data[0] != 0)
		return PROBE_NO;
	if (p->len < 5)
		return PROBE_MORE;
	m = p->data + 4;
	if (p->len < 8)
		return m[0] < 0xfd ? PROBE_NO : PROBE_MORE;
	n = get_be24(p->data + 1);
	if (m[0] < 0xfd || memcmp(m + 1, "SMB", 3) != 0 || n < SMB_HEADER)
		return PROBE_NO;
	if (m[0] != 0xfe) {
		/* 0xfd: encrypted, which came with version 3 */
		detail_text(&p->detail, "version", m[0] == 0xff ? "1" : "3");
		return PROBE_DONE;
	}
	if (p->len - 4 < n && !p->is_last)
		return PROBE_SURE;
	smb2_detail(p, m, p->len - 4 < n ? p->len - 4 : n);
	return PROBE_DONE;
}

/* --- RDP ------------------------------------------------------------------------------------ */

#define X224_REQUEST 0xe0
#define X224_CONFIRM 0xd0
#define COOKIE "Cookie: mstshash="

static void rdp_security(struct detail *d, uint32_t bits)
{
	static const char *const names[] = {
		"rdp", "tls", "credssp", "rdstls", "credssp-ex", "aad"
	};
	static const uint32_t values[] = { 0, 1, 2, 4, 8, 16 };
	char text[64];
	size_t len = 0;

	for (unsigned i = 1; i < 6; i++)
		if (bits & values[i]) {
			if (len)
				text[len++] = ',';
			memcpy(text + len, names[i], strlen(names[i]));
			len += strlen(names[i]);
		}
	if (len)
		detail_bytes(d, "security", text, len);
	else
		detail_text(d, "security", names[0]);
}

/* RDP_NEG_REQ, _RSP or _FAILURE: type, flags, length 8 (all little endian), a value */
static bool rdp_negotiation(struct probe *p, struct reader *r, uint8_t first, uint8_t last)
{
	const uint8_t *m = r->p;

	if (r->left < 8 || m[0] < first || m[0] > last || m[2] != 8 || m[3] != 0)
		return false;
	if (m[0] == 3)
		detail_printf(&p->detail, "refused", "%u", m[4]);
	else
		rdp_security(&p->detail, get_le16(m + 4));
	return true;
}

static enum probe_result rdp_request(struct probe *p, struct reader r)
{
	bool whole, has_cookie =
			    r.left > sizeof(COOKIE) - 1 && !memcmp(r.p, COOKIE, sizeof(COOKIE) - 1);
	struct span line;

	if (has_cookie) {
		line = first_line(r.p, r.left, &whole);
		detail_bytes(&p->detail, "cookie", line.p + sizeof(COOKIE) - 1,
			     line.n - (sizeof(COOKIE) - 1));
		if (!whole)
			return PROBE_DONE;
		read_span(&r, (size_t)((const uint8_t *)memchr(r.p, '\n', r.left) + 1 - r.p));
	}
	return rdp_negotiation(p, &r, 1, 1) || has_cookie ? PROBE_DONE : PROBE_NO;
}

/* TPKT (RFC 1006), then X.224; S7 and others share them, so RDP's own part must be there. */
enum probe_result observe_rdp_probe(struct probe *p)
{
	const uint8_t *d = p->data;
	struct reader r;
	size_t n;

	if (d[0] != 3 || (p->len > 1 && d[1] != 0))
		return PROBE_NO;
	if (p->len < 11)
		return p->len > 5 && d[5] != X224_REQUEST && d[5] != X224_CONFIRM ? PROBE_NO
										  : PROBE_MORE;
	n = get_be16(d + 2);
	if (n < 11 || n > 512 || d[4] != n - 5 || (d[5] != X224_REQUEST && d[5] != X224_CONFIRM))
		return PROBE_NO;
	if (p->len < n)
		return PROBE_MORE;
	r = reader_of(d + 11, n - 11);
	if (d[5] == X224_REQUEST)
		return rdp_request(p, r);
	return n == 19 && rdp_negotiation(p, &r, 2, 3) ? PROBE_DONE : PROBE_NO;
}
