// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Writes one struct owner_record for every network namespace that a descriptor keeps alive: one
 * that refers to the namespace itself, and one that is a socket in it. Each is written once a kind,
 * with the first descriptor that the walk meets.
 */
#include "task.bpf.h"

#include "model/owner_record.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define NSFS_MAGIC 0x6e736673
#define CLONE_NEWNET 0x40000000

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 65536);
	__type(key, __u64);
	__type(value, __u8);
} seen SEC(".maps");

/* A full map refuses every new key: what is written twice does no harm. */
static __always_inline bool is_known(__u32 inode, __u32 flags)
{
	__u64 key = (__u64)flags << 32 | inode;
	__u8 one = 1;

	if (bpf_map_lookup_elem(&seen, &key))
		return true;
	bpf_map_update_elem(&seen, &key, &one, BPF_ANY);
	return false;
}

/* The inode of the namespace that a file of nsfs is; 0 = the file is none of a network. */
static __always_inline __u32 namespace_inode(struct file *file)
{
	struct inode *inode = BPF_CORE_READ(file, f_inode);
	struct ns_common *ns;
	__u32 type;

	if (!inode || BPF_CORE_READ(inode, i_sb, s_magic) != NSFS_MAGIC)
		return 0;
	ns = BPF_CORE_READ(inode, i_private);
	if (!ns)
		return 0;
	if (bpf_core_field_exists(ns->ns_type))
		type = BPF_CORE_READ(ns, ns_type);
	else
		type = (__u32)BPF_CORE_READ(ns, ops, type);
	return type == CLONE_NEWNET ? BPF_CORE_READ(ns, inum) : 0;
}

SEC("iter/task_file")
int netns(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct owner_record r = {};
	struct socket_alloc *alloc;
	struct sock *sk;

	if (!task || !file)
		return 0;
	alloc = (void *)bpf_sock_from_file(file);
	if (alloc) {
		sk = BPF_CORE_READ(alloc, socket.sk);
		if (!sk)
			return 0;
		r.inode = BPF_CORE_READ(sk, __sk_common.skc_net.net, ns.inum);
		r.flags = OWNER_NETNS | OWNER_NETNS_SOCKET;
	} else {
		r.inode = namespace_inode(file);
		r.flags = OWNER_NETNS;
	}
	if (!r.inode)
		return 0;
	r.pid = process_number(task);
	if (!r.pid || is_known(r.inode, r.flags))
		return 0;
	r.fd = (int)ctx->fd;
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
