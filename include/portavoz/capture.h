/* SPDX-License-Identifier: MIT */
/*
 * Captures: packets of files to conversations. The conversations come as snapshots, so columns,
 * filters and writers are those of a listing; each has a struct pv_flow.
 */
#ifndef PORTAVOZ_CAPTURE_H
#define PORTAVOZ_CAPTURE_H

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
};

/* Damage of a file: everything before it was reported. */
struct pv_capture_error {
	const char *path;     /* as it was given */
	uint64_t offset;      /* byte at which the damage begins */
	bool is_decompressed; /* offset counts what the file decompresses to */
	uint64_t packets;     /* whole packets of this file before it */
	int error;	      /* errno of a failed read; 0: the bytes are wrong or end too early */
	const char *expected; /* "16 bytes of a packet header" */
	const char *found;    /* "end of file after 7 bytes" */
};

struct pv_capture_request {
	size_t size;		  /* sizeof(struct pv_capture_request), by PV_CAPTURE_INIT */
	const char *const *paths; /* in this order; "-" is standard input */
	size_t n_paths;
	const struct pv_filter *filter; /* borrowed; NULL = all */
	const char *bpf;		/* pcap-filter(7) expression; NULL = every packet */
	bool observed;			/* look into payloads for the protocol */
	uint64_t memory;		/* bytes the conversations may take */
	int64_t bin_ns;			/* width of the time series; 0 = none */
	/*
	 * Conversations of a snapshot at most. 0 = all that are left at the end in one: for
	 * sorting; fewer of them fit into `memory` then.
	 */
	size_t batch;
	uint64_t seed;	    /* of the hash; 0 = a random one */
	const char *joined; /* a recording, or saved text of ss, netstat or lsof; NULL = none */
	/* called about every 16 MiB; a value other than 0 stops the run with it */
	int (*progress)(const struct pv_capture_progress *progress, void *userdata);
	void *userdata;
};
#define PV_CAPTURE_MEMORY ((uint64_t)1 << 30)
#define PV_CAPTURE_INIT                                                                            \
	{                                                                                          \
		.size = sizeof(struct pv_capture_request), .observed = true,                       \
		.memory = PV_CAPTURE_MEMORY, .batch = 16384                                        \
	}

/*
 * Opens a run. *ret_capture is for pv_capture_free(). 0 or -errno: -EINVAL (bpf does not compile:
 * *ret_message says why), what opening a file failed with, -ENOMEM. `ret_message` may be NULL,
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

#pragma GCC visibility pop
#ifdef __cplusplus
}
#endif
#endif
