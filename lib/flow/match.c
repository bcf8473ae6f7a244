/* SPDX-License-Identifier: MIT */
/* pcap-filter(7) expressions, by libpcap. */
#include "flow/match.h"

#include <errno.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "capture/linktype.h"

#define SNAPLEN 262144 /* what tcpdump keeps of a packet: all of it */

/* The first one decides whether an expression is one. */
static const struct {
	uint16_t link_type;
	int dlt;
} links[] = {
	{ LINKTYPE_ETHERNET, DLT_EN10MB },
	{ LINKTYPE_RAW, DLT_RAW },
	{ LINKTYPE_RAW_BSD, DLT_RAW },
	{ LINKTYPE_IPV4, DLT_IPV4 },
	{ LINKTYPE_IPV6, DLT_IPV6 },
	{ LINKTYPE_LINUX_SLL, DLT_LINUX_SLL },
	{ LINKTYPE_LINUX_SLL2, DLT_LINUX_SLL2 },
	{ LINKTYPE_NULL, DLT_NULL },
	{ LINKTYPE_LOOP, DLT_LOOP },
	{ LINKTYPE_PPP, DLT_PPP },
	{ LINKTYPE_IEEE802_11, DLT_IEEE802_11 },
	{ LINKTYPE_IEEE802_11_RADIOTAP, DLT_IEEE802_11_RADIO },
};
#define N_LINKS (sizeof(links) / sizeof(*links))

struct flow_match {
	struct bpf_program programs[N_LINKS];
	bool is_there[N_LINKS];
};

static int compile(struct flow_match *m, size_t i, const char *expression, char **ret_message)
{
	pcap_t *p = pcap_open_dead(links[i].dlt, SNAPLEN);

	if (!p)
		return -ENOMEM;
	m->is_there[i] = pcap_compile(p, &m->programs[i], expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
	if (!m->is_there[i] && i == 0 && ret_message &&
	    asprintf(ret_message, "%s", pcap_geterr(p)) < 0)
		*ret_message = NULL;
	pcap_close(p);
	return m->is_there[i] || i ? 0 : -EINVAL;
}

int flow_match_new(const char *expression, struct flow_match **ret, char **ret_message)
{
	struct flow_match *m = calloc(1, sizeof(*m));
	int r = m ? 0 : -ENOMEM;

	for (size_t i = 0; r == 0 && i < N_LINKS; i++)
		r = compile(m, i, expression, ret_message);
	if (r < 0) {
		flow_match_free(m);
		return r;
	}
	*ret = m;
	return 0;
}

void flow_match_free(struct flow_match *m)
{
	if (!m)
		return;
	for (size_t i = 0; i < N_LINKS; i++)
		if (m->is_there[i])
			pcap_freecode(&m->programs[i]);
	free(m);
}

bool flow_match_packet(const struct flow_match *m, const struct packet *p)
{
	const struct pcap_pkthdr h = { .caplen = p->captured, .len = p->wire };

	for (size_t i = 0; i < N_LINKS; i++)
		if (links[i].link_type == p->link_type)
			return m->is_there[i] && pcap_offline_filter(&m->programs[i], &h, p->data);
	return false;
}
