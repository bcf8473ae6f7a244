/* SPDX-License-Identifier: MIT */
/*
 * A snapshot as bytes, for recordings that must not hold what was read. Every table says which
 * members it has, by name: a reader of another version takes those it knows and leaves the others
 * at their defaults.
 */
#ifndef MODEL_IMAGE_H
#define MODEL_IMAGE_H

#include "base/buf.h"
#include "model/snapshot.h"

#define IMAGE_STREAM "snapshot"

/* Appends all rows, those that are not shown included. Errors stick in *b. */
void image_put(const struct pv_snapshot *s, struct buf *b);
/*
 * Fills an empty snapshot, which is not sealed yet. Any bytes are accepted: what refers to
 * something refers to something that is there, and numbers of enumerations are in range. 0,
 * -EBADMSG or -ENOMEM; after an error the snapshot is good only for pv_snapshot_free().
 */
int image_get(const void *data, size_t len, struct pv_snapshot *s);

#endif
