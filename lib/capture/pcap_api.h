/* SPDX-License-Identifier: MIT */
/* What is used of libpcap, loaded by the first call of pcap_api(). See base/dl.h. */
#ifndef CAPTURE_PCAP_API_H
#define CAPTURE_PCAP_API_H

#include <pcap/pcap.h>

#include "base/dl.h"

#define PCAP_FUNCTIONS(X)                                                                          \
	X(bpf_filter)                                                                              \
	X(pcap_activate)                                                                           \
	X(pcap_close)                                                                              \
	X(pcap_compile)                                                                            \
	X(pcap_create)                                                                             \
	X(pcap_datalink)                                                                           \
	X(pcap_fileno)                                                                             \
	X(pcap_freecode)                                                                           \
	X(pcap_get_selectable_fd)                                                                  \
	X(pcap_get_tstamp_precision)                                                               \
	X(pcap_geterr)                                                                             \
	X(pcap_next_ex)                                                                            \
	X(pcap_open_dead)                                                                          \
	X(pcap_set_buffer_size)                                                                    \
	X(pcap_set_datalink)                                                                       \
	X(pcap_set_promisc)                                                                        \
	X(pcap_set_snaplen)                                                                        \
	X(pcap_set_timeout)                                                                        \
	X(pcap_set_tstamp_precision)                                                               \
	X(pcap_setfilter)                                                                          \
	X(pcap_setnonblock)                                                                        \
	X(pcap_statustostr)

struct pcap_api {
	PCAP_FUNCTIONS(DL_MEMBER)
};

/*
 * From any thread. The first call opens files: who gives up that right calls it before. NULL = the
 * library cannot be had, pcap_api_error() says why; that is "" otherwise.
 */
const struct pcap_api *pcap_api(void);
const char *pcap_api_error(void);

#endif
