/* SPDX-License-Identifier: MIT */
/* The few primitives of libcrypto that fingerprints and QUIC need, each looked up once. */
#include <openssl/core_names.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/crypto_api.h"
#include "observe/observe-internal.h"

struct crypto {
	const struct crypto_api *api;
	EVP_MD *sha256;
	EVP_MD_CTX *md;
	EVP_MAC_CTX *hmac; /* with SHA-256 */
	EVP_CIPHER *ecb, *gcm;
	EVP_CIPHER_CTX *ecb_ctx, *gcm_ctx;
};

static void cleanup_crypto(struct crypto **c)
{
	*c = crypto_free(*c);
}

struct crypto *crypto_new(void)
{
	_cleanup_(cleanup_crypto) struct crypto *c = NULL;
	const struct crypto_api *api = crypto_api();
	OSSL_PARAM digest[2];
	EVP_MAC *hmac;

	c = api ? calloc(1, sizeof(*c)) : NULL;
	if (!c)
		return NULL;
	c->api = api;
	digest[0] =
		api->OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char *)"SHA256", 0);
	digest[1] = api->OSSL_PARAM_construct_end();
	c->sha256 = api->EVP_MD_fetch(NULL, "SHA256", NULL);
	c->md = api->EVP_MD_CTX_new();
	c->ecb = api->EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
	c->gcm = api->EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	c->ecb_ctx = api->EVP_CIPHER_CTX_new();
	c->gcm_ctx = api->EVP_CIPHER_CTX_new();
	hmac = api->EVP_MAC_fetch(NULL, "HMAC", NULL);
	c->hmac = hmac ? api->EVP_MAC_CTX_new(hmac) : NULL;
	api->EVP_MAC_free(hmac);
	if (!c->sha256 || !c->md || !c->ecb || !c->gcm || !c->ecb_ctx || !c->gcm_ctx || !c->hmac ||
	    api->EVP_MAC_CTX_set_params(c->hmac, digest) != 1)
		return NULL;
	return steal_ptr(&c);
}

struct crypto *crypto_free(struct crypto *c)
{
	if (!c)
		return NULL;
	c->api->EVP_MAC_CTX_free(c->hmac);
	c->api->EVP_CIPHER_CTX_free(c->ecb_ctx);
	c->api->EVP_CIPHER_CTX_free(c->gcm_ctx);
	c->api->EVP_CIPHER_free(c->ecb);
	c->api->EVP_CIPHER_free(c->gcm);
	c->api->EVP_MD_CTX_free(c->md);
	c->api->EVP_MD_free(c->sha256);
	free(c);
	return NULL;
}

bool crypto_sha256(struct crypto *c, const void *data, size_t len, uint8_t out[static 32])
{
	return c->api->EVP_DigestInit_ex2(c->md, c->sha256, NULL) == 1 &&
	       c->api->EVP_DigestUpdate(c->md, data, len) == 1 &&
	       c->api->EVP_DigestFinal_ex(c->md, out, NULL) == 1;
}

static bool hmac(struct crypto *c, struct span key, struct span data, uint8_t out[static 32])
{
	size_t n = 0;

	return c->api->EVP_MAC_init(c->hmac, key.p, key.n, NULL) == 1 &&
	       c->api->EVP_MAC_update(c->hmac, data.p, data.n) == 1 &&
	       c->api->EVP_MAC_final(c->hmac, out, &n, 32) == 1 && n == 32;
}

bool crypto_hkdf_extract(struct crypto *c, struct span salt, struct span secret,
			 uint8_t out[static 32])
{
	return hmac(c, salt, secret, out);
}

/* HkdfLabel, then the counter of the first (and here only) block of HKDF-Expand, RFC 5869. */
bool crypto_hkdf_label(struct crypto *c, const uint8_t secret[static 32], const char *label,
		       uint8_t *out, size_t n)
{
	static const char prefix[] = "tls13 ";
	size_t len = sizeof(prefix) - 1 + strlen(label);
	uint8_t info[64], block[32];

	if (len + 5 > sizeof(info) || n > sizeof(block))
		return false;
	info[0] = 0;
	info[1] = (uint8_t)n;
	info[2] = (uint8_t)len;
	memcpy(info + 3, prefix, sizeof(prefix) - 1);
	memcpy(info + 3 + sizeof(prefix) - 1, label, strlen(label));
	info[3 + len] = 0;
	info[4 + len] = 1;
	if (!hmac(c, (struct span){ secret, 32 }, (struct span){ info, len + 5 }, block))
		return false;
	memcpy(out, block, n);
	return true;
}

bool crypto_aes_block(struct crypto *c, const uint8_t key[static 16], const uint8_t in[static 16],
		      uint8_t out[static 16])
{
	int n = 0;

	return c->api->EVP_EncryptInit_ex2(c->ecb_ctx, c->ecb, key, NULL, NULL) == 1 &&
	       c->api->EVP_CIPHER_CTX_set_padding(c->ecb_ctx, 0) == 1 &&
	       c->api->EVP_EncryptUpdate(c->ecb_ctx, out, &n, in, 16) == 1 && n == 16;
}

bool crypto_gcm_open(struct crypto *c, const uint8_t key[static 16], const uint8_t iv[static 12],
		     struct span aad, struct span in, uint8_t *out)
{
	int n = 0, last = 0;
	uint8_t tag[16];

	if (in.n < sizeof(tag))
		return false;
	memcpy(tag, in.p + in.n - sizeof(tag), sizeof(tag));
	return c->api->EVP_DecryptInit_ex2(c->gcm_ctx, c->gcm, key, iv, NULL) == 1 &&
	       c->api->EVP_DecryptUpdate(c->gcm_ctx, NULL, &n, aad.p, (int)aad.n) == 1 &&
	       c->api->EVP_DecryptUpdate(c->gcm_ctx, out, &n, in.p, (int)(in.n - sizeof(tag))) ==
		       1 &&
	       c->api->EVP_CIPHER_CTX_ctrl(c->gcm_ctx, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag) ==
		       1 &&
	       c->api->EVP_DecryptFinal_ex(c->gcm_ctx, out + n, &last) == 1;
}
