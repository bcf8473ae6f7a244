/* SPDX-License-Identifier: MIT */
/* -i of what lies over TCP (TLS, MPTCP subflows), of MPTCP and of SCTP. */
#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/mptcp.h>
#include <linux/sctp.h>
#include <linux/tls.h>
#include <string.h>
#include <sys/socket.h>

#include "cli/ss/ss.h"

/* Attributes within one, to be looked through like those of a socket. */
struct nested {
	struct pv_detail detail;
};

static bool nested_open(const struct pv_detail *in, uint16_t type, struct nested *ret)
{
	size_t len = 0;
	const void *data = pv_detail_attribute(in, type, &len);

	*ret = (struct nested){ .detail = { .attributes = data, .attributes_len = (uint32_t)len } };
	return data != NULL;
}

/* A number of up to 8 bytes, 0 when it is not there. */
static bool number(const struct nested *n, uint16_t type, uint64_t *ret)
{
	size_t len = 0;
	const void *data = pv_detail_attribute(&n->detail, type, &len);
	uint16_t two;
	uint32_t four;

	*ret = 0;
	if (data && len == 1)
		*ret = *(const uint8_t *)data;
	if (data && len == sizeof(two))
		*ret = (memcpy(&two, data, sizeof(two)), two);
	if (data && len == sizeof(four))
		*ret = (memcpy(&four, data, sizeof(four)), four);
	if (data && len >= sizeof(*ret))
		memcpy(ret, data, sizeof(*ret));
	return data != NULL;
}

struct word {
	uint16_t value;
	const char *name;
};

static void put_word(struct ss_view *w, const struct nested *n, uint16_t type, const char *title,
		     const struct word *words, size_t n_words)
{
	uint64_t v;

	if (!number(n, type, &v))
		return;
	for (size_t i = 0; i < n_words; i++) {
		if (words[i].value == v) {
			buf_printf(ss_text(w), " %s: %s", title, words[i].name);
			return;
		}
	}
	/* of ciphers ss knows the two, and passes over the others */
	if (type != TLS_INFO_CIPHER)
		buf_printf(ss_text(w), " %s: unknown(%u)", title, (unsigned)v);
}

#define PUT_WORD(w, n, type, title, words)                                                         \
	put_word(w, n, type, title, words, sizeof(words) / sizeof(*(words)))

static void put_tls(struct ss_view *w, const struct nested *n)
{
	static const struct word versions[] = { { TLS_1_2_VERSION, "1.2" },
						{ TLS_1_3_VERSION, "1.3" } };
	static const struct word ciphers[] = { { TLS_CIPHER_AES_GCM_128, "aes-gcm-128" },
					       { TLS_CIPHER_AES_GCM_256, "aes-gcm-256" } };
	static const struct word ways[] = { { TLS_CONF_BASE, "none" },
					    { TLS_CONF_SW, "sw" },
					    { TLS_CONF_HW, "hw" },
					    { TLS_CONF_HW_RECORD, "hw-record" } };
	uint64_t ignored;

	PUT_WORD(w, n, TLS_INFO_VERSION, "version", versions);
	PUT_WORD(w, n, TLS_INFO_CIPHER, "cipher", ciphers);
	PUT_WORD(w, n, TLS_INFO_RXCONF, "rxconf", ways);
	PUT_WORD(w, n, TLS_INFO_TXCONF, "txconf", ways);
	if (number(n, TLS_INFO_ZC_RO_TX, &ignored))
		buf_puts(ss_text(w), " zc_ro_tx");
}

static void put_subflow(struct ss_view *w, const struct nested *n)
{
	static const char letters[] = "MmJjBbecv"; /* a bit each, from the lowest on */
	static const struct word sequences[] = { { MPTCP_SUBFLOW_ATTR_MAP_SEQ, "seq" },
						 { MPTCP_SUBFLOW_ATTR_MAP_SFSEQ, "sfseq" },
						 { MPTCP_SUBFLOW_ATTR_SSN_OFFSET, "ssnoff" },
						 { MPTCP_SUBFLOW_ATTR_MAP_DATALEN, "maplen" } };
	uint64_t flags, token_rem, token_loc, id_rem, id_loc, v;
	struct buf *b = ss_text(w);

	number(n, MPTCP_SUBFLOW_ATTR_FLAGS, &flags);
	if (flags)
		buf_puts(b, " flags:");
	for (size_t i = 0; letters[i]; i++)
		if (flags >> i & 1)
			buf_putc(b, letters[i]);
	if (number(n, MPTCP_SUBFLOW_ATTR_TOKEN_REM, &token_rem) &&
	    number(n, MPTCP_SUBFLOW_ATTR_TOKEN_LOC, &token_loc) &&
	    number(n, MPTCP_SUBFLOW_ATTR_ID_REM, &id_rem) &&
	    number(n, MPTCP_SUBFLOW_ATTR_ID_LOC, &id_loc))
		buf_printf(b, " token:%04x(id:%u)/%04x(id:%u)", (unsigned)token_rem,
			   (unsigned)id_rem, (unsigned)token_loc, (unsigned)id_loc);
	for (size_t i = 0; i < sizeof(sequences) / sizeof(*sequences); i++)
		if (number(n, sequences[i].value, &v))
			buf_printf(b, " %s:%llx", sequences[i].name, (unsigned long long)v);
}

static void put_ulp(struct ss_view *w, const struct pv_conversation *row)
{
	struct nested ulp, inner;
	size_t len = 0;
	const char *name;

	if (!nested_open(row->detail, INET_DIAG_ULP_INFO, &ulp))
		return;
	name = pv_detail_attribute(&ulp.detail, INET_ULP_INFO_NAME, &len);
	if (name) {
		buf_puts(ss_text(w), " tcp-ulp-");
		ss_put_foreign(w, name, strnlen(name, len));
	}
	if (nested_open(&ulp.detail, INET_ULP_INFO_TLS, &inner))
		put_tls(w, &inner);
	if (nested_open(&ulp.detail, INET_ULP_INFO_MPTCP, &inner))
		put_subflow(w, &inner);
}

struct field {
	const char *format;
	uint64_t value;
};

static void put_fields(struct ss_view *w, const struct field *fields, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (fields[i].value) {
			bool is_hex = fields[i].format[0] == 'x';

			buf_printf(ss_text(w), is_hex ? " %s:%llx" : " %s:%llu",
				   fields[i].format + is_hex, (unsigned long long)fields[i].value);
		}
}

#define PUT_FIELDS(w, fields) put_fields(w, fields, sizeof(fields) / sizeof(*(fields)))

static void put_mptcp(struct ss_view *w, const struct pv_conversation *row)
{
	struct mptcp_info i;

	if (!ss_attribute(row, INET_DIAG_INFO, &i, sizeof(i)))
		return;
	const struct field counts[] = {
		{ "subflows", i.mptcpi_subflows },
		{ "add_addr_signal", i.mptcpi_add_addr_signal },
		{ "add_addr_accepted", i.mptcpi_add_addr_accepted },
		{ "subflows_max", i.mptcpi_subflows_max },
		{ "add_addr_signal_max", i.mptcpi_add_addr_signal_max },
		{ "add_addr_accepted_max", i.mptcpi_add_addr_accepted_max },
	};
	const struct field numbers[] = {
		{ "xtoken", i.mptcpi_token },
		{ "xwrite_seq", i.mptcpi_write_seq },
		{ "xsnd_una", i.mptcpi_snd_una },
		{ "xrcv_nxt", i.mptcpi_rcv_nxt },
	};

	PUT_FIELDS(w, counts);
	if (i.mptcpi_flags & MPTCP_INFO_FLAG_FALLBACK)
		buf_puts(ss_text(w), " fallback");
	if (i.mptcpi_flags & MPTCP_INFO_FLAG_REMOTE_KEY_RECEIVED)
		buf_puts(ss_text(w), " remote_key");
	PUT_FIELDS(w, numbers);
}

static void put_addresses(struct ss_view *w, const struct pv_conversation *row, uint16_t type,
			  const char *before)
{
	size_t len = 0;
	const char *data = pv_detail_attribute(row->detail, type, &len);
	struct sockaddr_storage sa;

	for (; data && len >= sizeof(sa); data += sizeof(sa), len -= sizeof(sa)) {
		char text[INET6_ADDRSTRLEN] = "";

		memcpy(&sa, data, sizeof(sa));
		if (sa.ss_family == AF_INET)
			inet_ntop(AF_INET, &((struct sockaddr_in *)&sa)->sin_addr, text,
				  sizeof(text));
		else if (sa.ss_family == AF_INET6)
			inet_ntop(AF_INET6, &((struct sockaddr_in6 *)&sa)->sin6_addr, text,
				  sizeof(text));
		buf_printf(ss_text(w), "%s%s", before, text);
		before = ",";
	}
}

/* The terms of ss for the states of an association, whose number is the kernel's. */
static const char *sctp_state(uint32_t state)
{
	static const char *const names[] = {
		"CLOSED",	    "COOKIE_WAIT",   "COOKIE_ECHOED",	  "ESTAB",
		"SHUTDOWN_PENDING", "SHUTDOWN_SENT", "SHUTDOWN_RECEIVED", "ACK_SENT"
	};

	return state < sizeof(names) / sizeof(*names) ? names[state] : "UNKNOWN";
}

static void put_sctp(struct ss_view *w, const struct pv_conversation *row)
{
	struct sctp_info i;

	put_addresses(w, row, INET_DIAG_LOCALS, " locals:");
	put_addresses(w, row, INET_DIAG_PEERS, " peers:");
	if (!ss_attribute(row, INET_DIAG_INFO, &i, sizeof(i)))
		return;
	const struct field first[] = { { "xtag", i.sctpi_tag } };
	const struct field rest[] = {
		{ "rwnd", i.sctpi_rwnd },
		{ "unackdata", i.sctpi_unackdata },
		{ "penddata", i.sctpi_penddata },
		{ "instrms", i.sctpi_instrms },
		{ "outstrms", i.sctpi_outstrms },
		{ "inqueue", i.sctpi_inqueue },
		{ "outqueue", i.sctpi_outqueue },
		{ "overerr", i.sctpi_overall_error },
		{ "maxburst", i.sctpi_max_burst },
		{ "maxseg", i.sctpi_maxseg },
		{ "prwnd", i.sctpi_peer_rwnd },
		{ "xptag", i.sctpi_peer_tag },
		{ "pcapable", i.sctpi_peer_capable },
		{ "psack", i.sctpi_peer_sack },
		{ "autoclose", i.sctpi_s_autoclose },
		{ "adapind", i.sctpi_s_adaptation_ind },
		{ "pdpoint", i.sctpi_s_pd_point },
		{ "nodelay", i.sctpi_s_nodelay },
		{ "nofrag", i.sctpi_s_disable_fragments },
		{ "v4mapped", i.sctpi_s_v4mapped },
		{ "fraginl", i.sctpi_s_frag_interleave },
	};

	PUT_FIELDS(w, first);
	if (i.sctpi_state)
		buf_printf(ss_text(w), " state:%s", sctp_state(i.sctpi_state));
	PUT_FIELDS(w, rest);
}

void ss_put_protocol_info(struct ss_view *w, const struct pv_conversation *row)
{
	if (row->proto == PV_PROTO_MPTCP)
		put_mptcp(w, row);
	else if (row->proto == PV_PROTO_SCTP)
		put_sctp(w, row);
	else
		put_ulp(w, row);
}
