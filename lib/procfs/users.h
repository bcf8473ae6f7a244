/* SPDX-License-Identifier: MIT */
/*
 * Names by number: users by id, interfaces by index. /etc/passwd itself is read, because a name
 * service may hang. Recorded as text streams of "id name" lines.
 */
#ifndef PROCFS_USERS_H
#define PROCFS_USERS_H

#include <stddef.h>
#include <stdint.h>

#include "base/tape.h"

/* name is borrowed. Returns 0 or -errno, which is passed on. */
typedef int procfs_name_fn(void *userdata, uint32_t id, const char *name);

/* A uid can have several names: the first is the one the system uses. 0 or -errno. */
int procfs_read_users(struct tape *t, procfs_name_fn *name, void *userdata);
int procfs_read_ifnames(struct tape *t, procfs_name_fn *name, void *userdata);
/* The text of such a stream; lines that are none are left out. 0, -ENOMEM or the callback's. */
int procfs_names_parse(const void *data, size_t len, procfs_name_fn *name, void *userdata);

#endif
