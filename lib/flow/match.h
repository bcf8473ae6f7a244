/* SPDX-License-Identifier: MIT */
/*
 * pcap-filter(7) expressions over packets of files. They are compiled before the first packet, for
 * each link type that captures have: compiling may read files (names of services and protocols).
 */
#ifndef FLOW_MATCH_H
#define FLOW_MATCH_H

#include <stdbool.h>

#include "capture/packet.h"

struct flow_match;

/*
 * 0, -EINVAL (*ret_message, which may be NULL, says why, for free()) or -ENOMEM. An expression that
 * some link type cannot decide matches none of its packets.
 */
int flow_match_new(const char *expression, struct flow_match **ret, char **ret_message);
void flow_match_free(struct flow_match *m); /* NULL is fine */
bool flow_match_packet(const struct flow_match *m, const struct packet *p);

#endif
