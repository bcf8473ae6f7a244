/* SPDX-License-Identifier: MIT */
/*
 * generate PACKETS CONVERSATIONS [SEED] >FILE.pcap 3>TRUTH: a capture whose true totals are known.
 * Four of five conversations are TCP from handshake to both FINs, the others UDP; each tenth is
 * IPv6; up to ACTIVE of them are interleaved at random. The truth is a line a conversation,
 * tab-separated: protocol, initiator's address and port, responder's, then packets, bytes on the
 * wire and payload bytes from the initiator, and the same three from the responder.
 * Invariant: the same arguments give the same bytes.
 */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define ACTIVE 20000
#define MIN_PACKETS 8 /* handshake, request, closing */
#define MAX_CONVERSATIONS 20000000
#define PER_ADDRESS 20000 /* conversations of one client address, a port each */
#define FIRST_PORT 32768
#define SERVERS 1000
#define LARGE 1348 /* payload of a full segment */
#define ETHERNET 14
#define IPV4 20
#define IPV6 40
#define TCP 20
#define UDP 8
#define START_SECONDS 1700000000
#define FIN 0x01
#define SYN 0x02
#define PUSH 0x08
#define ACK 0x10

struct side {
	uint32_t packets, next_seq;
	uint64_t bytes, payload;
};

struct talk {
	struct side sides[2]; /* initiator, responder */
	uint32_t done, length;
};

struct frame {
	uint8_t data[ETHERNET + IPV6 + TCP + LARGE];
	size_t len;
};

static const uint16_t tcp_ports[] = { 80, 443, 22, 5432, 8080, 25, 3306, 6379 };
static const char request[] = "GET /index.html HTTP/1.1\r\nHost: www.example.test\r\n"
			      "User-Agent: generate/1\r\nAccept: */*\r\n\r\n";
static const char answer[] = "HTTP/1.1 200 OK\r\nContent-Type: application/octet-stream\r\n\r\n";
static const uint8_t question[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00"
				  "\x03www\x07"
				  "example\x04test\x00\x00\x01\x00\x01";

static bool is_tcp(uint32_t id)
{
	return id % 5 != 4;
}

static bool is_v6(uint32_t id)
{
	return id % 10 == 3;
}

static void put16(uint8_t *p, uint32_t v)
{
	p[0] = (uint8_t)(v >> 8);
	p[1] = (uint8_t)v;
}

static void put32(uint8_t *p, uint32_t v)
{
	put16(p, v >> 16);
	put16(p + 2, v & 0xffff);
}

static uint64_t next_random(uint64_t *state)
{
	uint64_t x = *state;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return *state = x;
}

/* Address of one end: 4 bytes, or 16. */
static size_t put_address(uint8_t *p, uint32_t id, bool is_server)
{
	uint32_t v4 =
		is_server ? 0xc0000000U + 0x0200U + id % SERVERS : 0x0a000001U + id / PER_ADDRESS;

	if (!is_v6(id)) {
		put32(p, v4);
		return 4;
	}
	memset(p, 0, 16);
	put32(p, is_server ? 0x20010db8U : 0xfd000000U);
	put32(p + 12, v4);
	return 16;
}

static uint32_t port_of(uint32_t id, bool is_server)
{
	if (!is_server)
		return FIRST_PORT + id % PER_ADDRESS;
	return is_tcp(id) ? tcp_ports[id / 7 % (sizeof(tcp_ports) / sizeof(*tcp_ports))] : 53;
}

static void put_ipv4(uint8_t *p, uint32_t id, bool from_server, size_t len)
{
	uint32_t sum = 0;

	memset(p, 0, IPV4);
	p[0] = 0x45;
	put16(p + 2, (uint32_t)len);
	put16(p + 6, 0x4000);
	p[8] = 64;
	p[9] = is_tcp(id) ? 6 : 17;
	put_address(p + 12, id, from_server);
	put_address(p + 16, id, !from_server);
	for (size_t i = 0; i < IPV4; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	sum = (sum & 0xffff) + (sum >> 16);
	put16(p + 10, ~(sum + (sum >> 16)) & 0xffff);
}

static void put_ipv6(uint8_t *p, uint32_t id, bool from_server, size_t len)
{
	put32(p, 0x60000000);
	put16(p + 4, (uint32_t)len - IPV6);
	p[6] = is_tcp(id) ? 6 : 17;
	p[7] = 64;
	put_address(p + 8, id, from_server);
	put_address(p + 24, id, !from_server);
}

static void put_transport(uint8_t *p, uint32_t id, const struct talk *t, bool from_server,
			  uint8_t flags, size_t payload)
{
	put16(p, port_of(id, from_server));
	put16(p + 2, port_of(id, !from_server));
	if (!is_tcp(id)) {
		put16(p + 4, (uint32_t)(UDP + payload));
		put16(p + 6, 0);
		return;
	}
	put32(p + 4, t->sides[from_server].next_seq);
	put32(p + 8, flags & ACK ? t->sides[!from_server].next_seq : 0);
	p[12] = TCP / 4 << 4;
	p[13] = flags;
	put16(p + 14, 64240);
	put32(p + 16, 0);
}

/* Packet `done` of a TCP conversation: who sends, what flags, how much. */
static void plan_tcp(const struct talk *t, bool *from_server, uint8_t *flags, size_t *payload)
{
	uint32_t k = t->done, left = t->length - k;

	*flags = ACK;
	*payload = 0;
	*from_server = k == 1 || left == 3 || left == 2;
	if (k < 2)
		*flags = k == 0 ? SYN : SYN | ACK;
	else if (k == 3) {
		*flags = PUSH | ACK;
		*payload = sizeof(request) - 1;
	} else if (left == 4 || left == 2)
		*flags = FIN | ACK;
	else if (k > 3 && left > 4) {
		*from_server = k % 3 != 0;
		*payload = *from_server ? LARGE : 0;
	}
}

static void plan_udp(const struct talk *t, bool *from_server, uint8_t *flags, size_t *payload)
{
	*flags = 0;
	*from_server = t->done % 2;
	*payload = *from_server ? LARGE : sizeof(question) - 1;
}

static void put_payload(uint8_t *p, uint32_t id, const struct talk *t, bool from_server, size_t len)
{
	const void *text = !is_tcp(id) ? (const void *)question : from_server ? answer : request;
	size_t text_len = !is_tcp(id)	? sizeof(question) - 1
			  : from_server ? sizeof(answer) - 1
					: sizeof(request) - 1;
	bool is_first = is_tcp(id) ? t->sides[from_server].payload == 0 : true;
	size_t n = is_first && text_len < len ? text_len : is_first ? len : 0;

	memset(p + n, 'x', len - n);
	memcpy(p, text, n);
	if (!is_tcp(id) && from_server)
		p[2] |= 0x80; /* an answer, with what follows it as trailing bytes */
}

static void next_frame(struct frame *f, uint32_t id, struct talk *t)
{
	static const uint8_t macs[2][6] = { { 2, 0, 0, 0, 0, 1 }, { 2, 0, 0, 0, 0, 2 } };
	size_t network = is_v6(id) ? IPV6 : IPV4, transport = is_tcp(id) ? TCP : UDP, payload;
	struct side *side;
	bool from_server;
	uint8_t flags;

	(is_tcp(id) ? plan_tcp : plan_udp)(t, &from_server, &flags, &payload);
	side = &t->sides[from_server];
	f->len = ETHERNET + network + transport + payload;
	memcpy(f->data, macs[!from_server], 6);
	memcpy(f->data + 6, macs[from_server], 6);
	put16(f->data + 12, is_v6(id) ? 0x86dd : 0x0800);
	(is_v6(id) ? put_ipv6 : put_ipv4)(f->data + ETHERNET, id, from_server, f->len - ETHERNET);
	put_transport(f->data + ETHERNET + network, id, t, from_server, flags, payload);
	put_payload(f->data + ETHERNET + network + transport, id, t, from_server, payload);
	side->next_seq += (uint32_t)payload + ((flags & (SYN | FIN)) != 0);
	side->packets++;
	side->bytes += f->len;
	side->payload += payload;
	t->done++;
}

static void write_file_header(void)
{
	const uint32_t header[] = { 0xa1b23c4d, 2 | 4 << 16, 0, 0, 262144, 1 };

	fwrite(header, sizeof(header), 1, stdout);
}

static void write_frame(const struct frame *f, uint64_t number)
{
	uint64_t ns = number * 1000 + number % 997;
	const uint32_t header[] = { START_SECONDS + (uint32_t)(ns / 1000000000),
				    (uint32_t)(ns % 1000000000), (uint32_t)f->len,
				    (uint32_t)f->len };

	fwrite(header, sizeof(header), 1, stdout);
	fwrite(f->data, f->len, 1, stdout);
}

static void write_truth(FILE *truth, uint32_t id, const struct talk *t)
{
	fputs(is_tcp(id) ? "tcp" : "udp", truth);
	for (int end = 0; end < 2; end++) {
		char text[INET6_ADDRSTRLEN];
		uint8_t address[16];

		put_address(address, id, end);
		inet_ntop(is_v6(id) ? AF_INET6 : AF_INET, address, text, sizeof(text));
		fprintf(truth, "\t%s\t%" PRIu32, text, port_of(id, end));
	}
	for (int end = 0; end < 2; end++)
		fprintf(truth, "\t%" PRIu32 "\t%" PRIu64 "\t%" PRIu64, t->sides[end].packets,
			t->sides[end].bytes, t->sides[end].payload);
	fputc('\n', truth);
}

/* Interleaves the conversations: a random one of the active speaks, a finished one makes room. */
static void run(struct talk *talks, uint32_t n_talks, uint64_t seed, FILE *truth)
{
	uint32_t *active = calloc(ACTIVE, sizeof(*active)), n = 0, started = 0;
	uint64_t number = 0;
	struct frame f;

	for (; active && n < ACTIVE && started < n_talks; started++)
		active[n++] = started;
	while (n) {
		uint32_t slot = (uint32_t)(next_random(&seed) % n), id = active[slot];

		next_frame(&f, id, &talks[id]);
		write_frame(&f, number++);
		if (talks[id].done < talks[id].length)
			continue;
		if (truth)
			write_truth(truth, id, &talks[id]);
		active[slot] = started < n_talks ? started++ : active[--n];
	}
	free(active);
}

int main(int argc, char *argv[])
{
	uint64_t packets = argc > 1 ? strtoull(argv[1], NULL, 10) : 0;
	uint64_t n = argc > 2 ? strtoull(argv[2], NULL, 10) : 0;
	uint64_t seed = argc > 3 ? strtoull(argv[3], NULL, 10) : 1;
	struct talk *talks;
	FILE *truth;

	if (argc < 3 || !n || n > MAX_CONVERSATIONS || packets / n < MIN_PACKETS || !seed) {
		fprintf(stderr, "usage: generate PACKETS CONVERSATIONS [SEED] >FILE.pcap 3>TRUTH; "
				"at least 8 packets a conversation\n");
		return 2;
	}
	talks = calloc(n, sizeof(*talks));
	truth = fdopen(3, "w");
	if (!talks) {
		perror("generate");
		return 1;
	}
	for (uint64_t i = 0; i < n; i++)
		talks[i].length = (uint32_t)(packets / n + (i < packets % n));
	write_file_header();
	run(talks, (uint32_t)n, seed * 0x9e3779b97f4a7c15ULL, truth);
	if (truth && fclose(truth) != 0)
		return 1;
	free(talks);
	return fflush(stdout) == 0 && !ferror(stdout) ? 0 : 1;
}
