// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Writes one struct sock_record for every TCP socket of the opener's network namespace: listeners,
 * established and all closing ones, requests and time-wait sockets. Queues are those of tcp_diag.
 */
#include "sock.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

static __always_inline void fill_queues(struct sock_record *r, struct tcp_sock *tp)
{
	struct sock *sk = (struct sock *)tp;
	__s32 unread;

	if (r->state == TCP_LISTEN) {
		r->recv_q = sk->sk_ack_backlog;
		r->send_q = sk->sk_max_ack_backlog;
		return;
	}
	/* a received FIN makes this -1 once everything was read */
	unread = (__s32)(tp->rcv_nxt - tp->copied_seq);
	r->recv_q = unread > 0 ? (__u32)unread : 0;
	r->send_q = tp->write_seq - tp->snd_una;
}

static __always_inline void fill_upper(struct sock_record *r, struct tcp_sock *tp)
{
	const struct tcp_ulp_ops *ops = ((struct inet_connection_sock *)tp)->icsk_ulp_ops;

	if (ops && ops->name[0] == 't' && ops->name[1] == 'l' && ops->name[2] == 's' &&
	    !ops->name[3])
		r->flags |= SOCK_RECORD_TLS;
}

static __always_inline void fill_remains(struct sock_record *r, struct sock_common *skc)
{
	struct tcp_timewait_sock *tw;
	struct tcp_request_sock *req;

	if (r->state == TCP_TIME_WAIT) {
		tw = bpf_skc_to_tcp_timewait_sock(skc);
		if (!tw)
			return;
		/* FIN_WAIT2 is kept in a time-wait socket, too */
		r->state = tw->tw_sk.tw_substate;
		r->mark = tw->tw_sk.tw_mark;
	} else {
		req = bpf_skc_to_tcp_request_sock(skc);
		if (req)
			r->mark = req->req.ir_mark;
	}
}

SEC("iter/tcp")
int sockets_tcp(struct bpf_iter__tcp *ctx)
{
	struct sock_common *skc = ctx->sk_common;
	struct sock_record r = {};
	struct tcp_sock *tp;

	if (!skc)
		return 0;
	if (bpf_core_type_exists(union bpf_tcp_iter_batch_item))
		r.flags = SOCK_RECORD_EXACT;
	r.protocol = IPPROTO_TCP;
	r.type = SOCK_STREAM;
	r.uid = ctx->uid;
	fill_inet(&r, (struct sock *)skc);
	tp = bpf_skc_to_tcp_sock(skc);
	if (tp) {
		fill_full(&r, (struct sock *)tp);
		fill_queues(&r, tp);
		fill_upper(&r, tp);
	} else {
		fill_remains(&r, skc);
	}
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
