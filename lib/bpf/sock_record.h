/* SPDX-License-Identifier: MIT */
/*
 * One socket as a BPF iterator writes it. Records follow each other, each `size` bytes long (a
 * multiple of 8), in host byte order; recordings hold them unchanged. For UNIX sockets the name
 * follows the record, padded with zeros.
 */
#ifndef BPF_SOCK_RECORD_H
#define BPF_SOCK_RECORD_H

#include <linux/types.h>

struct sock_record {
	__u64 cookie;
	__u8 local[16], remote[16]; /* network order; IPv4 in the first four bytes */
	__u32 inode;
	__u32 uid;
	__u32 recv_q, send_q; /* as sock_diag reports them */
	__u32 ifindex;
	__u32 mark;
	__u32 peer_inode; /* unix */
	__u16 local_port, remote_port;
	__u8 family;
	__u8 state; /* the kernel's number, requests as NEW_SYN_RECV */
	__u8 type;
	__u8 protocol; /* IPPROTO_TCP, IPPROTO_UDP or 0 */
	__u8 shutdown;
	__u8 flags; /* SOCK_RECORD_* */
	__u16 path_len;
	__u16 size; /* of this record with its name */
	__u16 zero[3];
};

#define SOCK_RECORD_KERNEL 0x01 /* sk_kern_sock */
#define SOCK_RECORD_V6ONLY 0x02
/*
 * The walk that wrote this visits each lasting socket exactly once, whatever changes beside it:
 * the kernel resumes after a read by cookie (it has the type bpf_tcp_iter_batch_item or
 * bpf_udp_iter_batch_item), or the whole walk took one read.
 */
#define SOCK_RECORD_EXACT 0x04

#define SOCK_RECORD_TLS 0x08 /* its upper layer protocol is "tls" */

#define SOCK_RECORD_PATH_MAX 108
#define SOCK_RECORD_PAD(n) (((n) + 7u) & ~7u)

#endif
