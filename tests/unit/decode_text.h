/* SPDX-License-Identifier: MIT */
/* A decoded packet as the text that tests/unit/data/decode.txt has of it. */
#ifndef TEST_DECODE_TEXT_H
#define TEST_DECODE_TEXT_H

#include "base/buf.h"
#include "capture/decode.h"

/* A line a layer, and one for a quote. */
void decode_text(struct buf *b, const struct decoded *d);

#endif
