/* SPDX-License-Identifier: MIT */
/*
 * pcap-filter(7) expressions, compiled by libpcap for every link type that is decoded, and run on
 * packets. All compiling is done by pcapfilter_new(): it may look up the names of hosts, networks,
 * ports and protocols that the expression holds, as tcpdump does. Matching opens nothing.
 */
#ifndef CAPTURE_PCAPFILTER_H
#define CAPTURE_PCAPFILTER_H

#include <stddef.h>

#include "capture/packet.h"

struct bpf_program;
struct pcapfilter;

#define PCAPFILTER_ERROR_MAX 256

/*
 * 0; 1 = no link type takes the expression, *error says why (libpcap's words); -ELIBACC = there is
 * no libpcap, *error says why; -ENOMEM.
 */
int pcapfilter_new(const char *expression, struct pcapfilter **ret,
		   char error[static PCAPFILTER_ERROR_MAX]);
void pcapfilter_free(struct pcapfilter *f); /* NULL is fine */

/* 1 = it matches, 0 = it does not, -ENOTSUP = the expression means nothing on that link type. */
int pcapfilter_match(const struct pcapfilter *f, const struct packet *p);

/* The program for a link type (for a socket's filter), or NULL. */
const struct bpf_program *pcapfilter_program(const struct pcapfilter *f, uint16_t link_type);

#endif
