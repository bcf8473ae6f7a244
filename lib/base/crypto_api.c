/* SPDX-License-Identifier: MIT */
/* libcrypto. Invariant: what pthread_once() has set behaves as static constant data. */
#include "base/crypto_api.h"

#include <pthread.h>

static pthread_once_t once = PTHREAD_ONCE_INIT;
static struct crypto_api api;
static char error[DL_ERROR_MAX];

#define DL_TABLE crypto_api
static const struct dl_symbol symbols[] = { CRYPTO_FUNCTIONS(DL_SYMBOL) };

static void load(void)
{
	dl_load(PORTAVOZ_LIBCRYPTO, symbols, sizeof(symbols) / sizeof(*symbols), &api, error);
}

const struct crypto_api *crypto_api(void)
{
	pthread_once(&once, load);
	return *error ? NULL : &api;
}

const char *crypto_api_error(void)
{
	crypto_api();
	return error;
}
