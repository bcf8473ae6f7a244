/* SPDX-License-Identifier: MIT */
/* Parsers of the tables that name users of the kernel's own sockets. Pure. */
#ifndef JUDGE_KERNEL_H
#define JUDGE_KERNEL_H

#include <stddef.h>

#include "judge/judge-internal.h"

typedef int kernel_use_fn(void *userdata, const struct kernel_use *use);

/* fs/nfsfs/servers: the servers that NFS clients of this namespace talk to (Linux 2.6.19). */
int kernel_nfs_servers_parse(const void *data, size_t len, kernel_use_fn *use, void *userdata);
/* fs/nfsd/portlist: where the kernel's NFS server listens (Linux 2.6.19). */
int kernel_nfsd_ports_parse(const void *data, size_t len, kernel_use_fn *use, void *userdata);
/* self/mountinfo: the servers of CIFS mounts, by the mount option addr. */
int kernel_cifs_mounts_parse(const void *data, size_t len, kernel_use_fn *use, void *userdata);

#endif
