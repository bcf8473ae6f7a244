/* SPDX-License-Identifier: MIT */
/*
 * Captures: packets of files to conversations. The conversations come as snapshots, so columns,
 * filters and writers are those of a listing; each has a struct pv_flow.
 */
#ifndef PORTAVOZ_CAPTURE_H
#define PORTAVOZ_CAPTURE_H

#include <portavoz/ends.h>
#include <portavoz/filter.h>
#include <portavoz/flow.h>
#include <portavoz/snapshot.h>

#ifdef __cplusplus
extern "C" {
#endif
#pragma GCC visibility push(default)

struct pv_capture;

struct pv_capture_progress {
	uint64_t bytes, total_bytes; /* of all files; total 0 = not known (a pipe) */
	uint64_t packets;
	uint64_t conversations; /* in the table now */
	uint64_t undecoded;	/* packets in which nothing was understood */
	/* live: by the kernel, for want of room (one of the loopback interface counts twice) */
	uint64_t dropped;
	/* live: behind the last of max_packets, when the run ended; they are not in `packets` */
	uint64_t unread;
	bool is_down; /* live: the interface is down, and packets are waited for */
};

/* Damage of a file: everything before it was reported. */
struct pv_capture_error {
	const char *path;     /* as it was given */
	bool is_live;	      /* path is an interface that went away; error tells, packets count */
	bool is_written;      /* path is of file_names, which could not be written: the same */
	uint64_t offset;      /* byte at which the damage begins */
	bool is_decompressed; /* offset counts what the file decompresses to */
	uint64_t packets;     /* whole packets of this file before it */
	int error;	      /* errno of a failed read; 0: the bytes are wrong or end too early */
	const char *expected; /* "16 bytes of a packet header" */
	const char *found;    /* "end of file after 7 bytes" */
};

/* Who is at one end of a socket pair. Texts are foreign bytes, cut to fit, NUL behind them. */
struct pv_capture_owner {
	uint8_t by;	 /* enum pv_end_by: how its socket was found */
	uint8_t reason;	 /* enum pv_reason: why there is no process */
	bool is_here;	 /* the address is one of this host's, as far as that is known */
	int32_t pid, fd; /* of the first holder; 0 = none */
	uint32_t uid;	 /* of the process */
	uint32_t socket_uid, inode, n_holders;
	uint64_t start_ticks;
	char comm[20], user[36], runtime[20], unit[100], container[88], exe[184];
};

/* Of what conversation: its socket pair, and when its first packet was seen (CLOCK_MONOTONIC, ns).
 */
struct pv_capture_question {
	struct pv_pair pair;
	int64_t time;
};

/*
 * Fills ret[0] and ret[1] for the two ends of the pair from a snapshot and its index (both may be
 * NULL), and from sockets that were closed since (NULL = these are not known); the surest way to
 * find a process counts. The snapshot has to be one with PV_NEED_OWNERS, EXE, CGROUP and PUSER.
 */
void pv_capture_owners(const struct pv_snapshot *snapshot, const struct pv_ends *ends,
		       const struct pv_closed *closed, const struct pv_capture_question *question,
		       struct pv_capture_owner ret[2]);

#define PV_CAPTURE_PAIRS 64
/* Packets of an interface. Everything is opened by pv_capture_open(), which needs CAP_NET_RAW. */
struct pv_capture_live {
	const char *interface; /* "any": all of this network namespace */
	uint32_t snaplen;      /* bytes kept of a packet */
	uint32_t buffer;       /* bytes the kernel keeps for us */
	bool is_promiscuous;
	uint64_t max_packets; /* then the run ends; 0 = no such bound */
	int64_t duration_ns;  /* the same */
	/* Asked ten times a second: true ends the run, and what is there is shown. May be NULL. */
	bool (*is_over)(void *userdata);
	/*
	 * Who is at the ends of up to PV_CAPTURE_PAIRS conversations: asked soon after they are
	 * first seen, and again for what is not certain; may be NULL. 0 or -errno, which ends the
	 * asking.
	 */
	int (*find_owners)(const struct pv_capture_question *questions, size_t n,
			   struct pv_capture_owner (*ret)[2], void *userdata);
	/* How the answers know of closed sockets, for the coverage; or NULL. Borrowed. */
	const struct pv_source *closed_source;
	/*
	 * Where every packet is written as pcapng, with its processes as a comment: a ring of
	 * files, each begun anew when it is full. Borrowed: they are duplicated.
	 */
	const int *files;
	const char *const *file_names; /* how errors name them; borrowed, too, for all the run */
	size_t n_files;
	uint64_t file_bytes; /* when a file is full; 0 = never */
};

struct pv_capture_request {
	size_t size;		  /* sizeof(struct pv_capture_request), by PV_CAPTURE_INIT */
	const char *const *paths; /* in this order; "-" is standard input */
	size_t n_paths;
	const struct pv_filter *filter; /* borrowed; NULL = all */
	const char *bpf;		/* pcap-filter(7) expression; NULL = every packet */
	bool observed;			/* look into payloads for the protocol */
	/*
	 * Bytes the conversations may take; a sixteenth is for names that files give to addresses,
	 * a sixty-fourth, or enough for 8192, for the interfaces they describe.
	 */
	uint64_t memory;
	uint64_t unpacked_max; /* bytes a compressed file may become, more is damage; 0 = any */
	int64_t bin_ns;	       /* width of the time series; 0 = none */
	/*
	 * Conversations of a snapshot at most. 0 = all that are left at the end in one: for
	 * sorting; fewer of them fit into `memory` then.
	 */
	size_t batch;
	uint64_t seed; /* of the hash; 0 = a random one */
	/*
	 * Sockets of that time, in which the processes at both ends are looked up; NULL = none.
	 * Borrowed until pv_capture_free().
	 */
	const struct pv_snapshot *joined;
	/* borrowed; NULL = nothing is renamed. The filter sees the true names; `live` has no files
	 */
	const struct pv_redactor *redactor;
	const struct pv_capture_live *live; /* packets of an interface instead of files; or NULL */
	/* called about every 16 MiB; a value other than 0 stops the run with it */
	int (*progress)(const struct pv_capture_progress *progress, void *userdata);
	void *userdata;
};
#define PV_CAPTURE_MEMORY ((uint64_t)1 << 30)
#define PV_CAPTURE_INIT                                                                            \
	{                                                                                          \
		.size = sizeof(struct pv_capture_request), .observed = true,                       \
		.memory = PV_CAPTURE_MEMORY, .batch = 4096                                         \
	}

/*
 * Opens a run. *ret_capture is for pv_capture_free(). 0 or -errno: -EINVAL (bpf does not compile:
 * *ret_message says why), -ELIBACC (libpcap, which bpf and interfaces need, could not be loaded: so
 * does *ret_message), what opening a file failed with, -ENOMEM. `ret_message` may be NULL,
 * otherwise it is for free() and NULL when there is nothing to say.
 */
int pv_capture_open(const struct pv_capture_request *request, struct pv_capture **ret_capture,
		    char **ret_message);
void pv_capture_free(struct pv_capture *capture);

#define PV_CAPTURE_END 1
/*
 * The next conversations, a snapshot for pv_snapshot_free(): those that had to leave the table for
 * want of memory, at the end the rest. The last snapshot has the coverage of the whole run. 0,
 * PV_CAPTURE_END (there was none left), or -errno.
 */
int pv_capture_next(struct pv_capture *capture, struct pv_snapshot **ret_snapshot);

/* Belongs to the capture. */
const struct pv_capture_progress *pv_capture_progress(const struct pv_capture *capture);
/*
 * The n-th damaged file, NULL when there are no more; to be asked after PV_CAPTURE_END. Belongs to
 * the capture.
 */
const struct pv_capture_error *pv_capture_damage(const struct pv_capture *capture, size_t n);

/*
 * Saved text of `ss -tunap`, `netstat -tunap` or `lsof -nPi` to a snapshot of sockets with their
 * processes, for `joined`. Lines that are none of these are counted in its coverage. 0, -EBADMSG
 * (not one line is) or -ENOMEM.
 */
int pv_listing_parse(const void *data, size_t len, struct pv_snapshot **ret_snapshot);

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
