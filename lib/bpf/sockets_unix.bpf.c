// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Writes one struct sock_record, with the name behind it, for every UNIX socket of the opener's
 * network namespace. Queues are those of unix_diag. As there, a connection that nobody accepted yet
 * is no row of its own (it has no inode): the listener's queue counts it.
 *
 * The records go through a ring buffer, not through the iterator's file: when that file's 32 KiB
 * are full in the middle of a hash bucket, iter/unix drops the rest of the bucket (it marks a
 * bucket as done when it is fetched, not when it is shown; seen on 6.18). With the ring one read()
 * makes the whole walk. What comes out of the file is a byte for every record the ring had no
 * room for.
 */
#include "sock.bpf.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define QUEUE_MAX (1 << 20)
#define RB_NO_WAKEUP 1

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20); /* the loader sets it */
} ring SEC(".maps");

struct named_record {
	struct sock_record r;
	char path[SOCK_RECORD_PAD(SOCK_RECORD_PATH_MAX)];
};

struct queue_walk {
	struct sk_buff *head, *skb;
	__u32 bytes;
};

static long add_skb(__u32 i __attribute__((unused)), struct queue_walk *w)
{
	struct sk_buff *skb = w->skb;
	struct unix_skb_parms *parms = (void *)&skb->cb;

	if (!skb || skb == w->head)
		return 1;
	w->bytes += BPF_CORE_READ(skb, len) - BPF_CORE_READ(parms, consumed);
	w->skb = BPF_CORE_READ(skb, next);
	return 0;
}

/* unix_inq_len(): everything unread of a stream, the next message of a datagram socket. */
static __always_inline __u32 unread_bytes(struct unix_sock *u)
{
	struct sock *sk = (struct sock *)u;
	struct queue_walk w = { .head = (void *)&sk->sk_receive_queue };
	struct sk_buff *first;

	if (sk->sk_type == SOCK_STREAM && bpf_core_field_exists(u->inq_len))
		return (__u32)u->inq_len;
	first = BPF_CORE_READ(sk, sk_receive_queue.next);
	if (first == w.head)
		return 0;
	if (sk->sk_type != SOCK_STREAM && sk->sk_type != SOCK_SEQPACKET)
		return BPF_CORE_READ(first, len);
	w.skb = first;
	bpf_loop(QUEUE_MAX, add_skb, &w, 0);
	return w.bytes;
}

static __always_inline void fill_queues(struct sock_record *r, struct unix_sock *u)
{
	struct sock *sk = (struct sock *)u;

	if (r->state == TCP_LISTEN) {
		r->recv_q = sk->sk_receive_queue.qlen;
		r->send_q = sk->sk_max_ack_backlog;
	} else {
		r->recv_q = unread_bytes(u);
		r->send_q = (__u32)sk->sk_wmem_alloc.refs.counter - 1;
	}
}

static __always_inline void fill_path(struct named_record *n, struct unix_sock *u)
{
	struct unix_address *addr = BPF_CORE_READ(u, addr);
	__u64 len;

	if (!addr)
		return;
	/* the length counts sun_family */
	len = (__u32)BPF_CORE_READ(addr, len) - sizeof(__u16);
	if (!len || len > SOCK_RECORD_PATH_MAX)
		return;
	if (bpf_probe_read_kernel(n->path, len, &addr->name[0].sun_path))
		return;
	n->r.path_len = (__u16)len;
}

SEC("iter/unix")
int sockets_unix(struct bpf_iter__unix *ctx)
{
	struct unix_sock *u = ctx->unix_sk;
	struct named_record n = {};
	struct sock *sk, *peer;
	__u64 size;

	if (!u)
		return 0;
	sk = (struct sock *)u;
	fill_common(&n.r, sk);
	n.r.flags = SOCK_RECORD_EXACT;
	n.r.uid = ctx->uid;
	fill_full(&n.r, sk);
	if (!n.r.inode)
		return 0;
	fill_queues(&n.r, u);
	peer = BPF_CORE_READ(u, peer);
	if (peer)
		n.r.peer_inode = sock_inode(peer);
	fill_path(&n, u);
	size = sizeof(n.r) + SOCK_RECORD_PAD(n.r.path_len);
	if (size > sizeof(n))
		return 0;
	n.r.size = (__u16)size;
	if (bpf_ringbuf_output(&ring, &n, size, RB_NO_WAKEUP))
		bpf_seq_write(ctx->meta->seq, "+", 1);
	return 0;
}
