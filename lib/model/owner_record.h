/* SPDX-License-Identifier: MIT */
/*
 * One descriptor that refers to a socket, as a BPF iterator or a scan of /proc found it. Shared
 * with BPF programs, hence the kernel's type names. The streams of a recording hold arrays of
 * these, in host byte order.
 */
#ifndef MODEL_OWNER_RECORD_H
#define MODEL_OWNER_RECORD_H

#include <linux/types.h>

struct owner_record {
	__u64 cookie;	   /* socket cookie; 0 = not known (scan of /proc) */
	__u64 start_ticks; /* of the process: 1/100 s since boot; 0 = not known */
	__u32 inode;
	__s32 pid; /* thread group id in the reader's pid namespace */
	__s32 fd;
	__u32 flags;   /* OWNER_* */
	char comm[16]; /* NUL-padded; not necessarily terminated */
};

#define OWNER_COMM_KNOWN 0x1
#define OWNER_IDLE 0x2 /* an inet stream socket bound to a port that neither listens nor talks */
/*
 * No owner of a socket: the descriptor keeps a network namespace alive, whose inode this is. It
 * refers to the namespace, or with OWNER_NETNS_SOCKET is a socket in it.
 */
#define OWNER_NETNS 0x4
#define OWNER_NETNS_SOCKET 0x8
#define OWNER_FLAGS (OWNER_COMM_KNOWN | OWNER_IDLE | OWNER_NETNS | OWNER_NETNS_SOCKET)

#endif
