/* SPDX-License-Identifier: MIT */
/*
 * The few kernel structures that the programs read, each with only the members they need. The
 * kernel relocates every access to its own layout when a program is loaded (CO-RE), so neither the
 * order nor the offsets here mean anything; names must be the kernel's.
 *
 * What loading costs is linear searches of the kernel's 65,000 types, 0.2 to 0.5 ms each: one for
 * every structure that accesses start from (its cache has 31 slots, with collisions), and one or
 * two for every pointer that is loaded directly from an object of the context (6.2 and later look
 * whether it may be trusted). So accesses start from as few structures as possible (struct sock for
 * all of sock_common), and pointers are read by BPF_CORE_READ(); numbers are loaded directly.
 */
#ifndef BPF_KERN_H
#define BPF_KERN_H

#include <linux/types.h>

#include <stdbool.h>

#include <linux/bpf.h>

#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>

struct seq_file;

#define AF_UNIX 1
#define AF_INET 2
#define AF_INET6 10
#define SOCK_STREAM 1
#define TCP_CLOSE 7
#define SOCK_SEQPACKET 5
#define TCP_TIME_WAIT 6
#define TCP_LISTEN 10
#define IPPROTO_TCP 6
#define IPPROTO_UDP 17
#define PIDTYPE_TGID 1

/* Fixed since 2.6.24; read as a whole, never relocated. */
struct upid {
	int nr;
	void *ns;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

typedef struct {
	int counter;
} atomic_t;

typedef struct {
	__s64 counter;
} atomic64_t;

typedef struct {
	atomic_t refs;
} refcount_t;

struct in6_addr {
	__u8 bytes[16];
};

struct super_block {
	unsigned long s_magic;
};

struct inode {
	unsigned long i_ino;
	struct super_block *i_sb;
	void *i_private;
};

struct proc_ns_operations {
	int type; /* until 6.17 */
};

struct ns_common {
	__u32 ns_type; /* since 6.18 */
	const struct proc_ns_operations *ops;
	unsigned int inum;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct socket {
	struct sock *sk;
};

/* what a struct socket of the socket file system lies in */
struct socket_alloc {
	struct socket socket;
	struct inode vfs_inode;
};

struct sock_common {
	__be32 skc_daddr;
	__be32 skc_rcv_saddr;
	__be16 skc_dport;
	__u16 skc_num;
	unsigned short skc_family;
	unsigned char skc_state;
	unsigned char skc_reuse : 4;
	unsigned char skc_reuseport : 1;
	unsigned char skc_ipv6only : 1;
	int skc_bound_dev_if;
	struct in6_addr skc_v6_daddr;
	struct in6_addr skc_v6_rcv_saddr;
	possible_net_t skc_net;
	atomic64_t skc_cookie;
};

struct sk_buff {
	struct sk_buff *next;
	char cb[48];
	unsigned int len;
};

struct sk_buff_head {
	struct sk_buff *next;
	__u32 qlen;
};

struct sock {
	struct sock_common __sk_common;
	struct sk_buff_head sk_receive_queue;
	struct {
		atomic_t rmem_alloc;
	} sk_backlog;
	struct socket *sk_socket;
	refcount_t sk_wmem_alloc;
	__u32 sk_mark;
	__u16 sk_type;
	unsigned char sk_kern_sock : 1;
	unsigned char sk_shutdown;
	__u32 sk_ack_backlog;
	__u32 sk_max_ack_backlog;
	unsigned long sk_ino; /* since 6.18 */
	struct {
		__u32 val;
	} sk_uid;
};

struct inet_sock {
	__be16 inet_sport;
};

/* tcp_sock, udp_sock and unix_sock begin with a struct sock */
struct tcp_sock {
	__u32 rcv_nxt;
	__u32 copied_seq;
	__u32 write_seq;
	__u32 snd_una;
};

struct tcp_ulp_ops {
	char name[16];
};

/* a tcp_sock begins with it */
struct inet_connection_sock {
	const struct tcp_ulp_ops *icsk_ulp_ops;
};

struct inet_timewait_sock {
	__u32 tw_mark;
	volatile unsigned char tw_substate;
};

struct tcp_timewait_sock {
	struct inet_timewait_sock tw_sk;
};

struct inet_request_sock {
	__u32 ir_mark;
};

struct tcp_request_sock {
	struct inet_request_sock req;
};

struct udp_sock {
	int forward_deficit;
};

struct sockaddr_un {
	char sun_path[108];
};

struct unix_address {
	int len;
	struct sockaddr_un name[0];
};

struct unix_sock {
	struct unix_address *addr;
	struct sock *peer;
	int inq_len; /* since 6.17 */
};

struct unix_skb_parms {
	__u32 consumed;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct pid_namespace {
	struct ns_common ns;
};

struct list_head {
	struct list_head *next, *prev;
};

struct signal_struct {
	struct pid *pids[4];
};

struct files_struct;

struct file {
	struct inode *f_inode;
};

struct cred {
	struct {
		__u32 val;
	} euid;
};

struct task_struct {
	unsigned int flags;
	const struct cred *cred;
	int pid;
	int tgid;
	struct task_struct *group_leader;
	struct pid *thread_pid;
	struct list_head thread_node;
	struct files_struct *files;
	struct signal_struct *signal;
	__u64 start_boottime;
	char comm[16];
};

/* Their presence tells how the kernel resumes a walk, see sock_record.h. */
union bpf_tcp_iter_batch_item {
	__u64 cookie;
};

union bpf_udp_iter_batch_item {
	__u64 cookie;
};

#pragma clang attribute pop

/* Contexts of the iterators, whose layout is fixed; a NULL object marks the end of the walk. */
struct bpf_iter_meta {
	struct seq_file *seq;
	__u64 session_id, seq_num;
};

struct bpf_iter__tcp {
	struct bpf_iter_meta *meta;
	struct sock_common *sk_common;
	__u32 uid;
};

struct bpf_iter__udp {
	struct bpf_iter_meta *meta;
	struct udp_sock *udp_sk;
	__u32 uid;
};

struct bpf_iter__unix {
	struct bpf_iter_meta *meta;
	struct unix_sock *unix_sk;
	__u32 uid;
};

struct bpf_iter__task_file {
	struct bpf_iter_meta *meta;
	struct task_struct *task;
	__u32 fd;
	struct file *file;
};

#endif
