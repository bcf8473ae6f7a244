/* SPDX-License-Identifier: MIT */
/*
 * pcap: a header of 24 bytes, then packets. Read are the variants that libpcap reads: both byte
 * orders, microseconds and nanoseconds, Kuznetzov's modified one (8 more bytes a packet header),
 * files before version 2.4 with the two lengths swapped; and Ixia's two, whose header is 4 bytes
 * longer.
 */
#include <stdio.h>

#include "capture/bytes.h"
#include "capture/file.h"

#define HEADER 24
#define SNAPLEN_FLOOR 262144 /* what libpcap takes whatever the header says */
#define VERSION_MAJOR_DGUX 543

struct variant {
	uint32_t magic;
	uint32_t fraction_ns;
	uint8_t record; /* bytes of a packet header */
	uint8_t extra;	/* bytes after the file header */
};

static const struct variant variants[] = {
	{ 0xa1b2c3d4, 1000, 16, 0 }, { 0xa1b23c4d, 1, 16, 0 }, { 0xa1b2cd34, 1000, 24, 0 },
	{ 0x1c0001ac, 1, 16, 4 },    { 0x1c0001ab, 1, 16, 4 },
};

static const struct variant *find_variant(const uint8_t *magic, bool *ret_swap)
{
	for (size_t i = 0; i < sizeof(variants) / sizeof(*variants); i++) {
		for (int swap = 0; swap <= 1; swap++) {
			if (file32(magic, swap) == variants[i].magic) {
				*ret_swap = swap;
				return &variants[i];
			}
		}
	}
	return NULL;
}

bool pcap_is_magic(const uint8_t magic[static 4])
{
	bool swap;

	return find_variant(magic, &swap) != NULL;
}

static uint32_t packet_limit(uint32_t snaplen)
{
	if (snaplen < SNAPLEN_FLOOR)
		return SNAPLEN_FLOOR;
	return snaplen < CAPTURE_PACKET_MAX ? snaplen : CAPTURE_PACKET_MAX;
}

int pcap_open(struct capture_file *f)
{
	struct pcap_state *s = &f->pcap;
	const struct variant *v;
	const uint8_t *h;
	uint16_t major, minor;
	uint32_t link;

	if (stream_left(&f->stream) < 4)
		return file_want(f, 4, "a file header");
	v = find_variant(file_bytes(f), &s->swap);
	if (stream_left(&f->stream) < (size_t)HEADER + v->extra)
		return file_want(f, (size_t)HEADER + v->extra, "a pcap file header");
	h = file_bytes(f);
	major = file16(h + 4, s->swap);
	minor = file16(h + 6, s->swap);
	link = file32(h + 20, s->swap);
	if (major != 2 && major != VERSION_MAJOR_DGUX)
		return file_damaged(f, 4, "pcap version 2", "version %u.%u", major, minor);
	s->swapped_lengths = major == VERSION_MAJOR_DGUX || minor < 3;
	s->maybe_swapped_lengths = !s->swapped_lengths && minor == 3;
	s->record = v->record;
	s->fraction_ns = v->fraction_ns;
	s->limit = packet_limit(file32(h + 16, s->swap));
	/* the upper bits tell of a frame check sequence: its presence, and its length in 16 bits */
	s->link_type = (uint16_t)link;
	s->interface = capture_number_interface(f->capture);
	stream_skip(&f->stream, (size_t)HEADER + v->extra);
	return 0;
}

/* Files of old and of other programs have captured and wire length the other way round. */
static void mend_lengths(const struct pcap_state *s, uint32_t *captured, uint32_t *wire)
{
	if (s->swapped_lengths || (s->maybe_swapped_lengths && *captured > *wire)) {
		uint32_t t = *captured;

		*captured = *wire;
		*wire = t;
	}
}

static int pcap_read(struct capture_file *f, struct packet *ret, size_t max, size_t *ret_n)
{
	const struct pcap_state *s = &f->pcap;
	struct stream *in = &f->stream;
	size_t n = 0;
	int r = 0;

	for (; n < max; n++) {
		const uint8_t *h = file_bytes(f);
		uint32_t captured, wire;

		if (stream_left(in) < s->record) {
			r = file_want(f, s->record, "a packet header");
			break;
		}
		captured = file32(h + 8, s->swap);
		wire = file32(h + 12, s->swap);
		if (__builtin_expect(s->swapped_lengths || s->maybe_swapped_lengths, 0))
			mend_lengths(s, &captured, &wire);
		if (__builtin_expect(captured > s->limit, 0)) {
			r = file_damaged(f, 8, "a captured length", "%u, over the limit of %u",
					 captured, s->limit);
			break;
		}
		if (stream_left(in) - s->record < captured) {
			r = file_want(f, s->record + captured, "a packet");
			break;
		}
		ret[n] = (struct packet){
			.time_ns = (uint64_t)file32(h, s->swap) * UINT64_C(1000000000) +
				   (uint64_t)file32(h + 4, s->swap) * s->fraction_ns,
			.data = h + s->record,
			.captured = captured,
			.wire = wire,
			.interface = s->interface,
			.link_type = s->link_type,
		};
		in->pos += s->record + captured;
	}
	*ret_n = n;
	return r;
}

const struct format pcap_format = { "pcap", pcap_read };
