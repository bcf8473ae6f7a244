/* SPDX-License-Identifier: MIT */
/*
 * gzip, zstd and lz4 behind one interface. A file of several members or frames, one after the
 * other, is one stream, as their own tools have it. The libraries bound their memory themselves:
 * gzip 32 KiB, lz4 4 MiB, zstd the window of its default limit (128 MiB, touched as far as data
 * really come).
 */
#include <errno.h>
#include <lz4frame.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>
#include <zstd.h>

#include "capture/decompress.h"

struct kind {
	const char *name;
	uint8_t magic[4];
	uint8_t magic_len;
	int (*open)(struct decompressor *d);
	/* as decompressor_step(), without `last`; 1 = one member is over */
	int (*step)(struct decompressor *d, const uint8_t *in, size_t in_len, uint8_t *out,
		    size_t out_len, size_t *ret_in, size_t *ret_out);
	void (*close)(struct decompressor *d);
};

struct decompressor {
	const struct kind *kind;
	bool between; /* a member is over, and no byte of another one was seen */
	union {
		z_stream gzip;
		ZSTD_DStream *zstd;
		LZ4F_dctx *lz4;
	};
};

static int gzip_open(struct decompressor *d)
{
	return inflateInit2(&d->gzip, 15 + 16) == Z_OK ? 0 : -ENOMEM;
}

static int gzip_step(struct decompressor *d, const uint8_t *in, size_t in_len, uint8_t *out,
		     size_t out_len, size_t *ret_in, size_t *ret_out)
{
	z_stream *z = &d->gzip;
	int r;

	z->next_in = (Bytef *)(uintptr_t)in;
	z->avail_in = (uInt)in_len;
	z->next_out = out;
	z->avail_out = (uInt)out_len;
	r = inflate(z, Z_NO_FLUSH);
	*ret_in = in_len - z->avail_in;
	*ret_out = out_len - z->avail_out;
	if (r == Z_STREAM_END)
		return inflateReset(z) == Z_OK ? 1 : -ENOMEM;
	return r == Z_OK || r == Z_BUF_ERROR ? 0 : r == Z_MEM_ERROR ? -ENOMEM : -EBADMSG;
}

static void gzip_close(struct decompressor *d)
{
	inflateEnd(&d->gzip);
}

static int zstd_open(struct decompressor *d)
{
	d->zstd = ZSTD_createDStream();
	return d->zstd ? 0 : -ENOMEM;
}

static int zstd_step(struct decompressor *d, const uint8_t *in, size_t in_len, uint8_t *out,
		     size_t out_len, size_t *ret_in, size_t *ret_out)
{
	ZSTD_inBuffer i = { in, in_len, 0 };
	ZSTD_outBuffer o = { out, out_len, 0 };
	size_t r = ZSTD_decompressStream(d->zstd, &o, &i);

	*ret_in = i.pos;
	*ret_out = o.pos;
	if (ZSTD_isError(r))
		return -EBADMSG;
	return r == 0;
}

static void zstd_close(struct decompressor *d)
{
	ZSTD_freeDStream(d->zstd);
}

static int lz4_open(struct decompressor *d)
{
	return LZ4F_isError(LZ4F_createDecompressionContext(&d->lz4, LZ4F_VERSION)) ? -ENOMEM : 0;
}

static int lz4_step(struct decompressor *d, const uint8_t *in, size_t in_len, uint8_t *out,
		    size_t out_len, size_t *ret_in, size_t *ret_out)
{
	size_t r;

	*ret_in = in_len;
	*ret_out = out_len;
	r = LZ4F_decompress(d->lz4, out, ret_out, in, ret_in, NULL);
	if (LZ4F_isError(r)) {
		*ret_in = *ret_out = 0;
		return -EBADMSG;
	}
	return r == 0;
}

static void lz4_close(struct decompressor *d)
{
	LZ4F_freeDecompressionContext(d->lz4);
}

static const struct kind kinds[] = {
	{ "gzip", { 0x1f, 0x8b }, 2, gzip_open, gzip_step, gzip_close },
	{ "zstd", { 0x28, 0xb5, 0x2f, 0xfd }, 4, zstd_open, zstd_step, zstd_close },
	{ "lz4", { 0x04, 0x22, 0x4d, 0x18 }, 4, lz4_open, lz4_step, lz4_close },
};

int decompressor_open(const uint8_t *first, size_t len, struct decompressor **ret)
{
	*ret = NULL;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++) {
		struct decompressor *d;
		int r;

		if (len < kinds[i].magic_len || memcmp(first, kinds[i].magic, kinds[i].magic_len))
			continue;
		d = calloc(1, sizeof(*d));
		if (!d)
			return -ENOMEM;
		d->kind = &kinds[i];
		r = d->kind->open(d);
		if (r < 0) {
			free(d);
			return r;
		}
		*ret = d;
		return 0;
	}
	return 0;
}

void decompressor_close(struct decompressor *d)
{
	if (!d)
		return;
	d->kind->close(d);
	free(d);
}

const char *decompressor_name(const struct decompressor *d)
{
	return d->kind->name;
}

/* Zero bytes between and after members pad to the block of a tape, says gzip(1). */
static size_t padding(const uint8_t *in, size_t len)
{
	size_t n = 0;

	while (n < len && !in[n])
		n++;
	return n;
}

int decompressor_step(struct decompressor *d, const uint8_t *in, size_t in_len, bool last,
		      uint8_t *out, size_t out_len, size_t *ret_in, size_t *ret_out)
{
	int r;

	*ret_in = *ret_out = 0;
	if (d->between) {
		*ret_in = padding(in, in_len);
		if (*ret_in == in_len)
			return last;
		if (*ret_in > 0)
			return 0;
	}
	r = d->kind->step(d, in, in_len, out, out_len, ret_in, ret_out);
	if (r < 0)
		return r;
	if (r == 1)
		d->between = true;
	else if (*ret_in > 0)
		d->between = false;
	else if (*ret_out == 0 && last)
		return d->between ? -EBADMSG : 2;
	return 0;
}
