/* SPDX-License-Identifier: MIT */
/*
 * Who is at the ends of socket pairs, answered by a process that may look for a child that may not.
 */
#ifndef CLI_OWNER_SERVICE_H
#define CLI_OWNER_SERVICE_H

#include <portavoz/portavoz.h>

#include "cli/sandbox.h"

struct owner_service {
	struct sandbox_service sandbox; /* for sandbox_run() */
	struct pv_snapshot *snapshot;	/* the newest listing, and its index */
	struct pv_ends *ends;
	int64_t time;		  /* when it was made, monotonic ns */
	struct pv_closed *closed; /* NULL: only what is open is known */
	struct pv_source closed_source;
	const char *netns;
};

/* netns as in struct pv_request; borrowed. */
void owner_service_init(struct owner_service *s, const char *netns);
void owner_service_deinit(struct owner_service *s);

/* The child's side, as pv_capture_live.find_owners asks. 0 or -errno. */
int owner_service_ask(const struct owner_service *s, const struct pv_capture_question *questions,
		      size_t n, struct pv_capture_owner (*ret)[2]);

#endif
