// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Writes one struct sock_record for every bound UDP socket of the opener's network namespace.
 * UDP-Lite has a table of its own, which iter/udp does not walk.
 */
#include "sock.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

SEC("iter/udp")
int sockets_udp(struct bpf_iter__udp *ctx)
{
	struct udp_sock *up = ctx->udp_sk;
	struct sock_record r = {};
	struct sock *sk;

	if (!up)
		return 0;
	sk = (struct sock *)up;
	if (bpf_core_type_exists(union bpf_udp_iter_batch_item))
		r.flags = SOCK_RECORD_EXACT;
	r.protocol = IPPROTO_UDP;
	r.uid = ctx->uid;
	fill_inet(&r, sk);
	fill_full(&r, sk);
	/* read bytes are given back late: udp_rqueue_get() subtracts them, so do we */
	r.recv_q = (__u32)(sk->sk_backlog.rmem_alloc.counter - up->forward_deficit);
	r.send_q = (__u32)sk->sk_wmem_alloc.refs.counter - 1; /* a socket counts itself once */
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
