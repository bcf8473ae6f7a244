/* SPDX-License-Identifier: MIT */
/*
 * A snapshot: every conversation seen in one run, immutable once returned. All pointers reached
 * through it live exactly as long as it does. Any thread may read it.
 */
#ifndef PORTAVOZ_SNAPSHOT_H
#define PORTAVOZ_SNAPSHOT_H

#include <portavoz/conversation.h>
#include <portavoz/coverage.h>
#include <portavoz/judge.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct pv_filter;
struct pv_redactor;
struct pv_policy;
struct pv_snapshot;

enum pv_owners { PV_OWNERS_AUTO, PV_OWNERS_BPF, PV_OWNERS_PROC, PV_OWNERS_NONE };

/* Where sockets come from. AUTO: whatever lists each lasting socket once, the fastest first. */
enum pv_sockets { PV_SOCKETS_AUTO, PV_SOCKETS_BPF, PV_SOCKETS_NETLINK, PV_SOCKETS_PROC };

/* What a caller will look at beyond the tuple, state, queues, uid and inode. Nothing else is read.
 */
#define PV_NEED_OWNERS 0x0001 /* holders: pid, fd, comm, start time */
#define PV_NEED_EXE 0x0002
#define PV_NEED_CMDLINE 0x0004
#define PV_NEED_CGROUP 0x0008 /* cgroup, unit, container */
#define PV_NEED_PUSER 0x0010  /* uid of the holding process */
#define PV_NEED_TCPINFO 0x0020
#define PV_NEED_MEM 0x0040
#define PV_NEED_TIMER 0x0080
#define PV_NEED_SOCKCGROUP 0x0100 /* cgroup id of the socket, tos, mark */
#define PV_NEED_PEER 0x0200	  /* the other end on this host */
#define PV_NEED_DIRECTION 0x0400
#define PV_NEED_NAMES 0x0800	       /* remote_name, by reverse DNS */
#define PV_NEED_PARENTS 0x1000	       /* parents of the holding processes; the clock */
#define PV_NEED_LISTEN 0x2000	       /* sockets a holding process was started with (listen_*) */
#define PV_NEED_VERDICT 0x4000	       /* verdict and findings */
#define PV_NEED_NAT 0x10000	       /* translations, of peers too; see exposure.h */
#define PV_NEED_EXPOSURE 0x20000       /* who can reach a listener; see exposure.h */
#define PV_NEED_ADDRESSES 0x40000      /* of each namespace that is listed, for pv_ends_new() */
#define PV_NEED_ALL 0x337ff	       /* everything that sends no packet and judges nothing */
#define PV_NEED_ATTRIBUTES 0x80000000u /* pv_detail.attributes; not part of PV_NEED_ALL */

struct pv_request {
	size_t size;	  /* sizeof(struct pv_request), set by PV_REQUEST_INIT */
	uint32_t protos;  /* PV_PROTO_BIT() mask */
	bool inet, inet6; /* address families wanted of the IP protocols */
	/*
	 * PV_STATE_BIT() mask. With LISTEN, CLOSE stands for servers (UDP, RAW, ...): TCP sockets
	 * that are bound and idle come only with ESTABLISHED too, with CLOSE alone, or with a
	 * filter that names states.
	 */
	uint32_t states;
	uint32_t needs; /* PV_NEED_* */
	enum pv_owners owners;
	enum pv_sockets sockets;
	const struct pv_filter
		*filter;	/* borrowed; rows that do not match are left out. NULL = all */
	const char *record_dir; /* store what was read in this new folder; NULL = do not */
	/* read from such a folder, or from a raw dump of TCP sockets (dump.h), instead of the
	 * kernel; NULL = live */
	const char *replay_dir;
	int dns_timeout_ms;	 /* budget for all names together, with PV_NEED_NAMES */
	const char *dns_servers; /* "addr[:port],..." instead of resolv.conf; NULL = resolv.conf */
	int32_t pid;		 /* read this process, too, even if it holds nothing; 0 = none */
	uint32_t
		table_protos; /* PV_PROTO_BIT() mask of those read from /proc/net whatever `sockets`
				 says, in that order and with what only these tables tell */
	/*
	 * Whose sockets, with commas between: network namespaces by name (that of ip-netns, or the
	 * container), by the pid of a process in them, by a path with a "/" in it, or as
	 * "net:[INODE]"; "all" is every one that can be found, the caller's first. NULL = the
	 * caller's own.
	 */
	const char *netns;
	/*
	 * Everything that says who and where is replaced, at last: the filter sees what is true. A
	 * recording made with it holds the snapshot under its new names, and nothing else.
	 * Borrowed; NULL = nothing is.
	 */
	const struct pv_redactor *redactor;
	const struct pv_policy *policy; /* borrowed; with PV_NEED_VERDICT. NULL = none */
	bool verify; /* the same: are packaged executables what their packages installed? */
};
#define PV_REQUEST_INIT                                                                            \
	{                                                                                          \
		.size = sizeof(struct pv_request), .protos = PV_PROTO_ALL, .inet = true,           \
		.inet6 = true, .states = PV_STATE_ALL, .dns_timeout_ms = 1000                      \
	}

/*
 * Collects a snapshot. Partial results are no error: pv_snapshot_coverage() tells what is missing.
 * Returns 0 and a snapshot for pv_snapshot_free(), or -errno: -EEXIST (record_dir is not empty),
 * -ENOENT, -EINVAL (replay_dir is no recording; dns_servers is malformed), -EBADMSG (it is damaged,
 * or a file that is no raw dump: pv_dump_check() tells more), -ENXIO (netns names one that is not
 * there), -EMFILE or -ENFILE (no descriptor was left), -ENOMEM, or what opening or writing
 * record_dir failed with.
 */
int pv_collect(const struct pv_request *request, struct pv_snapshot **ret_snapshot);
/*
 * Tries each mechanism portavoz reads from, once: the snapshot has no rows, its coverage names
 * every source as working, fallback or off, with the cause. 0 or -ENOMEM.
 */
int pv_probe(struct pv_snapshot **ret_snapshot);
/*
 * Looks up the names of the remote addresses of the conversations (reverse DNS, all in parallel, at
 * most dns_timeout_ms together) and sets remote_name: what PV_NEED_NAMES does, for callers that
 * show something first. No other thread may read the snapshot meanwhile, and the sources and gaps
 * of its coverage are to be fetched again. 0, -EINVAL (dns_servers is malformed) or -ENOMEM;
 * addresses without a name are counted in the coverage.
 */
int pv_snapshot_resolve(struct pv_snapshot *snapshot, int dns_timeout_ms, const char *dns_servers);
void pv_snapshot_free(struct pv_snapshot *snapshot);

size_t pv_snapshot_count(const struct pv_snapshot *snapshot);
/* index < pv_snapshot_count() */
const struct pv_conversation *pv_snapshot_get(const struct pv_snapshot *snapshot, size_t index);

/* n-th holder of a conversation, n < conversation->n_holders */
const struct pv_holder *pv_snapshot_holder(const struct pv_snapshot *snapshot,
					   const struct pv_conversation *conversation, uint32_t n);
const struct pv_process *pv_snapshot_process(const struct pv_snapshot *snapshot, uint32_t index);
/* Those that hold a socket, shown or not, their parents, and the one asked for by its pid. */
size_t pv_snapshot_process_count(const struct pv_snapshot *snapshot);

/* With PV_NEED_PARENTS: turns start_ticks into time. */
#define PV_TICKS_PER_SECOND 100
struct pv_clock {
	uint64_t boot_time;    /* seconds since 1970; 0 = not known */
	uint64_t uptime_ticks; /* when the snapshot was taken, clock ticks since boot; 0 = not known
				*/
};
/*
 * What tells the key of its redaction from others: names of two snapshots may be compared when it
 * is the same. Empty = it is not redacted, or its recording does not say.
 */
const char *pv_snapshot_key_mark(const struct pv_snapshot *snapshot);
/* Was it redacted when it was recorded, so that filters and questions go by the other names? */
bool pv_snapshot_is_from_redacted(const struct pv_snapshot *snapshot);
const struct pv_clock *pv_snapshot_clock(const struct pv_snapshot *snapshot);

/* The conversation at the other end, when it is on this host; or NULL. */
const struct pv_conversation *pv_snapshot_peer(const struct pv_snapshot *snapshot,
					       const struct pv_conversation *conversation);

/* What a network namespace is called by, the first that is known. */
enum pv_netns_by {
	PV_NETNS_BY_NONE,	/* nothing is known but its inode */
	PV_NETNS_BY_NAME,	/* ip-netns: its name in /run/netns */
	PV_NETNS_BY_CONTAINER,	/* the container of the first process in it */
	PV_NETNS_BY_PROCESS,	/* "pid N", the lowest in it */
	PV_NETNS_BY_MOUNT,	/* no process is in it: the path it is mounted on */
	PV_NETNS_BY_DESCRIPTOR, /* nor is it mounted: "pid N fd M", an open descriptor */
	PV_NETNS_BY_N,
};

/*
 * A network namespace. Number 0 is always the caller's own; the others are there when the request
 * asked for them, those that could not be entered included (is_read is false, a gap says why).
 */
struct pv_netns {
	uint64_t inode; /* of /proc/PID/ns/net; 0 = unknown */
	uint16_t ephemeral_first,
		ephemeral_last;	  /* net.ipv4.ip_local_port_range; 0, 0 = not read */
	const uint64_t *reserved; /* bitmap of 65,536 bits, ip_local_reserved_ports; or NULL */
	/* For people; empty = not known: of the caller's own, more than an ip-netns name is looked
	 * for only when the request names namespaces. Foreign bytes. */
	struct pv_bytes name;
	uint8_t name_by; /* enum pv_netns_by */
	bool is_own;	 /* the caller's */
	bool is_read;	 /* its sockets were listed */
	int32_t pid;	 /* the lowest process in it, else one that has it open; 0 = none known */
	struct pv_bytes runtime, container; /* of that process in it, as in pv_process; or empty */
};
size_t pv_snapshot_netns_count(const struct pv_snapshot *snapshot);
/* An index beyond the count is one of which nothing is known; never NULL. */
const struct pv_netns *pv_snapshot_netns(const struct pv_snapshot *snapshot, uint32_t index);
/* true when the number is in the range the system picks source ports from, reserved ones excluded
 */
bool pv_netns_is_ephemeral(const struct pv_netns *netns, uint32_t port);

/* Login name of a uid as /etc/passwd of the host (or the recording) has it; NULL = no entry. */
const char *pv_snapshot_user(const struct pv_snapshot *snapshot, uint32_t uid);
/* Name of an interface of the network namespace of that index; NULL = none such. */
const char *pv_snapshot_netns_ifname(const struct pv_snapshot *snapshot, uint32_t netns,
				     uint32_t ifindex);
/* The same of the caller's own. */
const char *pv_snapshot_ifname(const struct pv_snapshot *snapshot, uint32_t ifindex);

const struct pv_coverage *pv_snapshot_coverage(const struct pv_snapshot *snapshot);

/*
 * The port that names the service of a conversation: that of the listening end (direction decides;
 * when it is unknown, the end whose port is registered or lower-grouped). 0 = none.
 */
uint32_t pv_snapshot_service_port(const struct pv_snapshot *snapshot,
				  const struct pv_conversation *conversation);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
