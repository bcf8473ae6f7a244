/* SPDX-License-Identifier: MIT */
/*
 * Prefix-preserving renaming of addresses (Xu, Fan, Ammar, Moon: "Prefix-Preserving IP Address
 * Anonymization", 2002): bit i is flipped or not by a keyed function of the bits before it. That is
 * a bijection, and two addresses that share n bits share n bits afterwards.
 *
 * Some ranges have a meaning that a report needs: loopback, private, link-local, multicast. No bit
 * is flipped on the way to them, so they map to themselves, and nothing else maps into them; what
 * that costs is that addresses beside such a range keep the bits they share with it.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "base/crypto_api.h"
#include "base/inet.h"
#include "redact/redact-internal.h"

#define BLOCK 16 /* bytes, of AES */

struct range {
	uint8_t bits, kept; /* the prefix; how many bits of an address in it stay */
	uint8_t addr[16];
};

static const struct range ranges4[] = {
	{ 32, 32, { 0 } },
	{ 8, 32, { 127 } },
	{ 8, 8, { 10 } },
	{ 10, 10, { 100, 64 } }, /* carriers' shared addresses, RFC 6598 */
	{ 16, 16, { 169, 254 } },
	{ 12, 12, { 172, 16 } },
	{ 16, 16, { 192, 168 } },
	{ 24, 32, { 224, 0, 0 } }, /* groups of the local link, RFC 5771: assigned, not chosen */
	{ 4, 8, { 224 } },
	{ 32, 32, { 255, 255, 255, 255 } },
};

static const struct range ranges6[] = {
	{ 127, 128, { 0 } }, /* :: and ::1 */
	{ 3, 3, { 0x20 } },  /* what is global today */
	{ 7, 8, { 0xfc } },
	{ 10, 64, { 0xfe, 0x80 } },   /* fe80::/64; interface identifiers are renamed */
	{ 112, 128, { 0xff, 0x01 } }, /* ff01::1, */
	{ 112, 128, { 0xff, 0x02 } }, /* ff02::1, ff02::fb: assigned groups */
	{ 104, 104, { 0xff, 0x02, [11] = 0x01, 0xff } }, /* of a node, RFC 4291 2.7.1 */
	{ 8, 16, { 0xff } },				 /* flags and scope */
};

/* Of frames: what the standards assigned, and what is made of multicast addresses of IP. */
static const struct range groups[] = {
	{ 48, 48, { 0xff, 0xff, 0xff, 0xff, 0xff, 0xff } },
	{ 24, 48, { 0x01, 0x80, 0xc2 } },	      /* bridges, LLDP, PAUSE: IEEE 802.1, 802.3 */
	{ 24, 48, { 0x01, 0x00, 0x0c } },	      /* CDP and its kind */
	{ 40, 48, { 0x01, 0x00, 0x5e, 0x00, 0x00 } }, /* 224.0.0.0/24, RFC 1112 */
	{ 24, 24, { 0x01, 0x00, 0x5e } },
	{ 32, 48, { 0x33, 0x33, 0x00, 0x00 } }, /* ff02::/112, RFC 2464 */
	{ 16, 16, { 0x33, 0x33 } },
};

static unsigned bit(const uint8_t *addr, unsigned i)
{
	return addr[i / 8] >> (7 - i % 8) & 1;
}

static bool shares(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	if (memcmp(a, b, bits / 8) != 0)
		return false;
	return bits % 8 == 0 || ((a[bits / 8] ^ b[bits / 8]) & (0xff00u >> bits % 8 & 0xff)) == 0;
}

/* Is bit number i of the address decided by a range? It leads to one, or is kept in one. */
static bool stays(const struct range *ranges, size_t n, const uint8_t *addr, unsigned i)
{
	for (size_t k = 0; k < n; k++) {
		const struct range *r = &ranges[k];

		if (i < r->bits ? shares(addr, r->addr, i)
				: i < r->kept && shares(addr, r->addr, r->bits))
			return true;
	}
	return false;
}

/* The block that decides bit i: its number and the bits before it. */
static void put_block(uint8_t block[static BLOCK], const uint8_t *addr, unsigned i)
{
	unsigned whole = i / 8, rest = i % 8;

	memset(block, 0, BLOCK);
	if (whole)
		memcpy(block, addr, whole);
	if (rest)
		block[whole] = (uint8_t)(addr[whole] & (0xff00u >> rest));
	/* the last seven of IPv6 share this byte with the prefix: their flips may coincide */
	block[BLOCK - 1] ^= (uint8_t)(i + 1);
}

static int encrypt(const uint8_t key[static REDACT_KEY], uint8_t *blocks, unsigned n)
{
	const struct crypto_api *api = crypto_api();
	EVP_CIPHER_CTX *context;
	int done, len = 0;

	if (!api)
		return -ELIBACC;
	context = api->EVP_CIPHER_CTX_new();
	if (!context)
		return -ENOMEM;
	done = api->EVP_EncryptInit_ex2(context, api->EVP_aes_256_ecb(), key, NULL, NULL) == 1 &&
	       api->EVP_CIPHER_CTX_set_padding(context, 0) == 1 &&
	       api->EVP_EncryptUpdate(context, blocks, &len, blocks, (int)(n * BLOCK)) == 1 &&
	       len == (int)(n * BLOCK);
	api->EVP_CIPHER_CTX_free(context);
	return done ? 0 : -EIO;
}

static int rename_bits(const uint8_t key[static REDACT_KEY], const struct range *ranges, size_t n,
		       uint8_t *addr, unsigned bits)
{
	uint8_t blocks[128 * BLOCK], flips[16] = { 0 };
	int r;

	for (unsigned i = 0; i < bits; i++)
		put_block(blocks + i * BLOCK, addr, i);
	r = encrypt(key, blocks, bits);
	if (r < 0)
		return r;
	for (unsigned i = 0; i < bits; i++)
		if (!stays(ranges, n, addr, i) && bit(blocks + i * BLOCK, 0))
			flips[i / 8] |= (uint8_t)(0x80u >> i % 8);
	for (unsigned i = 0; i < bits / 8; i++)
		addr[i] ^= flips[i];
	return 0;
}

int pv_redact_mac(const struct pv_redactor *r, uint8_t addr[6])
{
	static const uint8_t none[6];
	bool is_group = addr[0] & 1;
	int result;

	if (!memcmp(addr, none, sizeof(none)))
		return 0;
	result = rename_bits(r->mac, groups, is_group ? sizeof(groups) / sizeof(*groups) : 0, addr,
			     48);
	if (is_group)
		addr[0] |= 1;
	else
		/* of no vendor, lest one is named that it is not of */
		addr[0] = (uint8_t)((addr[0] & 0xfc) | 2);
	return result;
}

int pv_redact_address(const struct pv_redactor *r, int family, uint8_t *addr)
{
	static const uint8_t nat64[12] = { 0x00, 0x64, 0xff, 0x9b };

	if (inet_is_any(family, addr))
		return 0;
	/* an IPv4 address inside is renamed like any other */
	if (family == AF_INET6 && (inet_is_mapped(addr) || !memcmp(addr, nat64, sizeof(nat64))))
		return pv_redact_address(r, AF_INET, addr + 12);
	if (family == AF_INET)
		return rename_bits(r->key4, ranges4, sizeof(ranges4) / sizeof(*ranges4), addr, 32);
	if (family == AF_INET6)
		return rename_bits(r->key6, ranges6, sizeof(ranges6) / sizeof(*ranges6), addr, 128);
	return 0;
}
