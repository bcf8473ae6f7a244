/* SPDX-License-Identifier: MIT */
/*
 * -i of TCP: one table says in which order ss shows what the kernel knows, and how. Values of 0 are
 * left out.
 */
#include <linux/inet_diag.h>
#include <linux/tcp.h>
#include <string.h>
#include <sys/socket.h>

#include <arpa/inet.h>

#include "cli/ss/ss.h"
#include "ui/text/escape.h"

#define REORDERING_USUAL 3   /* net.ipv4.tcp_reordering: not worth a word */
#define RTO_UNKNOWN 3000000  /* us, before the first sample */
#define SSTHRESH_NONE 0xffff /* from here on: infinite */
#define VEGAS_RTT_NONE 0x7fffffff
#define GAIN_UNIT 256.0

enum value { NUMBER, SIGNED, NUMBER64, BYTE, MILLISECONDS, RATE, CALL };

struct item {
	const char *format_name; /* " mss:" */
	uint16_t offset;
	uint8_t value; /* enum value */
	void (*put)(struct ss_view *w, const struct pv_conversation *row);
};

static const struct pv_tcp_info *info_of(const struct pv_conversation *row)
{
	return &row->detail->tcp;
}

/* Bits per second; with a unit, unless -n */
static void put_rate(struct ss_view *w, double rate)
{
	static const struct {
		double from;
		char unit;
	} units[] = { { 1e12, 'T' }, { 1e9, 'G' }, { 1e6, 'M' }, { 1e3, 'k' } };

	if (w->v->numeric) {
		buf_printf(ss_text(w), "%.0fbps", rate);
		return;
	}
	for (size_t i = 0; i < sizeof(units) / sizeof(*units); i++) {
		if (rate >= units[i].from) {
			buf_printf(ss_text(w), "%.3g%cbps", rate / units[i].from, units[i].unit);
			return;
		}
	}
	buf_printf(ss_text(w), "%gbps", rate);
}

static void put_options(struct ss_view *w, const struct pv_conversation *row)
{
	static const struct {
		uint8_t bit;
		const char *name;
	} options[] = {
		{ TCPI_OPT_TIMESTAMPS, " ts" },	    { TCPI_OPT_SACK, " sack" },
		{ TCPI_OPT_ECN, " ecn" },	    { TCPI_OPT_ECN_SEEN, " ecnseen" },
		{ TCPI_OPT_SYN_DATA, " fastopen" },
	};

	for (size_t i = 0; w->v->timers && i < sizeof(options) / sizeof(*options); i++)
		if (info_of(row)->options & options[i].bit)
			buf_puts(ss_text(w), options[i].name);
}

static void put_congestion(struct ss_view *w, const struct pv_conversation *row)
{
	const char *name = row->detail->congestion;

	if (!name[0])
		return;
	buf_putc(ss_text(w), ' ');
	ss_put_foreign(w, name, strlen(name));
}

static void put_wscale(struct ss_view *w, const struct pv_conversation *row)
{
	const struct pv_tcp_info *t = info_of(row);

	if (t->options & TCPI_OPT_WSCALE)
		buf_printf(ss_text(w), " wscale:%d,%d", t->wscale & 0xf, t->wscale >> 4);
}

static void put_rto(struct ss_view *w, const struct pv_conversation *row)
{
	uint32_t rto = info_of(row)->rto;

	if (rto && rto != RTO_UNKNOWN)
		buf_printf(ss_text(w), " rto:%g", rto / 1000.0);
}

static void put_rtt(struct ss_view *w, const struct pv_conversation *row)
{
	const struct pv_tcp_info *t = info_of(row);

	if (t->rtt)
		buf_printf(ss_text(w), " rtt:%g/%g", t->rtt / 1000.0, t->rttvar / 1000.0);
}

static void put_ssthresh(struct ss_view *w, const struct pv_conversation *row)
{
	uint32_t v = info_of(row)->snd_ssthresh;

	if (v && v < SSTHRESH_NONE)
		buf_printf(ss_text(w), " ssthresh:%u", v);
}

static void put_dctcp(struct ss_view *w, const struct pv_conversation *row)
{
	struct tcp_dctcp_info d;

	if (!ss_attribute(row, INET_DIAG_DCTCPINFO, &d, sizeof(d)))
		return;
	if (d.dctcp_enabled)
		buf_printf(ss_text(w), " dctcp:(ce_state:%u,alpha:%u,ab_ecn:%u,ab_tot:%u)",
			   d.dctcp_ce_state, d.dctcp_alpha, d.dctcp_ab_ecn, d.dctcp_ab_tot);
	else
		buf_puts(ss_text(w), " dctcp:fallback_mode");
}

static void put_bbr(struct ss_view *w, const struct pv_conversation *row)
{
	struct buf *b = ss_text(w);
	struct tcp_bbr_info i;

	if (!ss_attribute(row, INET_DIAG_BBRINFO, &i, sizeof(i)))
		return;
	buf_puts(b, " bbr:(bw:");
	put_rate(w, (double)((uint64_t)i.bbr_bw_hi << 32 | i.bbr_bw_lo) * 8.0);
	buf_printf(b, ",mrtt:%g", i.bbr_min_rtt / 1000.0);
	if (i.bbr_pacing_gain)
		buf_printf(b, ",pacing_gain:%g", i.bbr_pacing_gain / GAIN_UNIT);
	if (i.bbr_cwnd_gain)
		buf_printf(b, ",cwnd_gain:%g", i.bbr_cwnd_gain / GAIN_UNIT);
	buf_putc(b, ')');
}

/* A window an RTT, which Vegas measures itself. */
static void put_send(struct ss_view *w, const struct pv_conversation *row)
{
	const struct pv_tcp_info *t = info_of(row);
	struct tcpvegas_info vegas;
	double rtt = t->rtt;

	if (ss_attribute(row, INET_DIAG_VEGASINFO, &vegas, sizeof(vegas)) && vegas.tcpv_enabled &&
	    vegas.tcpv_rtt && vegas.tcpv_rtt != VEGAS_RTT_NONE)
		rtt = vegas.tcpv_rtt;
	if (rtt <= 0 || !t->snd_mss || !t->snd_cwnd)
		return;
	buf_puts(ss_text(w), " send ");
	put_rate(w, (double)t->snd_cwnd * (double)t->snd_mss * 8000000. / rtt);
}

static void put_pacing(struct ss_view *w, const struct pv_conversation *row)
{
	const struct pv_tcp_info *t = info_of(row);

	if (!t->pacing_rate || t->pacing_rate == UINT64_MAX)
		return;
	buf_puts(ss_text(w), " pacing_rate ");
	put_rate(w, (double)t->pacing_rate * 8.0);
	if (t->max_pacing_rate && t->max_pacing_rate != UINT64_MAX) {
		buf_putc(ss_text(w), '/');
		put_rate(w, (double)t->max_pacing_rate * 8.0);
	}
}

static void put_app_limited(struct ss_view *w, const struct pv_conversation *row)
{
	if (info_of(row)->app_limited & 1)
		buf_puts(ss_text(w), " app_limited");
}

static void put_limit(struct ss_view *w, const char *name, uint64_t time, uint64_t busy)
{
	if (time)
		buf_printf(ss_text(w), " %s:%llums(%.1f%%)", name, (unsigned long long)time / 1000,
			   100.0 * (double)time / (double)busy);
}

static void put_busy(struct ss_view *w, const struct pv_conversation *row)
{
	const struct pv_tcp_info *t = info_of(row);

	if (!t->busy_time)
		return;
	buf_printf(ss_text(w), " busy:%llums", (unsigned long long)t->busy_time / 1000);
	put_limit(w, "rwnd_limited", t->rwnd_limited, t->busy_time);
	put_limit(w, "sndbuf_limited", t->sndbuf_limited, t->busy_time);
}

static void put_retrans(struct ss_view *w, const struct pv_conversation *row)
{
	const struct pv_tcp_info *t = info_of(row);

	if (t->retrans || t->total_retrans)
		buf_printf(ss_text(w), " retrans:%u/%u", t->retrans, t->total_retrans);
}

/* Of a listener it is the length of its queue. */
static void put_sacked(struct ss_view *w, const struct pv_conversation *row)
{
	if (info_of(row)->sacked && row->state != PV_STATE_LISTEN)
		buf_printf(ss_text(w), " sacked:%u", info_of(row)->sacked);
}

static void put_reordering(struct ss_view *w, const struct pv_conversation *row)
{
	if (info_of(row)->reordering != REORDERING_USUAL)
		buf_printf(ss_text(w), " reordering:%u", info_of(row)->reordering);
}

static void put_minrtt(struct ss_view *w, const struct pv_conversation *row)
{
	uint32_t v = info_of(row)->min_rtt;

	if (v && v != UINT32_MAX)
		buf_printf(ss_text(w), " minrtt:%g", v / 1000.0);
}

#define FIELD(name, member, value)                                                                 \
	{                                                                                          \
		name, offsetof(struct pv_tcp_info, member), value, NULL                            \
	}
#define PUT(function)                                                                              \
	{                                                                                          \
		NULL, 0, CALL, function                                                            \
	}

static const struct item items[] = {
	PUT(put_options),
	PUT(put_congestion),
	PUT(put_wscale),
	PUT(put_rto),
	FIELD(" backoff:", backoff, BYTE),
	PUT(put_rtt),
	FIELD(" ato:", ato, MILLISECONDS),
	FIELD(" mss:", snd_mss, SIGNED),
	FIELD(" pmtu:", pmtu, NUMBER),
	FIELD(" rcvmss:", rcv_mss, SIGNED),
	FIELD(" advmss:", advmss, SIGNED),
	FIELD(" cwnd:", snd_cwnd, NUMBER),
	PUT(put_ssthresh),
	FIELD(" bytes_sent:", bytes_sent, NUMBER64),
	FIELD(" bytes_retrans:", bytes_retrans, NUMBER64),
	FIELD(" bytes_acked:", bytes_acked, NUMBER64),
	FIELD(" bytes_received:", bytes_received, NUMBER64),
	FIELD(" segs_out:", segs_out, NUMBER),
	FIELD(" segs_in:", segs_in, NUMBER),
	FIELD(" data_segs_out:", data_segs_out, NUMBER),
	FIELD(" data_segs_in:", data_segs_in, NUMBER),
	PUT(put_dctcp),
	PUT(put_bbr),
	PUT(put_send),
	FIELD(" lastsnd:", last_data_sent, NUMBER),
	FIELD(" lastrcv:", last_data_recv, NUMBER),
	FIELD(" lastack:", last_ack_recv, NUMBER),
	PUT(put_pacing),
	FIELD(" delivery_rate ", delivery_rate, RATE),
	FIELD(" delivered:", delivered, NUMBER),
	FIELD(" delivered_ce:", delivered_ce, NUMBER),
	PUT(put_app_limited),
	PUT(put_busy),
	FIELD(" unacked:", unacked, NUMBER),
	PUT(put_retrans),
	FIELD(" lost:", lost, NUMBER),
	PUT(put_sacked),
	FIELD(" dsack_dups:", dsack_dups, NUMBER),
	FIELD(" fackets:", fackets, NUMBER),
	PUT(put_reordering),
	FIELD(" reord_seen:", reord_seen, SIGNED),
	FIELD(" rcv_rtt:", rcv_rtt, MILLISECONDS),
	FIELD(" rcv_space:", rcv_space, SIGNED),
	FIELD(" rcv_ssthresh:", rcv_ssthresh, NUMBER),
	FIELD(" notsent:", notsent_bytes, NUMBER),
	PUT(put_minrtt),
	FIELD(" rcv_ooopack:", rcv_ooopack, NUMBER),
	FIELD(" snd_wnd:", snd_wnd, NUMBER),
};

static void put_number(struct ss_view *w, const struct item *item, uint32_t v)
{
	if (!v)
		return;
	buf_puts(ss_text(w), item->format_name);
	if (item->value == MILLISECONDS)
		buf_printf(ss_text(w), "%g", v / 1000.0);
	else if (item->value == SIGNED)
		buf_i64(ss_text(w), (int32_t)v);
	else
		buf_u64(ss_text(w), v);
}

static void put_number64(struct ss_view *w, const struct item *item, uint64_t v)
{
	if (!v)
		return;
	buf_puts(ss_text(w), item->format_name);
	if (item->value == RATE)
		put_rate(w, (double)v * 8.0);
	else
		buf_u64(ss_text(w), v);
}

static void put_item(struct ss_view *w, const struct item *item, const struct pv_conversation *row)
{
	const char *at = (const char *)info_of(row) + item->offset;

	switch ((enum value)item->value) {
	case NUMBER:
	case SIGNED:
	case MILLISECONDS:
		put_number(w, item, *(const uint32_t *)(const void *)at);
		return;
	case BYTE:
		put_number(w, item, *(const uint8_t *)at);
		return;
	case NUMBER64:
	case RATE:
		put_number64(w, item, *(const uint64_t *)(const void *)at);
		return;
	case CALL:
		item->put(w, row);
	}
}

/* The keys themselves are secret, but the kernel tells them to who may ask, and so does ss. */
static void put_md5(struct ss_view *w, const struct pv_conversation *row)
{
	size_t len = 0;
	const char *data = pv_detail_attribute(row->detail, INET_DIAG_MD5SIG, &len);
	const char *before = " md5keys:";

	for (; data && len >= sizeof(struct tcp_diag_md5sig);
	     len -= sizeof(struct tcp_diag_md5sig), data += sizeof(struct tcp_diag_md5sig)) {
		struct tcp_diag_md5sig sig;
		char text[INET6_ADDRSTRLEN] = "";

		memcpy(&sig, data, sizeof(sig));
		inet_ntop(sig.tcpm_family, &sig.tcpm_addr, text, sizeof(text));
		buf_printf(ss_text(w), "%s%s/%d=", before, text, sig.tcpm_prefixlen);
		text_put(ss_text(w), sig.tcpm_key,
			 sig.tcpm_keylen < sizeof(sig.tcpm_key) ? sig.tcpm_keylen
								: sizeof(sig.tcpm_key),
			 TEXT_WORD | TEXT_LIST | TEXT_ASCII);
		before = ",";
	}
}

void ss_put_tcp_info(struct ss_view *w, const struct pv_conversation *row)
{
	if (row->detail && row->detail->present & PV_DETAIL_TCP)
		for (size_t i = 0; i < sizeof(items) / sizeof(*items); i++)
			put_item(w, &items[i], row);
	put_md5(w, row);
	ss_put_protocol_info(w, row);
}
