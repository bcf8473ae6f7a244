/* SPDX-License-Identifier: MIT */
/* The few primitives of libcrypto that fingerprints and QUIC need, each looked up once. */
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/params.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "observe/observe-internal.h"

struct crypto {
	EVP_MD *sha256;
	EVP_MD_CTX *md;
	EVP_KDF_CTX *hkdf;
	EVP_CIPHER *ecb, *gcm;
	EVP_CIPHER_CTX *ecb_ctx, *gcm_ctx;
};

static void cleanup_crypto(struct crypto **c)
{
	*c = crypto_free(*c);
}

struct crypto *crypto_new(void)
{
	_cleanup_(cleanup_crypto) struct crypto *c = calloc(1, sizeof(*c));
	EVP_KDF *kdf;

	if (!c)
		return NULL;
	c->sha256 = EVP_MD_fetch(NULL, "SHA256", NULL);
	c->md = EVP_MD_CTX_new();
	c->ecb = EVP_CIPHER_fetch(NULL, "AES-128-ECB", NULL);
	c->gcm = EVP_CIPHER_fetch(NULL, "AES-128-GCM", NULL);
	c->ecb_ctx = EVP_CIPHER_CTX_new();
	c->gcm_ctx = EVP_CIPHER_CTX_new();
	kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
	c->hkdf = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
	EVP_KDF_free(kdf);
	if (!c->sha256 || !c->md || !c->ecb || !c->gcm || !c->ecb_ctx || !c->gcm_ctx || !c->hkdf)
		return NULL;
	return steal_ptr(&c);
}

struct crypto *crypto_free(struct crypto *c)
{
	if (!c)
		return NULL;
	EVP_KDF_CTX_free(c->hkdf);
	EVP_CIPHER_CTX_free(c->ecb_ctx);
	EVP_CIPHER_CTX_free(c->gcm_ctx);
	EVP_CIPHER_free(c->ecb);
	EVP_CIPHER_free(c->gcm);
	EVP_MD_CTX_free(c->md);
	EVP_MD_free(c->sha256);
	free(c);
	return NULL;
}

bool crypto_sha256(struct crypto *c, const void *data, size_t len, uint8_t out[static 32])
{
	return EVP_DigestInit_ex2(c->md, c->sha256, NULL) == 1 &&
	       EVP_DigestUpdate(c->md, data, len) == 1 && EVP_DigestFinal_ex(c->md, out, NULL) == 1;
}

static bool derive(struct crypto *c, int mode, struct span key, const char *param,
		   struct span value, uint8_t *out, size_t n)
{
	OSSL_PARAM params[] = {
		OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
		OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
		OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key.p, key.n),
		OSSL_PARAM_construct_octet_string(param, (void *)value.p, value.n),
		OSSL_PARAM_construct_end(),
	};

	EVP_KDF_CTX_reset(c->hkdf);
	return EVP_KDF_derive(c->hkdf, out, n, params) == 1;
}

bool crypto_hkdf_extract(struct crypto *c, struct span salt, struct span secret,
			 uint8_t out[static 32])
{
	return derive(c, EVP_KDF_HKDF_MODE_EXTRACT_ONLY, secret, OSSL_KDF_PARAM_SALT, salt, out,
		      32);
}

bool crypto_hkdf_label(struct crypto *c, const uint8_t secret[static 32], const char *label,
		       uint8_t *out, size_t n)
{
	static const char prefix[] = "tls13 ";
	size_t len = sizeof(prefix) - 1 + strlen(label);
	uint8_t info[64];

	if (len + 4 > sizeof(info) || n > 255)
		return false;
	info[0] = 0;
	info[1] = (uint8_t)n;
	info[2] = (uint8_t)len;
	memcpy(info + 3, prefix, sizeof(prefix) - 1);
	memcpy(info + 3 + sizeof(prefix) - 1, label, strlen(label));
	info[3 + len] = 0;
	return derive(c, EVP_KDF_HKDF_MODE_EXPAND_ONLY, (struct span){ secret, 32 },
		      OSSL_KDF_PARAM_INFO, (struct span){ info, len + 4 }, out, n);
}

bool crypto_aes_block(struct crypto *c, const uint8_t key[static 16], const uint8_t in[static 16],
		      uint8_t out[static 16])
{
	int n = 0;

	return EVP_EncryptInit_ex2(c->ecb_ctx, c->ecb, key, NULL, NULL) == 1 &&
	       EVP_CIPHER_CTX_set_padding(c->ecb_ctx, 0) == 1 &&
	       EVP_EncryptUpdate(c->ecb_ctx, out, &n, in, 16) == 1 && n == 16;
}

bool crypto_gcm_open(struct crypto *c, const uint8_t key[static 16], const uint8_t iv[static 12],
		     struct span aad, struct span in, uint8_t *out)
{
	int n = 0, last = 0;
	uint8_t tag[16];

	if (in.n < sizeof(tag))
		return false;
	memcpy(tag, in.p + in.n - sizeof(tag), sizeof(tag));
	return EVP_DecryptInit_ex2(c->gcm_ctx, c->gcm, key, iv, NULL) == 1 &&
	       EVP_DecryptUpdate(c->gcm_ctx, NULL, &n, aad.p, (int)aad.n) == 1 &&
	       EVP_DecryptUpdate(c->gcm_ctx, out, &n, in.p, (int)(in.n - sizeof(tag))) == 1 &&
	       EVP_CIPHER_CTX_ctrl(c->gcm_ctx, EVP_CTRL_AEAD_SET_TAG, sizeof(tag), tag) == 1 &&
	       EVP_DecryptFinal_ex(c->gcm_ctx, out + n, &last) == 1;
}
