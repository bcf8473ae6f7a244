/* SPDX-License-Identifier: MIT */
/*
 * Threads that hold sockets, and how a security module (SELinux) labels them. Read of this host,
 * after a snapshot and for its rows: what has changed since is not there.
 */
#ifndef PORTAVOZ_TASKS_H
#define PORTAVOZ_TASKS_H

#include <portavoz/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

/* A thread that holds a socket by that descriptor; the leader of a process is one. */
struct pv_task {
	int32_t pid, tid, fd;
	struct pv_bytes comm;	    /* of the thread */
	const char *context;	    /* of the thread; NULL = not asked for, or not to be had */
	const char *socket_context; /* the same of the socket */
};

#define PV_TASKS_THREADS 0x1  /* every thread of a process, not its leader alone */
#define PV_TASKS_CONTEXTS 0x2 /* contexts */

struct pv_tasks;

/*
 * Reads the tasks of every row that has holders. Threads with a file table of their own count where
 * their table holds the socket. `what` is PV_TASKS_*. The snapshot must outlive the result, which
 * is for pv_tasks_free(). 0, -ENOMEM, -ENOENT (there is no procfs) or -errno.
 */
int pv_tasks_read(const struct pv_snapshot *snapshot, uint32_t what, struct pv_tasks **ret_tasks);
void pv_tasks_free(struct pv_tasks *tasks);
/* Those of the row that pv_snapshot_get() has under this index: their number, and the first. */
size_t pv_tasks_of(const struct pv_tasks *tasks, size_t index, const struct pv_task **ret_first);

/*
 * The context of a process or thread (/proc/PID/attr/current), or of the kernel (0, where SELinux
 * runs); cut to `size` with its NUL. 0, or -errno: the kernel has no module that labels (-EINVAL),
 * ...
 */
int pv_context_read(int32_t pid, char *text, size_t size);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif

#endif
