/* SPDX-License-Identifier: MIT */
/* What is used of libcrypto, loaded by the first call of crypto_api(). See base/dl.h. */
#ifndef BASE_CRYPTO_API_H
#define BASE_CRYPTO_API_H

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/params.h>

#include "base/dl.h"

#define CRYPTO_FUNCTIONS(X)                                                                        \
	X(EVP_CIPHER_CTX_ctrl)                                                                     \
	X(EVP_CIPHER_CTX_free)                                                                     \
	X(EVP_CIPHER_CTX_new)                                                                      \
	X(EVP_CIPHER_CTX_set_padding)                                                              \
	X(EVP_CIPHER_fetch)                                                                        \
	X(EVP_CIPHER_free)                                                                         \
	X(EVP_DecryptFinal_ex)                                                                     \
	X(EVP_DecryptInit_ex2)                                                                     \
	X(EVP_DecryptUpdate)                                                                       \
	X(EVP_Digest)                                                                              \
	X(EVP_DigestFinal_ex)                                                                      \
	X(EVP_DigestInit_ex2)                                                                      \
	X(EVP_DigestUpdate)                                                                        \
	X(EVP_EncodeBlock)                                                                         \
	X(EVP_EncryptInit_ex2)                                                                     \
	X(EVP_EncryptUpdate)                                                                       \
	X(EVP_MAC_CTX_free)                                                                        \
	X(EVP_MAC_CTX_new)                                                                         \
	X(EVP_MAC_CTX_set_params)                                                                  \
	X(EVP_MAC_fetch)                                                                           \
	X(EVP_MAC_final)                                                                           \
	X(EVP_MAC_free)                                                                            \
	X(EVP_MAC_init)                                                                            \
	X(EVP_MAC_update)                                                                          \
	X(EVP_MD_CTX_free)                                                                         \
	X(EVP_MD_CTX_new)                                                                          \
	X(EVP_MD_fetch)                                                                            \
	X(EVP_MD_free)                                                                             \
	X(EVP_aes_256_ecb)                                                                         \
	X(EVP_md5)                                                                                 \
	X(EVP_sha1)                                                                                \
	X(EVP_sha256)                                                                              \
	X(HMAC)                                                                                    \
	X(OSSL_PARAM_construct_end)                                                                \
	X(OSSL_PARAM_construct_utf8_string)

struct crypto_api {
	CRYPTO_FUNCTIONS(DL_MEMBER)
};

/*
 * From any thread. The first call opens files: who gives up that right calls it before. NULL = the
 * library cannot be had, crypto_api_error() says why; that is "" otherwise.
 */
const struct crypto_api *crypto_api(void);
const char *crypto_api_error(void);

#endif
