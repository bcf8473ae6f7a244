/* SPDX-License-Identifier: MIT */
/*
 * The seam between portavoz and the kernel: everything read from outside passes here, so it can be
 * recorded into a folder and replayed from it. A recording holds
 *   manifest            key=value lines: portavoz-recording=1, then notes
 *   streams/NAME        raw bytes of a source (netlink messages, iterator records), whole or empty
 *   streams/NAME.error  the errno a source failed with, in decimal
 *   proc/PATH           procfs texts under their own path; symbolic links as text files PATH.link
 *   proc/PATH.error     the errno that reading PATH failed with, in decimal
 *   netns/INODE/        streams/ and proc/ of another network namespace than the caller's
 * A replayed folder is foreign input: nothing in it is followed out of it.
 */
#ifndef BASE_TAPE_H
#define BASE_TAPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

enum tape_mode { TAPE_LIVE, TAPE_RECORD, TAPE_REPLAY };

struct tape {
	enum tape_mode mode;
	int dirfd;	/* the recording; -1 when live */
	int procfd;	/* the procfs root: /proc, or proc/ of the recording; -1 = there is none */
	int error;	/* the first negative errno of writing the recording; 0 = all was written */
	char scope[32]; /* "netns/INODE/", or empty */
};
#define TAPE_INIT                                                                                  \
	{                                                                                          \
		TAPE_LIVE, -1, -1, 0, ""                                                           \
	}

/*
 * Opens live, for recording (folder is created; an existing one must be empty) or for replay.
 * At most one of the two may be given. 0, -EEXIST (not empty), -ENOENT, -EINVAL (no recording),
 * -errno.
 */
int tape_open(struct tape *t, const char *record_dir, const char *replay_dir);
void tape_close(struct tape *t);

/*
 * The same tape for what is read by a thread in another network namespace: streams and texts are
 * those of that folder, and live the "net/" of procfs is that of the calling thread, not of its
 * process. Valid as long as t; tape_scope_close() closes it and hands its first error on to t.
 */
void tape_scope(const struct tape *t, uint64_t netns_inode, struct tape *ret_scoped);
void tape_scope_close(struct tape *scoped, struct tape *t);

/* Recording: adds a note KEY=VALUE to the manifest. Otherwise nothing. 0 or -errno. */
int tape_note_put(struct tape *t, const char *key, const char *value);
/* Replay: the value of the first such note, NUL-terminated. 0, -ENODATA (none that fits) or -errno.
 */
int tape_note_get(struct tape *t, const char *key, char *ret_value, size_t size);

/* Recording: appends to a stream; a call with len 0 makes it exist. Otherwise nothing. 0 or -errno.
 */
int tape_stream_put(struct tape *t, const char *name, const void *data, size_t len);
/* Recording: notes that the source failed with that negative errno. 0 or -errno. */
int tape_stream_fail(struct tape *t, const char *name, int error);
/*
 * Replay: the whole stream is appended to *b. 0; the recorded negative errno; -ENODATA when the
 * recording has neither.
 */
int tape_stream_get(struct tape *t, const char *name, struct buf *b);

/*
 * Reads a file under the procfs root; `path` is always the full one ("1234/stat", "net/unix"). With
 * dirfd >= 0, an opened directory named by the first component of path ("1234"), the rest is read
 * beneath that handle. Recorded and replayed under `path`. 0 or -errno (-ENODATA: the recording
 * lacks it).
 */
int tape_proc_read(struct tape *t, int dirfd, const char *path, struct buf *b);
/* The same for the target of a symbolic link. */
int tape_proc_readlink(struct tape *t, int dirfd, const char *path, struct buf *b);
/*
 * Recording, for callers that read by other means: what was read from path, or the negative errno
 * it failed with. Otherwise nothing. 0 or -errno.
 */
int tape_proc_put(struct tape *t, const char *path, const void *data, size_t len);
int tape_proc_fail(struct tape *t, const char *path, int error);

#endif
