// SPDX-License-Identifier: MIT OR GPL-2.0-only
/*
 * Writes one struct owner_record for every descriptor of every task that refers to a socket.
 *
 * The kernel walks the pid namespace of the opener and skips threads that share their leader's
 * file table. The threads of a process whose leader has exited share it with no one it compares
 * them to, so each of them would bring the whole table again; see is_repeated().
 */
#include "task.bpf.h"

#include "model/owner_record.h"

char LICENSE[] SEC("license") = "Dual MIT/GPL";

#define NS_PER_TICK 10000000 /* USER_HZ is 100 everywhere */

/*
 * true for a thread whose file table was met before: with the thread created before it, which has a
 * lower number and therefore was visited earlier. A chain of such threads ends at the one whose
 * descriptors were written. The leader heads the list of threads, so every other one has a task
 * before it.
 */
static __always_inline bool is_repeated(struct task_struct *task)
{
	struct task_struct *before;

	if (task->pid == task->tgid)
		return false;
	before = (void *)((char *)BPF_CORE_READ(task, thread_node.prev) -
			  bpf_core_field_offset(struct task_struct, thread_node));
	return BPF_CORE_READ(before, tgid) == task->tgid &&
	       BPF_CORE_READ(before, pid) < task->pid &&
	       BPF_CORE_READ(before, files) == BPF_CORE_READ(task, files);
}

static __always_inline void fill_process(struct owner_record *r, struct task_struct *task)
{
	struct task_struct *leader = task;
	__u64 start;

	if (task->pid == task->tgid) {
		start = task->start_boottime;
		((__u64 *)r->comm)[0] = ((const __u64 *)&task->comm)[0];
		((__u64 *)r->comm)[1] = ((const __u64 *)&task->comm)[1];
	} else {
		leader = BPF_CORE_READ(task, group_leader);
		start = BPF_CORE_READ(leader, start_boottime);
		BPF_CORE_READ_INTO(&r->comm, leader, comm);
	}
	r->start_ticks = start / NS_PER_TICK;
	r->flags = OWNER_COMM_KNOWN;
}

/* A stream socket with a port that neither listens nor talks: no walk over sockets meets it. */
static __always_inline bool is_idle(const struct sock *sk)
{
	unsigned short family = sk->__sk_common.skc_family;

	return sk->__sk_common.skc_state == TCP_CLOSE && sk->__sk_common.skc_num &&
	       sk->sk_type == SOCK_STREAM && (family == AF_INET || family == AF_INET6);
}

SEC("iter/task_file")
int owners(struct bpf_iter__task_file *ctx)
{
	struct task_struct *task = ctx->task;
	struct file *file = ctx->file;
	struct owner_record r = {};
	struct socket_alloc *alloc;
	struct sock *sk;

	if (!task || !file)
		return 0;
	alloc = (void *)bpf_sock_from_file(file);
	if (!alloc)
		return 0;
	sk = alloc->socket.sk;
	if (!sk || is_repeated(task))
		return 0;
	r.pid = process_number(task);
	if (!r.pid)
		return 0;
	r.cookie = (__u64)sk->__sk_common.skc_cookie.counter;
	if (!r.cookie)
		r.cookie = bpf_get_socket_cookie(sk);
	r.inode = (__u32)BPF_CORE_READ(alloc, vfs_inode.i_ino);
	r.fd = (int)ctx->fd;
	fill_process(&r, task);
	if (is_idle(sk))
		r.flags |= OWNER_IDLE;
	bpf_seq_write(ctx->meta->seq, &r, sizeof(r));
	return 0;
}
