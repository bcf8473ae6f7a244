/* SPDX-License-Identifier: MIT */
/* A client and a server whose packets, made by hand, go into a table of conversations. */
#ifndef FLOW_WORLD_H
#define FLOW_WORLD_H

#include "capture/packet.h"
#include "flow/row.h"

#define MS UINT64_C(1000000)
#define S (1000 * MS)
#define CLIENT 0x0a000001
#define SERVER 0xc0000201

struct world {
	struct flow_table table;
	struct flow_sockets sockets;
	uint64_t now;
	uint16_t client_port, server_port;
	uint32_t client, server; /* addresses */
	uint32_t seq[2];	 /* next, of client and server */
};

void world_init(struct world *w);
void world_deinit(struct world *w);
/* Of one layer, `wire` bytes, at the world's time: what flow_table_add() returns. */
int add_layer(struct world *w, const struct decoded_layer *l, uint32_t wire);
/* Addresses and ports; addr has to live as long as the layer. from: 0 = client, 1 = server */
void put_ends(struct world *w, unsigned from, struct decoded_layer *l, uint32_t addr[2]);
/* A segment at an explicit sequence number. */
void segment(struct world *w, unsigned from, uint16_t flags, uint32_t seq, uint32_t payload,
	     uint16_t window);
/* "S", "SA", "A", "FA", "R"..., the next in order, with n bytes. */
void send_flags(struct world *w, unsigned from, const char *flags, uint32_t n);
/* A script: "c S, s SA, c A, c A10": who, flags, bytes. */
void play(struct world *w, const char *script);
void datagram(struct world *w, unsigned from);
/* The end: all conversations. */
struct pv_snapshot *rows(struct world *w);

#endif
