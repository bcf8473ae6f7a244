/* SPDX-License-Identifier: MIT */
/*
 * The state of one collection: sources put rows in, then the joins (owners, direction, pairs,
 * names) run over them. One file a step; collect.c calls them in order.
 */
#ifndef COLLECT_COLLECTOR_H
#define COLLECT_COLLECTOR_H

#include "base/map.h"
#include "base/tape.h"
#include "judge/judge.h"
#include "model/snapshot.h"

#define COLLECTOR_SELF_MAX 64

struct netns_work;
struct network;

struct collector {
	const struct pv_request *request;
	struct tape tape;
	struct pv_snapshot *snapshot;
	/* sock_diag; open until the owners are known, or our own socket would have none. -1 = none
	 */
	int diag_fd;
	uint32_t needs;	       /* of the caller's columns and of the filter together */
	uint32_t protos;       /* PV_PROTO_BIT() mask of those to read */
	uint64_t rights;       /* effective capabilities, one bit each (linux/capability.h) */
	bool may_bpf;	       /* privileges suffice for BPF */
	bool may_see_all;      /* they suffice to look into every process of /proc */
	uint32_t n_sockets;    /* what net/sockstat counts; UINT32_MAX = not known */
	struct map by_cookie;  /* cookie -> row number */
	size_t n_indexed;      /* rows in it, from the first on */
	bool has_proc;	       /* a procfs is mounted, or recorded */
	bool may_idle;	       /* there may be TCP sockets that are bound and idle */
	bool lacks_idle;       /* an iterator listed TCP: those are still to be listed */
	bool is_host_pidns;    /* our pid namespace is the initial one */
	int hidepid;	       /* of the procfs mount */
	bool is_verdict_asked; /* by the caller; a recording gathers its facts in any case */
	VEC(struct judge_view) views; /* rows that were compared between the kernel's lists */
	int view_programs[2];	      /* 1 + descriptor of what lists TCP and UDP; 0 = none yet */
	/* other namespaces (netns.c); NULL = none is asked for */
	struct netns_work *others;
	struct network *network; /* what joins namespaces (network.h); NULL = not needed */
	uint32_t netns;		 /* whose rows are being read: number in the snapshot's table */
	/* inodes of sockets that this collection made in a namespace it is a guest in */
	uint32_t self[COLLECTOR_SELF_MAX];
	size_t n_self;
};

/* sockets.c: rows of every protocol asked for, each lasting socket once. 0 or -errno. */
int collect_sockets(struct collector *c);
/* Idle TCP sockets that are bound to a port, where collect_sockets() left them out. */
int collect_idle_sockets(struct collector *c);

/*
 * views.c: compares TCP and UDP sockets between the kernel's lists, for verdicts. Of our own
 * namespace it starts beside the listing; finishing fills c->views, and adds the rows of sockets
 * that the list in use hides. 0 or -errno.
 */
struct view_search;
int collect_views_start(struct collector *c, struct view_search **ret_search);
/* Frees the search; NULL = none was started. */
int collect_views_finish(struct collector *c, struct view_search *search);
/* Of the namespace that the calling thread visits, after its sockets were listed. */
int collect_views_of_visited(struct collector *c);
/* What both left in c. */
void collect_views_close(struct collector *c);

/* owners.c: who holds each row; rows without a holder get their reason. 0 or -errno. */
struct owner_search;
/* Starts the search, on a thread of its own where that pays. */
int collect_owners_start(struct collector *c, struct owner_search **ret_search);
/* Waits for it. false: it met every descriptor, and no socket that is bound and idle. */
bool collect_owners_wait(struct owner_search *search);
/* What it met, when it was waited for: network namespaces that descriptors keep (OWNER_NETNS),
 * those that sockets keep only where it could. */
struct owner_record;
const struct owner_record *collect_owners_held(const struct owner_search *search, size_t *ret_n,
					       bool *ret_with_sockets);
/* Joins it with the rows and settles what was not found. Frees the search. */
int collect_owners_finish(struct collector *c, struct owner_search *search);
/* Counts the reasons of the rows that are shown as gaps of the coverage. */
int collect_owners_report(struct collector *c);

/* details.c: exe, cmdline, cgroup, uid of the processes that hold shown rows. */
int collect_details(struct collector *c, uint32_t needs);
/* The same for one process. 0 or -ENOMEM; what could not be read is the process's reason. */
struct procfs_process;
int collect_details_read(struct collector *c, struct pv_process *p, uint32_t needs,
			 struct procfs_process *scratch);

/* lineage.c: the process asked for by its pid, the parents of all whose details were read. */
int collect_process(struct collector *c, int32_t pid, uint32_t needs);
int collect_lineage(struct collector *c);

/* direction.c: who opened each conversation, and by which rule. */
int collect_directions(struct collector *c);

/* pairs.c: the other end, where it is on this host. */
int collect_pairs(struct collector *c);

/* exposure.c: who can reach each listener. */
int collect_exposures(struct collector *c);

/* names.c: host names of the remote addresses of shown rows, within the time given. */
int collect_names(struct pv_snapshot *s, struct tape *tape, int timeout_ms, const char *servers);

/* host.c: privileges, namespaces, user and interface names. */
int collect_host(struct collector *c);
int collect_users(struct collector *c);
int collect_ifnames(struct collector *c);
/* The same for the namespace that is being read, when a row from `first` on has an interface. */
int collect_ifnames_of(struct collector *c, size_t first);
/* Settings of the namespace that is being read, and how many sockets are in it. */
int collect_netns_facts(struct collector *c, struct pv_netns *n);

/* A clause for people why the kernel refused; static. */
const char *collect_error_text(int error);

/* Row n of those that are to be shown: all until the filter has run. */
static inline struct pv_conversation *collector_shown(const struct collector *c, size_t n)
{
	return snapshot_row(c->snapshot,
			    c->snapshot->is_filtered ? c->snapshot->shown.items[n] : n);
}

#endif
