/* SPDX-License-Identifier: MIT */
/*
 * What the files of lib/observe share: the table of protocols, the view a probe has, the builder of
 * details, the pool of kept bytes, and a reader that cannot leave its bytes.
 *
 * A probe is a pure question to the first bytes of one side of a conversation. It may say "no" only
 * if no more bytes could make it say anything else, and "it is" only if random bytes would pass
 * with a chance of less than one in a million.
 */
#ifndef OBSERVE_INTERNAL_H
#define OBSERVE_INTERNAL_H

#include <string.h>

#include "observe/observe.h"

enum probe_result {
	PROBE_NO,   /* it is not, whatever follows on this side */
	PROBE_MORE, /* it may be */
	PROBE_SURE, /* it is; more bytes of this side would add details */
	PROBE_DONE, /* it is, and this side has told all it can */
};

struct detail {
	uint8_t len;
	char text[OBSERVE_DETAIL_MAX];
};

struct probe {
	const uint8_t *data; /* a side's stream from its start without a hole, or one datagram */
	size_t len;
	const uint8_t *other; /* what is kept of the other side's stream */
	size_t other_len;
	bool is_last;	 /* no more bytes of this side will be seen */
	bool is_decided; /* the conversation is known to be of this protocol */
	const struct observe_payload *payload; /* of a stream: its newest piece */
	struct observe *o;
	struct observe_state *s;
	size_t used;	      /* ret: bytes that need not be shown again (PROBE_FLAG_EVERY) */
	struct detail detail; /* ret */
};

#define PROBE_TCP (1U << PV_TRANSPORT_TCP)
#define PROBE_UDP (1U << PV_TRANSPORT_UDP)

#define PROBE_FLAG_BOTH 1U    /* both sides tell details */
#define PROBE_FLAG_EVERY 2U   /* every message is looked at */
#define PROBE_FLAG_CARRIER 4U /* carries other protocols, so any service may use it */

struct observe_protocol {
	const char *name, *title;
	enum probe_result (*probe)(struct probe *p);
	uint8_t transports, flags;
	const char *home; /* registered services, a space between */
};
extern const struct observe_protocol observe_protocols[OBSERVE_N];

enum probe_result observe_tls_probe(struct probe *p);
enum probe_result observe_quic_probe(struct probe *p);
enum probe_result observe_http_probe(struct probe *p);
enum probe_result observe_http2_probe(struct probe *p);
enum probe_result observe_dns_probe(struct probe *p);
enum probe_result observe_ssh_probe(struct probe *p);
enum probe_result observe_smtp_probe(struct probe *p);
enum probe_result observe_ftp_probe(struct probe *p);
enum probe_result observe_pop3_probe(struct probe *p);
enum probe_result observe_imap_probe(struct probe *p);
enum probe_result observe_dhcp_probe(struct probe *p);
enum probe_result observe_ntp_probe(struct probe *p);
enum probe_result observe_snmp_probe(struct probe *p);
enum probe_result observe_tftp_probe(struct probe *p);
enum probe_result observe_mqtt_probe(struct probe *p);
enum probe_result observe_postgresql_probe(struct probe *p);
enum probe_result observe_mysql_probe(struct probe *p);
enum probe_result observe_redis_probe(struct probe *p);
enum probe_result observe_smb_probe(struct probe *p);
enum probe_result observe_rdp_probe(struct probe *p);
enum probe_result observe_bittorrent_probe(struct probe *p);
enum probe_result observe_stun_probe(struct probe *p);
enum probe_result observe_wireguard_probe(struct probe *p);

/* --- bytes ---------------------------------------------------------------------------------- */

struct span {
	const uint8_t *p;
	size_t n;
};

/* Reads from the front. What is not there reads as zero or empty, and sets is_short for good. */
struct reader {
	const uint8_t *p;
	size_t left;
	bool is_short;
};

static inline struct reader reader_of(const uint8_t *p, size_t n)
{
	return (struct reader){ p, n, false };
}

static inline struct span read_span(struct reader *r, size_t n)
{
	struct span s = { r->p, n };

	if (n > r->left) {
		r->is_short = true;
		s.n = r->left;
	}
	if (s.n)
		r->p += s.n; /* of nothing p may be NULL */
	r->left -= s.n;
	return s;
}

static inline struct reader read_sub(struct reader *r, size_t n)
{
	struct span s = read_span(r, n);

	return (struct reader){ s.p, s.n, r->is_short };
}

static inline uint32_t read_be(struct reader *r, unsigned n)
{
	uint32_t v = 0;

	if (n > r->left) {
		r->is_short = true;
		r->left = 0;
		return 0;
	}
	for (unsigned i = 0; i < n; i++)
		v = v << 8 | r->p[i];
	r->p += n;
	r->left -= n;
	return v;
}

static inline uint8_t read_u8(struct reader *r)
{
	return (uint8_t)read_be(r, 1);
}

static inline uint16_t read_u16(struct reader *r)
{
	return (uint16_t)read_be(r, 2);
}

static inline uint32_t read_u32(struct reader *r)
{
	return read_be(r, 4);
}

static inline uint16_t get_be16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

static inline uint32_t get_be24(const uint8_t *p)
{
	return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static inline uint32_t get_be32(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | get_be24(p + 1);
}

/*
 * Compares what is there of the first n bytes with `want`: PROBE_NO when they differ, PROBE_MORE
 * when they agree as far as they go, PROBE_DONE when all n agree.
 */
static inline enum probe_result match_prefix(const uint8_t *data, size_t len, const void *want,
					     size_t n)
{
	if (memcmp(data, want, len < n ? len : n))
		return PROBE_NO;
	return len < n ? PROBE_MORE : PROBE_DONE;
}

#define match_text(data, len, literal) match_prefix((data), (len), (literal), sizeof(literal) - 1)

/* Whether the bytes hold the word, whatever its case. */
bool bytes_have_word(struct span bytes, const char *word);
/* The first line without its end. ret_whole: whether its end is there. */
struct span first_line(const uint8_t *data, size_t len, bool *ret_whole);
/* Printable ASCII and bytes above it; tabs count. */
bool bytes_are_text(struct span bytes);

/* --- details -------------------------------------------------------------------------------- */

#define DETAIL_VALUE_MAX 128

/* Adds key=value; of values only so many bytes, and nothing once the detail is full. */
void detail_bytes(struct detail *d, const char *key, const void *value, size_t n);
void detail_span(struct detail *d, const char *key, struct span value);
void detail_text(struct detail *d, const char *key, const char *value);
void detail_printf(struct detail *d, const char *key, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

/* --- kept bytes ----------------------------------------------------------------------------- */

#define WORK_RANGES 4
#define QUIC_CID_MAX 20

/* The start of one side's stream: ranges of it that are there, in order and apart. */
struct work_side {
	uint8_t *data;
	uint32_t base; /* offset in the stream of data[0] */
	uint16_t cap;
	uint16_t shown; /* how much of it the probes saw last */
	uint8_t n_ranges;
	bool is_last;
	struct {
		uint16_t start, end;
	} ranges[WORK_RANGES];
};

struct work {
	struct work_side side[2];
	uint16_t generation, newer, older; /* slots by age */
	uint8_t quic_dcid_len;		   /* of the client's first Initial; 0 = none yet */
	uint8_t quic_dcid[QUIC_CID_MAX];
};

struct pool {
	struct work *slots; /* slot i is slots[i - 1] */
	uint16_t n, used, oldest, newest, free;
	size_t bytes, limit;
	uint64_t abandoned;
};

void pool_init(struct pool *pool, size_t limit);
void pool_deinit(struct pool *pool);
/* The work of a state; NULL when it has none or it was taken for a younger conversation. */
struct work *pool_get(struct pool *pool, const struct observe_state *s);
/* Gives the state work, perhaps the oldest conversation's; NULL = out of memory. */
struct work *pool_take(struct pool *pool, struct observe_state *s);
void pool_release(struct pool *pool, struct observe_state *s);
/* Keeps a piece of a stream, as far as OBSERVE_STREAM_MAX and the ranges allow. 0 or -ENOMEM. */
int pool_put(struct pool *pool, struct work *w, unsigned side, uint32_t offset, const uint8_t *data,
	     size_t len);
void pool_drop_side(struct pool *pool, struct work *w, unsigned side);
/* Forgets the first n bytes. */
void pool_consume(struct work_side *side, size_t n);

static inline struct span work_side_bytes(const struct work_side *side)
{
	bool starts = side->n_ranges && side->ranges[0].start == 0;

	return (struct span){ side->data, starts ? side->ranges[0].end : 0 };
}

/* --- answers of DNS -------------------------------------------------------------------------- */

struct asked_entry;

#define ASKED_QUESTIONS 4096 /* remembered until they are answered */

struct asked {
	struct asked_entry *entries;
	size_t n_sets;
	uint64_t seed, clock; /* clock: counts entries written */
	size_t limit;
	uint64_t questions[ASKED_QUESTIONS]; /* keyed hashes; a later one takes the place */
};

void asked_init(struct asked *asked, size_t limit);
void asked_deinit(struct asked *asked);
struct asked_answer {
	const uint8_t *asker, *addr; /* of that family; asker NULL = not known */
	const char *name;
	size_t len;
	uint64_t time;
	int family;
};

/* Who asked whom what, of a payload that holds the question or of its answer. */
struct asked_question {
	const uint8_t *client, *server;
	uint16_t client_port, id, type;
	const uint8_t *name;
	size_t len;
	int family;
};

void asked_note(struct asked *asked, const struct asked_question *question);
/* Was it asked? Nobody can say so who has not seen the question. */
bool asked_has(const struct asked *asked, const struct asked_question *question);

/* 0 or -ENOMEM; a name that is not fit to be shown is not kept. */
int asked_put(struct asked *asked, const struct asked_answer *answer);
const char *asked_get(const struct asked *asked, int family, const uint8_t *asker,
		      const uint8_t *addr, uint64_t until);

/* --- cryptography ---------------------------------------------------------------------------- */

struct crypto;
/* NULL when there is no libcrypto, or it lacks an algorithm (a FIPS provider may) or memory. */
struct crypto *crypto_new(void);
struct crypto *crypto_free(struct crypto *c);
bool crypto_sha256(struct crypto *c, const void *data, size_t len, uint8_t out[static 32]);
/* HKDF-Extract and HKDF-Expand-Label of TLS 1.3 (RFC 8446 7.1): SHA-256, no context, n <= 32. */
bool crypto_hkdf_extract(struct crypto *c, struct span salt, struct span secret,
			 uint8_t out[static 32]);
bool crypto_hkdf_label(struct crypto *c, const uint8_t secret[static 32], const char *label,
		       uint8_t *out, size_t n);
bool crypto_aes_block(struct crypto *c, const uint8_t key[static 16], const uint8_t in[static 16],
		      uint8_t out[static 16]);
/* AES-128-GCM; the last 16 bytes of `in` are the tag; out has room for in.n - 16. */
bool crypto_gcm_open(struct crypto *c, const uint8_t key[static 16], const uint8_t iv[static 12],
		     struct span aad, struct span in, uint8_t *out);

/* --- TLS, for QUIC too ------------------------------------------------------------------------ */

#define TLS_LIST_MAX 128

struct tls_list {
	uint16_t n; /* all of them, without GREASE (RFC 8701) */
	uint16_t items[TLS_LIST_MAX];
};

struct tls_hello {
	uint16_t version; /* highest that is offered */
	bool has_sni;
	struct span sni, alpn; /* alpn: the list as it stands in the extension */
	struct tls_list ciphers, extensions, signatures;
};

/*
 * Reads the body of a ClientHello; false when it is damaged or cut. Even then *ret_hello has what
 * stood before that.
 */
bool tls_client_hello_parse(struct span body, struct tls_hello *ret_hello);
/* Its fingerprint (FoxIO's JA4 for clients), 36 bytes and a NUL; carrier 't' or 'q'. */
#define JA4_SIZE 37
bool ja4_client(struct crypto *c, const struct tls_hello *h, char carrier,
		char out[static JA4_SIZE]);
/* sni, alpn, offers, ja4 */
void tls_hello_detail(struct crypto *c, const struct tls_hello *h, char carrier, struct detail *d);

/* What an Initial of QUIC held when it was opened; of a version the table has. */
enum probe_result observe_quic_frames(struct probe *p, uint32_t version, struct span plain);

/* What the start of a ClientHello tells whose rest never came. */
void observe_quic_rest(const struct work *w, struct detail *d);

/* --- nDPI ------------------------------------------------------------------------------------- */

struct observe_ndpi;
/* NULL when the library is not built in, or could not start. */
struct observe_ndpi *observe_ndpi_new(void);
struct observe_ndpi *observe_ndpi_free(struct observe_ndpi *n);
/* What nDPI takes one payload for by its content; its number for it, 0 = nothing. */
uint16_t observe_ndpi_guess(struct observe_ndpi *n, const struct observe_payload *p);
const char *observe_ndpi_name(const struct observe_ndpi *n, uint16_t number);

struct observe {
	struct pool pool;
	struct asked asked;
	struct crypto *crypto;
	struct observe_ndpi *ndpi;
	uint32_t first[256]; /* by the first byte of a stream: protocols that may begin so */
	uint64_t fed, found;
	size_t details;
};

#endif
