/* SPDX-License-Identifier: MIT */
/*
 * Packets of any link type: a link type (16 bits), then frames as tests/captures/make_frames.py
 * writes them. Whatever the decoder points at can be read; a datagram may be put together of
 * several frames.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "capture/bytes.h"
#include "capture/decode.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static volatile unsigned int sum;

static void require(bool condition)
{
	if (!condition)
		abort();
}

static void touch(const uint8_t *p, size_t n)
{
	for (size_t i = 0; p && i < n; i++)
		sum += p[i];
}

static void check_layer(const struct decoded_layer *l)
{
	size_t n = l->family == AF_INET ? 4 : l->family == AF_INET6 ? 16 : 0;

	require(l->proto < PV_PROTO_N && l->tunnel < DECODE_TUNNEL_N);
	require(!n == !l->src && !n == !l->dst);
	require(l->payload || l->payload_captured == 0);
	touch(l->src, n);
	touch(l->dst, n);
	touch(l->link.src, 6);
	touch(l->link.dst, 6);
	touch(l->payload, l->payload_captured);
	if (l->proto == PV_PROTO_ARP) {
		touch(l->arp.sha, 6);
		touch(l->arp.tha, 6);
	}
	if (l->proto == PV_PROTO_TCP)
		require(l->tcp.n_sacks <= 4);
}

static void check(const struct decoded *d)
{
	size_t n = d->quote.family == AF_INET ? 4 : 16;

	require(d->n_layers <= DECODE_LAYERS);
	for (int i = 0; i < d->n_layers; i++)
		check_layer(&d->layers[i]);
	if (!d->quote.family)
		return;
	require(d->quote.layer < d->n_layers && d->quote.proto < PV_PROTO_N);
	touch(d->quote.src, n);
	touch(d->quote.dst, n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct decoder *decoder;
	size_t at = 2;

	if (size < 6 || decoder_new(&decoder) < 0)
		return 0;
	while (size - at >= 4) {
		size_t room = size - at - 4, n = be16(data + at) < room ? be16(data + at) : room;
		uint8_t *copy = malloc(n ? n : 1);
		struct packet p = { .data = copy,
				    .captured = (uint32_t)n,
				    .link_type = be16(data) };
		struct decoded d;

		if (!copy)
			break;
		memcpy(copy, data + at + 4, n);
		p.wire = p.captured + be16(data + at + 2);
		decode_packet(NULL, &p, &d);
		check(&d);
		decode_packet(decoder, &p, &d);
		check(&d);
		free(copy);
		at += 4 + n;
	}
	decoder_free(decoder);
	return 0;
}
