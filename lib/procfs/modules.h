/* SPDX-License-Identifier: MIT */
/*
 * Is a part of the kernel there? The kernel loads some modules when it is asked for what they do,
 * and to ask must not change the host.
 */
#ifndef PROCFS_MODULES_H
#define PROCFS_MODULES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * true when the module is loaded or built in, or when this kernel cannot load any. Live only: what
 * follows from it is recorded by who asks. `name` as in /proc/modules: "nf_tables".
 */
bool procfs_module_is_there(const char *name);

/* Pure: does a text like that of /proc/modules name it? */
bool procfs_modules_parse(const void *data, size_t len, const char *name);
/* Pure: does a text like that of modules.builtin ("kernel/net/netfilter/nf_tables.ko" a line)? */
bool procfs_builtin_parse(const void *data, size_t len, const char *name);

#endif
