/* SPDX-License-Identifier: MIT OR GPL-2.0-only */
/* What the socket programs share. */
#ifndef BPF_SOCK_BPF_H
#define BPF_SOCK_BPF_H

#include "kern.h"

#include "sock_record.h"

/* As two words: the verifier allows any aligned access within an array of bytes. */
static __always_inline void copy_v6(__u8 *to, const struct in6_addr *from)
{
	const __u64 *words = (const __u64 *)from;

	((__u64 *)to)[0] = words[0];
	((__u64 *)to)[1] = words[1];
}

/* Of sk only sock_common is read, which time-wait and request sockets have, too. */
static __always_inline void fill_common(struct sock_record *r, struct sock *sk)
{
	r->cookie = (__u64)sk->__sk_common.skc_cookie.counter;
	if (!r->cookie)
		r->cookie = bpf_get_socket_cookie(sk);
	r->family = (__u8)sk->__sk_common.skc_family;
	r->state = sk->__sk_common.skc_state;
	r->size = sizeof(*r);
}

static __always_inline void fill_inet(struct sock_record *r, struct sock *sk)
{
	fill_common(r, sk);
	r->local_port = sk->__sk_common.skc_num;
	r->remote_port = __builtin_bswap16(sk->__sk_common.skc_dport);
	r->ifindex = (__u32)sk->__sk_common.skc_bound_dev_if;
	if (r->family == AF_INET) {
		*(__be32 *)r->local = sk->__sk_common.skc_rcv_saddr;
		*(__be32 *)r->remote = sk->__sk_common.skc_daddr;
	} else {
		copy_v6(r->local, &sk->__sk_common.skc_v6_rcv_saddr);
		copy_v6(r->remote, &sk->__sk_common.skc_v6_daddr);
	}
}

/* What sock_i_ino() gives. */
static __always_inline __u32 sock_inode(struct sock *sk)
{
	struct socket_alloc *alloc;

	if (bpf_core_field_exists(sk->sk_ino))
		return (__u32)BPF_CORE_READ(sk, sk_ino);
	alloc = (void *)BPF_CORE_READ(sk, sk_socket); /* its first member */
	return alloc ? (__u32)BPF_CORE_READ(alloc, vfs_inode.i_ino) : 0;
}

/* What only full sockets have. */
static __always_inline void fill_full(struct sock_record *r, struct sock *sk)
{
	r->inode = sock_inode(sk);
	r->mark = sk->sk_mark;
	r->type = (__u8)sk->sk_type;
	r->shutdown = sk->sk_shutdown;
	if (BPF_CORE_READ_BITFIELD(sk, sk_kern_sock))
		r->flags |= SOCK_RECORD_KERNEL;
	if (BPF_CORE_READ_BITFIELD(sk, __sk_common.skc_ipv6only))
		r->flags |= SOCK_RECORD_V6ONLY;
}

#endif
