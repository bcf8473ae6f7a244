/* SPDX-License-Identifier: MIT */
/*
 * A run over an interface: waits for packets, asks who is at the ends of new socket pairs, and
 * writes packets with the answers. Packets to be written wait for the first answer to their pair,
 * bounded in time and bytes.
 */
#ifndef FLOW_LIVE_H
#define FLOW_LIVE_H

#include <portavoz/capture.h>

#include "capture/packet.h"
#include "flow/owners.h"

struct flow_live;

/* Errors as pv_capture_open(), *ret_message is for free(). */
int flow_live_open(const struct pv_capture_live *request, const char *bpf, void *userdata,
		   struct flow_live **ret, char **ret_message);
void flow_live_free(struct flow_live *l); /* NULL is fine */

#define FLOW_LIVE_END 1
/*
 * Packets that came, waiting a tenth of a second at most: 0, *ret_n may be 0; FLOW_LIVE_END;
 * -errno, of which -ENETDOWN and -ENODEV mean that the interface is gone. They are valid until the
 * next call.
 */
int flow_live_read(struct flow_live *l, struct packet *ret, size_t max, size_t *ret_n);

/*
 * A packet and the conversation it belongs to, with the side that sent it; NULL = to none. 0 or
 * -errno.
 */
int flow_live_note(struct flow_live *l, struct flow_owners *o, const struct packet *p,
		   const struct flow_entry *e, unsigned side);
/*
 * Asks and writes what is due; the last time, everything. 0 or -errno; what cannot be written ends
 * the run, see flow_live_write_error().
 */
int flow_live_work(struct flow_live *l, struct flow_owners *o, bool is_last);

/* As it was asked for; borrowed. */
const char *flow_live_interface(const struct flow_live *l);
/* errno why a file could not be written, and how it is named (borrowed); 0 = all could. */
int flow_live_write_error(const struct flow_live *l, const char **ret_name);
/* Sets what only this knows: dropped, unread, is_down. */
void flow_live_progress(struct flow_live *l, struct pv_capture_progress *ret);

#endif
