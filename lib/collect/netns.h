/* SPDX-License-Identifier: MIT */
/*
 * Namespaces that a request asks for. Number 0 of the snapshot's table is the caller's own, which
 * the collector itself reads; the others are read here.
 */
#ifndef COLLECT_NETNS_H
#define COLLECT_NETNS_H

#include "collect/collector.h"

bool collect_netns_is_wanted(const struct collector *c);
/*
 * Finds those asked for, into c->others and the snapshot's table; collect_netns_free() in any case.
 * 0, -ENXIO (there is none such), -ENODATA (not in the recording), -errno.
 */
int collect_netns_open(struct collector *c);
void collect_netns_free(struct netns_work *w);
/* Whether the caller's own is among them. */
bool collect_netns_has_own(const struct collector *c);

/*
 * Runs `run` on a thread of its own, which may enter namespaces; replaying, at once. Returns what
 * it does, or -errno when no thread can be had.
 */
int collect_netns_thread(struct collector *c, int (*run)(struct collector *c));

/*
 * On that thread: the sockets and facts of each that was not visited yet. 0 or -errno; one that
 * cannot be entered is no error.
 */
int collect_netns_sockets(struct collector *c);
/* Whether namespaces that only descriptors lead to are to be looked for. */
bool collect_netns_wants_held(const struct collector *c);
/* On that thread, and when the search for owners is over: those too. */
int collect_netns_held(struct collector *c, const struct owner_search *search);
/*
 * On that thread: a sock_diag socket in the namespace of that number, for questions about its rows
 * (0: c->diag_fd); the last one asked for stays open. A descriptor that is not the caller's to
 * close, or -errno.
 */
int collect_netns_diag(struct collector *c, uint32_t netns);

/*
 * On that thread: the links and addresses of those that the request leaves out, as far as they may
 * be entered; their numbers follow those of the snapshot's table. 0 or -errno.
 */
int collect_netns_between(struct collector *c);
/*
 * On that thread: runs `run` in the namespace of that number, with a collector whose tape and netns
 * are those of the namespace. Returns what it does, or -errno where it cannot be entered.
 */
int collect_netns_visit(struct collector *c, uint32_t number,
			int (*run)(struct collector *guest, void *userdata), void *userdata);
/* Live: a descriptor of that namespace, or -errno. */
int collect_netns_fd(struct collector *c, uint32_t number);
uint64_t collect_netns_inode(const struct collector *c, uint32_t number);

/*
 * Says in the coverage what could not be entered or seen. 0 or -errno: one that was asked for by
 * itself and could not be entered.
 */
int collect_netns_report(struct collector *c);

/* sock_diag for the namespace of this collector, in c->diag_fd, which is a -errno without it. */
void collect_diag_open(struct collector *c);
/* A socket of ours in a namespace where we are a guest. */
bool collect_is_own_socket(const struct collector *c, const struct pv_conversation *row);

#endif
