/* SPDX-License-Identifier: MIT */
/* In place of ndpi.c where nDPI is not built in: knows nothing. */
#include "observe/observe-internal.h"

struct observe_ndpi *observe_ndpi_new(void)
{
	return NULL;
}

struct observe_ndpi *observe_ndpi_free(struct observe_ndpi *n)
{
	return n;
}

uint16_t observe_ndpi_guess(struct observe_ndpi *n, const struct observe_payload *p)
{
	(void)n;
	(void)p;
	return 0;
}

const char *observe_ndpi_name(const struct observe_ndpi *n, uint16_t number)
{
	(void)n;
	(void)number;
	return "";
}
