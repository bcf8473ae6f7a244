/* SPDX-License-Identifier: MIT */
/* One socket that was closed, as the program of sock_release writes it. In host byte order. */
#ifndef BPF_CLOSE_RECORD_H
#define BPF_CLOSE_RECORD_H

#include <linux/types.h>

struct close_record {
	__u64 time;		    /* CLOCK_MONOTONIC, ns */
	__u64 start_ticks;	    /* of the process: 1/100 s since boot */
	__u8 local[16], remote[16]; /* network order; IPv4 in the first four bytes */
	__s32 pid;   /* of the process that closed it, in the reader's pid namespace */
	__u32 netns; /* inode of its network namespace */
	__u32 inode;
	__u32 uid;	   /* of the socket */
	__u32 process_uid; /* effective */
	__u32 zero;
	__u16 local_port, remote_port; /* remote 0 = it was not connected */
	__u16 protocol;		       /* IPPROTO_* */
	__u8 family;
	__u8 state;    /* the kernel's number */
	char comm[16]; /* of the process; NUL-padded, not necessarily terminated */
};

#endif
