/* SPDX-License-Identifier: MIT */
#include <portavoz/portavoz.h>

const char *pv_version(void)
{
	return PORTAVOZ_VERSION;
}
