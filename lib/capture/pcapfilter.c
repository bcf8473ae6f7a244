/* SPDX-License-Identifier: MIT */
/* pcap-filter expressions: one program a link type. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "capture/decode.h"
#include "capture/linktype.h"
#include "capture/pcap_api.h"
#include "capture/pcapfilter.h"

#define SNAPLEN 262144

struct compiled {
	uint16_t link_type;
	bool is_valid;
	struct bpf_program program;
};

struct pcapfilter {
	const struct pcap_api *api;
	size_t n;
	struct compiled items[];
};

/* libpcap's own number of a link type. */
static int dlt_of(uint16_t link_type)
{
	return link_type == LINKTYPE_RAW || link_type == LINKTYPE_RAW_OPENBSD ? DLT_RAW : link_type;
}

/* 0, 1 = the expression does not fit, -ENOMEM */
static int compile(const struct pcap_api *api, struct compiled *c, const char *expression,
		   char error[static PCAPFILTER_ERROR_MAX])
{
	pcap_t *p = api->pcap_open_dead(dlt_of(c->link_type), SNAPLEN);

	if (!p)
		return -ENOMEM;
	c->is_valid = api->pcap_compile(p, &c->program, expression, 1, PCAP_NETMASK_UNKNOWN) == 0;
	if (!c->is_valid && !*error)
		snprintf(error, PCAPFILTER_ERROR_MAX, "%s", api->pcap_geterr(p));
	api->pcap_close(p);
	return !c->is_valid;
}

int pcapfilter_new(const char *expression, struct pcapfilter **ret,
		   char error[static PCAPFILTER_ERROR_MAX])
{
	size_t n = decode_n_link_types();
	const struct pcap_api *api = pcap_api();
	struct pcapfilter *f;
	bool any = false;

	*ret = NULL;
	snprintf(error, PCAPFILTER_ERROR_MAX, "%s", pcap_api_error());
	if (!api)
		return -ELIBACC;
	f = calloc(1, sizeof(*f) + n * sizeof(f->items[0]));
	if (!f)
		return -ENOMEM;
	f->api = api;
	for (f->n = 0; f->n < n; f->n++) {
		struct compiled *c = &f->items[f->n];
		int r;

		c->link_type = decode_link_type(f->n);
		r = compile(f->api, c, expression, error);
		if (r < 0) {
			pcapfilter_free(f);
			return r;
		}
		any = any || r == 0;
	}
	if (!any) {
		pcapfilter_free(f);
		return 1;
	}
	*ret = f;
	return 0;
}

void pcapfilter_free(struct pcapfilter *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n; i++)
		if (f->items[i].is_valid)
			f->api->pcap_freecode(&f->items[i].program);
	free(f);
}

const struct bpf_program *pcapfilter_program(const struct pcapfilter *f, uint16_t link_type)
{
	for (size_t i = 0; i < f->n; i++)
		if (f->items[i].link_type == link_type)
			return f->items[i].is_valid ? &f->items[i].program : NULL;
	return NULL;
}

int pcapfilter_match(const struct pcapfilter *f, const struct packet *p)
{
	const struct bpf_program *program = pcapfilter_program(f, p->link_type);

	if (!program)
		return -ENOTSUP;
	return f->api->bpf_filter(program->bf_insns, p->data, p->wire, p->captured) != 0;
}
