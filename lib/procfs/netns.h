/* SPDX-License-Identifier: MIT */
/*
 * Every network namespace that can be found, each once by its inode: the caller's own, named ones
 * (mounted in /run/netns), those of processes and threads, those mounted elsewhere; descriptors are
 * added by who meets them. The first finder that knows a name for people gives it.
 */
#ifndef PROCFS_NETNS_H
#define PROCFS_NETNS_H

#include <portavoz/snapshot.h>

#include "base/tape.h"
#include "base/vec.h"

struct procfs_netns {
	uint64_t inode;	     /* 0: a name that no namespace is mounted on */
	enum pv_netns_by by; /* what gave the name */
	int32_t pid;	     /* the lowest process in it; or, with an fd, one that has it open */
	int32_t tid;	     /* a thread of pid, when it is not pid itself that is in it; else 0 */
	int32_t fd;	     /* -1 = pid is in it */
	bool is_socket;	     /* the descriptor is a socket in it */
	char *name;	     /* for people; NULL = none */
	char *mount;	     /* absolute path it is mounted on; NULL = none known */
	char *runtime, *container; /* of pid; or NULL */
};

struct procfs_netns_list {
	VEC(struct procfs_netns) items; /* the caller's own comes first */
	uint64_t n_denied;		/* processes whose namespace may not be seen */
};

void procfs_netns_list_deinit(struct procfs_netns_list *list);

/*
 * Lists them. `own` is the inode of the caller's, `names_dir` where named ones are mounted
 * ("/run/netns"). Recorded as the stream "netns". 0, -ENOENT (there is no procfs), -ENODATA (not in
 * the recording), -EBADMSG (the recording is damaged), -ENOMEM.
 */
int procfs_netns_list(struct tape *t, uint64_t own, const char *names_dir,
		      struct procfs_netns_list *ret_list);

/* NULL = not in the list */
struct procfs_netns *procfs_netns_get(const struct procfs_netns_list *list, uint64_t inode);
/*
 * One that only a descriptor leads to, or a socket that is in it, unless it is known. 0, 1 (it was
 * known) or -ENOMEM.
 */
int procfs_netns_add_descriptor(struct procfs_netns_list *list, uint64_t inode, int32_t pid,
				int32_t fd, bool is_socket);
/* One that the caller knows by a path. 0, 1 (it was known) or -ENOMEM. */
int procfs_netns_add_path(struct procfs_netns_list *list, uint64_t inode, const char *path);

/*
 * Opens it, live: a descriptor for setns(2); -ENXIO (nothing is mounted on the name), -ESTALE (it
 * is another one by now, or gone), -errno.
 */
int procfs_netns_open(struct tape *t, const struct procfs_netns *n);
/* The inode of the network namespace that the file is, live; -EINVAL (it is none), -errno. */
int procfs_netns_at(const char *path, uint64_t *ret_inode);
/* The namespace of a process or thread; 0, -ENOENT (there is none), -EACCES, -errno. */
int procfs_netns_of(struct tape *t, int32_t pid, uint64_t *ret_inode);

/* Pure: "net:[4026531840]". */
bool procfs_netns_link_parse(const void *data, size_t len, uint64_t *ret_inode);
/* Pure: the text of the stream "netns"; 0, -EBADMSG or -ENOMEM. */
int procfs_netns_list_parse(const void *data, size_t len, struct procfs_netns_list *ret_list);
/* Pure: calls mount for each network namespace in the text of mountinfo. 0 or what mount returned.
 * path is borrowed, with its escapes undone. */
int procfs_netns_mounts_parse(const void *data, size_t len,
			      int (*mount)(void *userdata, uint64_t inode, const char *path),
			      void *userdata);

#endif
