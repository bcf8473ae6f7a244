/* SPDX-License-Identifier: MIT */
/* What tcp_info and the timer of a connection mean, in words. */
#include "ui/explain/facts.h"

#define IDLE_MS 1000

/* tcpi_ca_state, include/uapi/linux/tcp.h */
enum { CA_RECOVERY = 3, CA_LOSS = 4 };

/* Where members end in the kernel's struct tcp_info. */
enum { END_DATA_SEGS = 160, END_RCV_WND = 236 };

static bool carries_data(const struct pv_conversation *c)
{
	return c->state == PV_STATE_ESTABLISHED || c->state == PV_STATE_CLOSE_WAIT ||
	       c->state == PV_STATE_FIN_WAIT1 || c->state == PV_STATE_FIN_WAIT2;
}

static void say_timer(struct explanation *e, const struct pv_conversation *c)
{
	struct value n = value_number("n", c->retrans), ms = value_ms("ms", c->timer_ms);

	switch ((enum pv_timer)c->timer) {
	case PV_TIMER_ON:
		if (c->retrans)
			SAY(e, tcp_retransmitting, n, ms);
		break;
	case PV_TIMER_KEEPALIVE:
		/* the same timer ends FIN_WAIT2 */
		if (c->state == PV_STATE_FIN_WAIT2)
			break;
		if (c->retrans)
			SAY(e, tcp_keepalive_lost, n, ms);
		else
			SAY(e, tcp_keepalive, ms);
		break;
	default:
		break;
	}
}

static void say_windows(struct explanation *e, const struct pv_conversation *c,
			const struct pv_detail *d)
{
	uint64_t snd_wnd;

	if (explain_number(e, c, "snd_wnd", &snd_wnd) && !snd_wnd && c->send_q)
		SAY(e, tcp_zero_window);
	if (c->timer == PV_TIMER_PROBE)
		SAY(e, tcp_window_probe, value_ms("ms", c->timer_ms));
	if (d->tcp_len >= END_RCV_WND && !d->tcp.rcv_wnd && c->recv_q)
		SAY(e, tcp_window_closed);
}

static void say_loss(struct explanation *e, const struct pv_conversation *c,
		     const struct pv_detail *d)
{
	uint64_t again, sent;

	if (d->tcp.ca_state == CA_RECOVERY)
		SAY(e, tcp_recovering);
	else if (d->tcp.ca_state == CA_LOSS)
		SAY(e, tcp_timed_out);
	if (explain_number(e, c, "total_retrans", &again) && again &&
	    explain_number(e, c, "segs_out", &sent) && sent)
		SAY(e, tcp_retransmitted, value_number("n", again), value_number("total", sent));
}

static void say_limits(struct explanation *e, const struct pv_conversation *c)
{
	uint64_t busy, limited;

	if (explain_number(e, c, "app_limited", &limited) && limited &&
	    explain_number(e, c, "bytes_sent", &busy) && busy)
		SAY(e, tcp_app_limited);
	if (!explain_number(e, c, "busy_ms", &busy) || !busy)
		return;
	if (explain_number(e, c, "rwnd_limited_ms", &limited) && limited)
		SAY(e, tcp_receiver_limited, value_ms("ms", limited), value_ms("busy", busy));
	if (explain_number(e, c, "sndbuf_limited_ms", &limited) && limited)
		SAY(e, tcp_buffer_limited, value_ms("ms", limited), value_ms("busy", busy));
}

/*
 * The kernel sets the time of the last data received when the connection is established, so until
 * data comes it tells the age. The time of the last data sent is that of the request at first.
 */
static void say_age(struct explanation *e, const struct pv_conversation *c,
		    const struct pv_detail *d)
{
	uint32_t received = d->tcp.last_data_recv, sent = d->tcp.last_data_sent, idle;

	if (d->tcp_len < END_DATA_SEGS || !carries_data(c))
		return;
	if (!d->tcp.data_segs_in && c->state == PV_STATE_ESTABLISHED)
		SAY(e, age_established, value_ms("ms", received));
	else
		SAY(e, age_unknown);
	if (!d->tcp.data_segs_in && !d->tcp.data_segs_out) {
		SAY(e, tcp_established_unused);
		return;
	}
	if (!d->tcp.data_segs_in)
		idle = sent;
	else if (!d->tcp.data_segs_out)
		idle = received;
	else
		idle = received < sent ? received : sent;
	if (idle >= IDLE_MS)
		SAY(e, tcp_idle, value_ms("ms", idle));
	else
		SAY(e, tcp_active, value_ms("ms", idle));
}

void explain_tcp(struct explanation *e, const struct pv_conversation *c)
{
	const struct pv_detail *d =
		c->detail && c->detail->present & PV_DETAIL_TCP ? c->detail : NULL;

	if (c->recv_q)
		SAY(e, tcp_unread, value_number("n", c->recv_q));
	if (c->send_q)
		SAY(e, tcp_unsent, value_number("n", c->send_q));
	say_timer(e, c);
	if (!d)
		return;
	say_age(e, c, d);
	if (carries_data(c)) {
		say_windows(e, c, d);
		say_limits(e, c);
	}
	say_loss(e, c, d);
}
