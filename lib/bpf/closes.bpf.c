// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Writes a struct close_record for every IP socket that its last holder closes. inet_release() runs
 * this for sockets of every network namespace, in the context of the process that closed it last.
 */
#include "sock.bpf.h"
#include "task.bpf.h"

#include "close_record.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define NS_PER_TICK 10000000 /* USER_HZ is 100 everywhere */
#define PF_KTHREAD 0x00200000
#define SOCK_RAW 3
#define PASS 1 /* the kernel ignores what is returned here, the verifier does not */

const volatile __u32 own_pidns = 0; /* inode of the reader's pid namespace */

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 1 << 20);
} ring SEC(".maps");

/*
 * The context is the struct sock itself; what struct bpf_sock shows of it has no addresses here.
 * The port comes from inet_sport: a connection that has ended already has no skc_num any more.
 */
static __always_inline void fill_tuple(struct close_record *r, struct sock *sk)
{
	r->local_port = __builtin_bswap16(BPF_CORE_READ((struct inet_sock *)sk, inet_sport));
	r->remote_port = __builtin_bswap16(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (r->family == AF_INET) {
		BPF_CORE_READ_INTO((__be32 *)r->local, sk, __sk_common.skc_rcv_saddr);
		BPF_CORE_READ_INTO((__be32 *)r->remote, sk, __sk_common.skc_daddr);
	} else {
		BPF_CORE_READ_INTO((struct in6_addr *)r->local, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO((struct in6_addr *)r->remote, sk, __sk_common.skc_v6_daddr);
	}
}

/* Several sockets may be bound to its port at once: it does not tell whose a packet was. */
static __always_inline bool is_shared(const struct close_record *r, struct sock *sk)
{
	return !r->remote_port && (BPF_CORE_READ_BITFIELD_PROBED(sk, __sk_common.skc_reuseport) ||
				   (r->protocol == IPPROTO_UDP &&
				    BPF_CORE_READ_BITFIELD_PROBED(sk, __sk_common.skc_reuse)));
}

/* false: the process is none of the reader's namespace, or a worker of the kernel that closes what
 * others left. */
static __always_inline bool fill_process(struct close_record *r)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_struct *leader = BPF_CORE_READ(task, group_leader);

	if (BPF_CORE_READ(task, flags) & PF_KTHREAD)
		return false;
	r->pid = process_number_in(task, own_pidns);
	r->process_uid = BPF_CORE_READ(task, cred, euid.val);
	r->start_ticks = BPF_CORE_READ(leader, start_boottime) / NS_PER_TICK;
	BPF_CORE_READ_INTO(&r->comm, leader, comm);
	return r->pid != 0;
}

SEC("cgroup/sock_release")
int closes(struct bpf_sock *ctx)
{
	struct sock *sk = (void *)ctx;
	struct close_record r = { .family = (__u8)ctx->family, .protocol = (__u16)ctx->protocol };

	if (ctx->type == SOCK_RAW)
		return PASS;
	fill_tuple(&r, sk);
	if (!r.local_port || is_shared(&r, sk) || !fill_process(&r))
		return PASS;
	r.time = bpf_ktime_get_ns();
	r.state = BPF_CORE_READ(sk, __sk_common.skc_state);
	r.netns = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
	r.inode = sock_inode(sk);
	r.uid = BPF_CORE_READ(sk, sk_uid.val);
	bpf_ringbuf_output(&ring, &r, sizeof(r), 0);
	return PASS;
}
