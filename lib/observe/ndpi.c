/* SPDX-License-Identifier: MIT */
/*
 * nDPI, asked about single payloads that no probe of ours knows. It wants IP packets, so each gets
 * headers of the same two addresses; what it says by its lists of ports and addresses is left out.
 */
#include <ndpi/ndpi_api.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "observe/observe-internal.h"

#define HEADERS_MAX 40
#define PAYLOAD_MAX 1460

struct observe_ndpi {
	struct ndpi_detection_module_struct *module;
	struct ndpi_flow_struct *flow;
	char **names; /* by number, in lower case */
	unsigned n_names;
};

static void cleanup_ndpi(struct observe_ndpi **n)
{
	*n = observe_ndpi_free(*n);
}

static bool read_names(struct observe_ndpi *n)
{
	n->n_names = ndpi_get_num_supported_protocols(n->module);
	n->names = calloc(n->n_names ? n->n_names : 1, sizeof(*n->names));
	for (unsigned i = 0; n->names && i < n->n_names; i++) {
		const char *name = ndpi_get_proto_name(n->module, (uint16_t)i);

		n->names[i] = strdup(name ? name : "");
		if (!n->names[i])
			return false;
		for (char *c = n->names[i]; *c; c++)
			if (*c >= 'A' && *c <= 'Z')
				*c = (char)(*c | 0x20);
	}
	return n->names != NULL;
}

struct observe_ndpi *observe_ndpi_new(void)
{
	_cleanup_(cleanup_ndpi) struct observe_ndpi *n = calloc(1, sizeof(*n));
	NDPI_PROTOCOL_BITMASK all;

	if (!n)
		return NULL;
	n->module = ndpi_init_detection_module(ndpi_no_prefs);
	n->flow = calloc(1, SIZEOF_FLOW_STRUCT);
	if (!n->module || !n->flow)
		return NULL;
	NDPI_BITMASK_SET_ALL(all);
	ndpi_set_protocol_detection_bitmask2(n->module, &all);
	ndpi_finalize_initialization(n->module);
	return read_names(n) ? steal_ptr(&n) : NULL;
}

struct observe_ndpi *observe_ndpi_free(struct observe_ndpi *n)
{
	if (!n)
		return NULL;
	for (unsigned i = 0; n->names && i < n->n_names; i++)
		free(n->names[i]);
	free(n->names);
	free(n->flow);
	if (n->module)
		ndpi_exit_detection_module(n->module);
	free(n);
	return NULL;
}

static void put_be16(uint8_t *p, size_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

/* Headers of 192.0.2.1 and 192.0.2.2 around the payload; returns the length of all. */
static size_t make_packet(const struct observe_payload *p, uint8_t *out)
{
	static const uint8_t addresses[8] = { 192, 0, 2, 1, 192, 0, 2, 2 };
	bool is_tcp = p->transport == PV_TRANSPORT_TCP;
	size_t n = p->len < PAYLOAD_MAX ? p->len : PAYLOAD_MAX, transport = is_tcp ? 20 : 8;

	memset(out, 0, HEADERS_MAX);
	out[0] = 0x45;
	put_be16(out + 2, 20 + transport + n);
	out[8] = 64;
	out[9] = is_tcp ? 6 : 17;
	memcpy(out + 12, addresses, sizeof(addresses));
	put_be16(out + 20, p->src_port);
	put_be16(out + 22, p->dst_port);
	if (is_tcp) {
		out[32] = 0x50;
		out[33] = 0x18; /* PSH, ACK */
	} else {
		put_be16(out + 24, 8 + n);
	}
	memcpy(out + 20 + transport, p->data, n);
	return 20 + transport + n;
}

uint16_t observe_ndpi_guess(struct observe_ndpi *n, const struct observe_payload *p)
{
	uint8_t packet[HEADERS_MAX + PAYLOAD_MAX];
	size_t len = make_packet(p, packet);
	ndpi_protocol found;
	bool by_content;

	found = ndpi_detection_process_packet(n->module, n->flow, packet, (unsigned short)len, 1);
	by_content = n->flow->confidence == NDPI_CONFIDENCE_DPI;
	ndpi_free_flow_data(n->flow);
	memset(n->flow, 0, SIZEOF_FLOW_STRUCT);
	if (!by_content)
		return 0;
	return found.master_protocol ? found.master_protocol : found.app_protocol;
}

const char *observe_ndpi_name(const struct observe_ndpi *n, uint16_t number)
{
	return n && number < n->n_names ? n->names[number] : "";
}
