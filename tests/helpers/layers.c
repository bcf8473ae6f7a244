/* SPDX-License-Identifier: MIT */
/*
 * layers FILE...: what the decoder makes of each packet, a line a layer, for comparison with
 * another decoder: link type, wire bytes, protocol, tunnel, addresses, ports, MAC addresses,
 * oddities, fragments held back until now. "-" = none. Damage is told on stderr; the exit status is
 * 0 all the same.
 */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/inet.h"
#include "capture/decode.h"

static void put_address(struct buf *b, int family, const uint8_t *addr)
{
	buf_putc(b, ' ');
	if (addr)
		inet_put(b, family, addr);
	else
		buf_putc(b, '-');
}

static void put_mac(struct buf *b, const uint8_t *mac)
{
	if (!mac) {
		buf_puts(b, " -");
		return;
	}
	for (int i = 0; i < 6; i++)
		buf_printf(b, "%c%02x", i ? ':' : ' ', mac[i]);
}

static void put_layers(struct buf *b, const struct packet *p, const struct decoded *d)
{
	for (int i = 0; i < d->n_layers; i++) {
		const struct decoded_layer *l = &d->layers[i];

		buf_printf(b, "%u %u %s %s", p->link_type, p->wire, pv_proto_name(l->proto),
			   decode_tunnel_name(l->tunnel));
		put_address(b, l->family, l->src);
		buf_printf(b, " %u", l->src_port);
		put_address(b, l->family, l->dst);
		buf_printf(b, " %u", l->dst_port);
		put_mac(b, l->link.src);
		put_mac(b, l->link.dst);
		buf_printf(b, " %x %u %llu\n", l->flags, l->held_packets,
			   (unsigned long long)l->held_bytes);
	}
}

static int read_all(struct capture *c, struct decoder *decoder)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	struct decoded d;
	struct packet p;
	int r;

	while ((r = capture_next(c, &p)) != CAPTURE_END && r >= 0) {
		if (r == CAPTURE_DAMAGED) {
			fprintf(stderr, "layers: %s\n", capture_problem(c)->expected);
			continue;
		}
		decode_packet(decoder, &p, &d);
		if (!decode_link_name(p.link_type))
			buf_printf(&b, "link type %u is not decoded\n", p.link_type);
		put_layers(&b, &p, &d);
		if (fd_write_all(STDOUT_FILENO, b.data, b.len) < 0)
			return -1;
		buf_clear(&b);
	}
	return r < 0 ? r : 0;
}

int main(int argc, char **argv)
{
	struct decoder *decoder = NULL;
	struct capture *c = NULL;
	int r = capture_new(&c);

	if (r == 0)
		r = decoder_new(&decoder);
	for (int i = 1; r == 0 && i < argc; i++)
		r = capture_add_path(c, argv[i]);
	if (r == 0)
		r = read_all(c, decoder);
	if (r < 0)
		fprintf(stderr, "layers: %s\n", strerror(-r));
	decoder_free(decoder);
	capture_free(c);
	return r < 0;
}
