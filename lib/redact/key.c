/* SPDX-License-Identifier: MIT */
/* The user's key, and what is made of it. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/cleanup.h"
#include "base/crypto_api.h"
#include "base/fdio.h"
#include "redact/redact-internal.h"

#define KEY_FILE_MAX 65536

int redact_hmac(const uint8_t key[static REDACT_KEY], uint8_t kind, const void *text, size_t len,
		uint8_t out[static 32])
{
	uint8_t small[512], *message = small;
	const struct crypto_api *api = crypto_api();
	unsigned int n = 0;
	bool done;

	if (!api)
		return -ELIBACC;
	if (len >= sizeof(small))
		message = malloc(len + 1);
	if (!message)
		return -ENOMEM;
	message[0] = kind;
	if (len)
		memcpy(message + 1, text, len);
	done = api->HMAC(api->EVP_sha256(), key, REDACT_KEY, message, len + 1, out, &n) && n == 32;
	if (message != small)
		free(message);
	return done ? 0 : -EIO;
}

/* One key each, so that no use of one tells anything about another. */
static bool derive(const struct crypto_api *api, const void *key, size_t len, const char *purpose,
		   uint8_t out[static REDACT_KEY])
{
	unsigned int n = 0;

	return api->HMAC(api->EVP_sha256(), key, (int)len, (const unsigned char *)purpose,
			 strlen(purpose), out, &n) &&
	       n == REDACT_KEY;
}

static bool put_mark(const struct crypto_api *api, const void *key, size_t len,
		     char mark[static REDACT_MARK_MAX])
{
	uint8_t hash[REDACT_KEY];

	if (!derive(api, key, len, "portavoz mark", hash))
		return false;
	for (size_t i = 0; i < REDACT_MARK_MAX / 2; i++)
		snprintf(mark + 2 * i, 3, "%02x", hash[i]);
	return true;
}

const char *redact_mark(const struct pv_redactor *r)
{
	return r->mark;
}

int pv_redactor_new(const void *key, size_t len, struct pv_redactor **ret)
{
	const struct crypto_api *api = crypto_api();
	struct pv_redactor *r;

	if (!api)
		return -ELIBACC;
	if (len < PV_REDACT_KEY_MIN || len > KEY_FILE_MAX)
		return -EINVAL;
	r = calloc(1, sizeof(*r));
	if (!r)
		return -ENOMEM;
	if (!derive(api, key, len, "portavoz ipv4", r->key4) ||
	    !derive(api, key, len, "portavoz ipv6", r->key6) ||
	    !derive(api, key, len, "portavoz mac", r->mac) ||
	    !derive(api, key, len, "portavoz text", r->text) || !put_mark(api, key, len, r->mark)) {
		pv_redactor_free(r);
		return -EIO;
	}
	*ret = r;
	return 0;
}

static int read_key(int fd, struct buf *b)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	/* a device never ends; a pipe is how a key comes from a program */
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))
		return -EINVAL;
	if (S_ISREG(st.st_mode) && (st.st_mode & (S_IROTH | S_IWOTH) || st.st_size > KEY_FILE_MAX))
		return st.st_size > KEY_FILE_MAX ? -EFBIG : -EPERM;
	r = fd_read_max(fd, KEY_FILE_MAX, b);
	return r > 0 ? -EFBIG : r;
}

int pv_redactor_open(const char *file, struct pv_redactor **ret)
{
	_cleanup_(cleanup_fd) int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	struct buf b = BUF_INIT;
	int r;

	if (fd < 0)
		return -errno;
	r = read_key(fd, &b);
	if (r == 0)
		r = pv_redactor_new(b.data, b.len, ret);
	if (b.data)
		explicit_bzero(b.data, b.cap);
	buf_deinit(&b);
	return r;
}

void pv_redactor_free(struct pv_redactor *r)
{
	if (!r)
		return;
	explicit_bzero(r, sizeof(*r));
	free(r);
}
