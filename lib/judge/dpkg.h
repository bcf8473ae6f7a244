/* SPDX-License-Identifier: MIT */
/*
 * dpkg's database as files: info/PACKAGE.list (a path a line), info/PACKAGE.md5sums and diversions,
 * below /var/lib/dpkg. Lists are streamed past the few paths that are asked for; nothing of them is
 * kept. Paths are compared as they are after the merge of / and /usr: /bin/x is /usr/bin/x.
 */
#ifndef JUDGE_DPKG_H
#define JUDGE_DPKG_H

#include "base/vec.h"
#include "judge/packages.h"

/* A file of one package that lies under another name. */
struct dpkg_diversion {
	struct pv_bytes from, to, package; /* package ":" = by the administrator */
};
typedef VEC(struct dpkg_diversion) dpkg_diversions;

/* A path that is looked for in the lists. */
struct dpkg_needle {
	struct pv_bytes name;	/* as lists have it, without the leading "/usr" of merged folders */
	struct pv_bytes only;	/* if not empty: in this package's list alone */
	struct pv_bytes except; /* if not empty: in any list but this package's */
	uint32_t query;		/* index of struct package_query */
	uint32_t next;		/* 1 + index of the next one with the same hash; 0 = none */
};

struct dpkg_index {
	VEC(struct dpkg_needle) needles;
	uint32_t heads[1024];	   /* 1 + index of a needle, by hash */
	uint64_t ends[65536 / 64]; /* bit n: lines of some needle end so (end_of()) */
	size_t n_open;		   /* needles not found yet */
};

/* Three lines each: from, to, package. Points into the text. 0 or -ENOMEM. */
int dpkg_diversions_parse(const void *data, size_t len, dpkg_diversions *d);
/* Enters the queries; names point into them or into the diversions. 0 or -ENOMEM. */
int dpkg_index_build(struct dpkg_index *x, const struct package_query *queries, size_t n,
		     const dpkg_diversions *diversions);
void dpkg_index_deinit(struct dpkg_index *x);
/*
 * Looks through one package's list; sets ->package of queries that are in it to `package`, as it
 * is. A line without its newline counts.
 */
void dpkg_list_search(struct dpkg_index *x, struct package_query *queries,
		      const struct pv_bytes *package, uint64_t unpacked, const void *data,
		      size_t len);
/* The digest of a path in the text of an md5sums file: 0 or -ENOENT. */
int dpkg_md5sums_find(const void *data, size_t len, const struct pv_bytes *path,
		      char ret_hex[static 33]);

#endif
