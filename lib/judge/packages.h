/* SPDX-License-Identifier: MIT */
/*
 * Which installed package owns a file. A provider reads one kind of package database; another kind
 * (rpm) is another provider in the table of packages.c.
 */
#ifndef JUDGE_PACKAGES_H
#define JUDGE_PACKAGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <portavoz/conversation.h>

#include "base/arena.h"

/* One file that is asked for. Paths are absolute, without symbolic links. */
struct package_query {
	struct pv_bytes path;
	struct pv_bytes package; /* found: its name, in the arena; else empty */
	uint64_t unpacked; /* when the package was unpacked, seconds since 1970; 0 = unknown */
};

struct package_provider {
	const char *name; /* "dpkg" */
	/*
	 * Looks up all of them in one pass over the database below `root` ("" = this host's). 0,
	 * -ENOENT (no such database) or -errno.
	 */
	int (*find)(const char *root, struct package_query *queries, size_t n, struct arena *arena);
	/*
	 * The MD5 digest that the package came with for the path, in hexadecimal. 0, -ENOENT (it
	 * lists none) or -errno.
	 */
	int (*digest)(const char *root, const struct pv_bytes *package, const struct pv_bytes *path,
		      char ret_hex[static 33]);
	/* When something was last installed or removed, seconds since 1970; 0 = unknown. */
	uint64_t (*changed)(const char *root);
};

/* The first provider whose database exists below `root`; NULL = none. */
const struct package_provider *packages_provider(const char *root);

extern const struct package_provider packages_dpkg;

#endif
