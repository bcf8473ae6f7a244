/* SPDX-License-Identifier: MIT */
/* In place of ndpi.c where nDPI is not built in: knows nothing. */
#include "observe/observe-internal.h"

struct ndpi *ndpi_new(void)
{
	return NULL;
}

struct ndpi *ndpi_free(struct ndpi *n)
{
	return n;
}

uint16_t ndpi_guess(struct ndpi *n, const struct observe_payload *p)
{
	(void)n;
	(void)p;
	return 0;
}

const char *ndpi_name(const struct ndpi *n, uint16_t number)
{
	(void)n;
	(void)number;
	return "";
}
