/* SPDX-License-Identifier: MIT */
/*
 * BPF iterators as sources: every TCP, UDP and UNIX socket of the caller's network namespace, and
 * every descriptor that refers to a socket, and each network namespace that descriptors keep, in
 * the caller's pid namespace.
 *
 * Each kind is a program of its own, so only what is needed is loaded. Nothing here keeps state:
 * threads may use different iterators at the same time. The network namespace is that of the thread
 * that calls bpf_iter_open(); the pid namespace is that of the thread that reads, which must be in
 * the one it was opened in. Needs CAP_BPF and CAP_PERFMON, and a kernel with BTF: 5.15, for UNIX
 * sockets 5.17.
 */
#ifndef BPF_ITER_H
#define BPF_ITER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/tape.h"
#include "model/owner_record.h"
#include "model/sink.h"

enum bpf_iter_kind {
	BPF_KIND_TCP,
	BPF_KIND_UDP,
	BPF_KIND_UNIX,
	BPF_KIND_OWNERS,
	BPF_KIND_NETNS, /* network namespaces that descriptors keep alive, as owner records */
	BPF_KIND_N
};

/* An iterator that was opened; it is good for one reading. */
struct bpf_iter {
	enum bpf_iter_kind kind;
	int fd;
	int ring_fd;	    /* UNIX sockets: the ring buffer map with the records; else -1 */
	uint32_t ring_size; /* bytes, a power of two */
};
#define BPF_ITER_INIT                                                                              \
	{                                                                                          \
		BPF_KIND_N, -1, -1, 0                                                              \
	}

/*
 * Loads the program of that kind and attaches it. 0, or -errno: -EPERM (privilege), -ENOTSUP (built
 * without BPF), others as the kernel gives them. bpf_iter_close() in any case.
 */
int bpf_iter_open(enum bpf_iter_kind kind, struct bpf_iter *it);
void bpf_iter_close(struct bpf_iter *it);

/*
 * The same in two steps, for TCP and UDP: a program that is loaded once serves one iterator a
 * network namespace, the one its thread is in when it attaches. The caller closes the program.
 */
int bpf_iter_load(enum bpf_iter_kind kind, int *ret_prog_fd);
int bpf_iter_attach(enum bpf_iter_kind kind, int prog_fd, struct bpf_iter *it);

/* A clause for people why bpf_iter_open() failed; never NULL. */
const char *bpf_cause(int error);

/* Takes whole records; 0 to go on, or -errno, which ends the reading. */
typedef int (*bpf_chunk)(void *userdata, const void *data, size_t len);

/*
 * Reads to the end. Recording, the bytes go into the stream "iter-KIND.ATTEMPT" (tcp, udp, unix,
 * owners, netns), errors beside it. 0 or -errno; what was handed out before an error is incomplete.
 * A ring that was too small is replaced by a larger one, which loads the program again.
 */
int bpf_iter_read(struct tape *t, struct bpf_iter *it, unsigned int attempt, bpf_chunk chunk,
		  void *userdata);

/*
 * Opens, reads and closes; when replaying, reads the stream instead. An error of opening is
 * recorded, too. 0 or -errno (-ENODATA: the recording has no such stream).
 */
int bpf_iter_run(struct tape *t, enum bpf_iter_kind kind, unsigned int attempt, bpf_chunk chunk,
		 void *userdata);

/* What the parsers met, summed over calls; start with zeros. */
struct bpf_stats {
	uint64_t n_rows;      /* handed out */
	uint64_t n_malformed; /* records (or rests of a chunk) that were not understood */
	uint64_t n_exact;     /* sockets written by a walk that skips and repeats none */
};

/*
 * Parses whole records of a socket kind into rows: all but netns, owners, peer, direction, timers
 * and detail. Any bytes are accepted. 0, or what the sink returned.
 */
int bpf_parse_sockets(const void *data, size_t len, enum bpf_iter_kind kind,
		      const struct sink *sink, struct bpf_stats *stats);

/*
 * true when each socket that lasted was visited exactly once. The kernel's TCP and UDP iterators do
 * so since they resume by cookie: "bpf: tcp: Avoid socket skips and repeats during iteration" and
 * "bpf: udp: ..." (5668f73f09ae), posted in 2025. Other trees carry the TCP change under several
 * numbers, so no release decides: the programs look for the types that these series brought. Where
 * it is false, merge several readings by cookie.
 */
static inline bool bpf_sockets_are_exact(const struct bpf_stats *stats)
{
	return stats->n_exact == stats->n_rows;
}

/* Takes n records; 0 to go on, or -errno. They are borrowed for the call. */
typedef int (*bpf_owner_rows)(void *userdata, const struct owner_record *rows, size_t n);

/*
 * Checks the records of BPF_KIND_OWNERS or BPF_KIND_NETNS and hands them out in runs as long as
 * possible. A (pid, fd) can come twice: threads of one process may have file tables of their own,
 * with the same numbers for different sockets, or share one that a thread left while it was read.
 * 0, or what `rows` returned.
 */
int bpf_parse_owners(const void *data, size_t len, bpf_owner_rows rows, void *userdata,
		     struct bpf_stats *stats);

static inline void cleanup_bpf_iter(struct bpf_iter *it)
{
	bpf_iter_close(it);
}

#endif
