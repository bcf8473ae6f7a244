/* SPDX-License-Identifier: MIT */
/* libpcap. Invariant: what pthread_once() has set behaves as static constant data. */
#include "capture/pcap_api.h"

#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct pcap_api api;
static char error[DL_ERROR_MAX];

#define DL_TABLE pcap_api
static const struct dl_symbol symbols[] = { PCAP_FUNCTIONS(DL_SYMBOL) };

static void load(void)
{
	dl_load(PORTAVOZ_LIBPCAP, symbols, sizeof(symbols) / sizeof(*symbols), &api, error);
}

const struct pcap_api *pcap_api(void)
{
	pthread_once(&once, load);
	return *error ? NULL : &api;
}

const char *pcap_api_error(void)
{
	pcap_api();
	return error;
}
