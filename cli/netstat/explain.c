/* SPDX-License-Identifier: MIT */
#include "cli/netstat/netstat.h"
const char *netstat_explain(const char *group, const char *name)
{
	(void)group;
	(void)name;
	return NULL;
}
