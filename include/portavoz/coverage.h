/* SPDX-License-Identifier: MIT */
/* Coverage: what a run could not see, with counts, and which source answered how. */
#ifndef PORTAVOZ_COVERAGE_H
#define PORTAVOZ_COVERAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

enum pv_source_state { PV_SOURCE_WORKING, PV_SOURCE_FALLBACK, PV_SOURCE_OFF };

/* One source of facts, e.g. name "tcp", via "bpf iterator", state working; cause is NULL then. */
struct pv_source {
	const char *name;
	const char *via;
	const char *cause;
	enum pv_source_state state;
};

enum pv_gap_kind {
	PV_GAP_PROTOCOL,	 /* a protocol's sockets could not be listed at all */
	PV_GAP_UNSTABLE,	 /* dumps did not agree; count = sockets seen in some dumps only */
	PV_GAP_OVERRUN,		 /* the kernel dropped answers (ENOBUFS) or cut a message */
	PV_GAP_MALFORMED,	 /* messages or rows that could not be understood */
	PV_GAP_OWNER_PERMISSION, /* sockets whose owner is hidden by privilege */
	PV_GAP_OWNER_HIDDEN,	 /* by hidepid or a pid namespace */
	PV_GAP_OWNER_NO_PROC,	 /* no /proc */
	PV_GAP_OWNER_GONE,	 /* exited or closed during listing */
	PV_GAP_OWNER_NO_TABLE,	 /* no file table holds them */
	PV_GAP_OWNER_THREADS,	 /* threads' own file tables were not looked at */
	PV_GAP_OWNER_UNTRUSTED,	 /* an inode named twice by a text table */
	PV_GAP_OWNER_LIMIT,	 /* a resource limit (descriptors, memory) cut the search short */
	PV_GAP_OWNER_SOURCE,	 /* the way to find owners that was asked for is not there */
	PV_GAP_DETAIL,		 /* processes or sockets whose details could not be read */
	PV_GAP_NAMES,		 /* addresses without an answer in time */
	PV_GAP_NAMES_REFUSED,	 /* host names refused: they imitate an address or hold odd bytes */
	PV_GAP_NETNS,	     /* network namespaces that could not be entered; detail: which, why */
	PV_GAP_NETNS_STALE,  /* names of ip-netns that no namespace is mounted on; detail: which */
	PV_GAP_NETNS_HIDDEN, /* processes that may be in, or hold, others that were not found */
	PV_GAP_NAT,	     /* namespaces whose translations could not be read; detail: why */
	PV_GAP_RULES,	     /* rules, or namespaces whose rules, are not known; detail: why */
	PV_GAP_NOT_RECORDED, /* the recording lacks what was asked */
	/* of captures */
	PV_GAP_DAMAGED,	  /* files damaged: what lies behind was not read; detail: where, what */
	PV_GAP_UNDECODED, /* packets in which nothing was understood */
	PV_GAP_CUT,	  /* packets that end before their headers do: cut, or false lengths */
	PV_GAP_TIMES,	  /* packets without a time, or with none from 1970 to 2262 */
	PV_GAP_FRAGMENTS, /* fragments that could not be put together */
	PV_GAP_OVERLAP,	  /* datagrams with overlapping fragments: which bytes were meant is unknown
			   */
	PV_GAP_DEPTH,	  /* packets with more layers of tunnels than are opened */
	PV_GAP_DROPPED,	  /* packets the kernel dropped, for want of room in its ring */
	PV_GAP_EVICTED,	  /* conversations that had to leave memory before the end */
	PV_GAP_OBSERVED,  /* conversations whose payload could not be looked at to the end */
	PV_GAP_OWNER_ENDED,   /* conversations with an end on this host whose process is not known;
				 detail: why */
	PV_GAP_LIBRARY,	      /* libraries that could not be loaded; detail: which, why */
	PV_GAP_AGAIN,	      /* packets that were seen on another interface before: counted once */
	PV_GAP_NAMES_DROPPED, /* names that capture files give, for which there was no memory */
	PV_GAP_BPF, /* packets of link types on which the pcap-filter(7) expression means nothing */
	PV_GAP_N,
};

struct pv_gap {
	enum pv_gap_kind kind;
	uint64_t count;
	const char *detail; /* what exactly, or NULL */
};

struct pv_coverage {
	const struct pv_source *sources;
	size_t n_sources;
	const struct pv_gap *gaps;
	size_t n_gaps;
	/*
	 * false when a gap means that something which exists is not shown; names, and packets that
	 * were seen again, do not count
	 */
	bool complete;
};

const char *pv_gap_name(enum pv_gap_kind kind);	  /* stable key: "owner_permission" */
const char *pv_gap_text(enum pv_gap_kind kind);	  /* "sockets whose owner is hidden by privilege" */
const char *pv_gap_remedy(enum pv_gap_kind kind); /* what would help, or NULL */
const char *pv_source_state_name(enum pv_source_state state);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
