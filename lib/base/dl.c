/* SPDX-License-Identifier: MIT */
/* Libraries by dlopen(). Invariant: a table that was filled stays valid, for nothing is unloaded.
 */
#include "base/dl.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

static int complain(const char *soname, char *error)
{
	const char *why = dlerror();

	snprintf(error, DL_ERROR_MAX, "%s", why ? why : soname);
	return -ELIBACC;
}

int dl_load(const char *soname, const struct dl_symbol *symbols, size_t n, void *table,
	    char error[static DL_ERROR_MAX])
{
	/* NOW: a symbol that is bound at its first call may be called where no file can be opened
	 */
	void *library = dlopen(soname, RTLD_NOW | RTLD_LOCAL);

	*error = '\0';
	if (!library)
		return complain(soname, error);
	for (size_t i = 0; i < n; i++) {
		void *symbol = dlsym(library, symbols[i].name);

		if (!symbol)
			return complain(soname, error);
		memcpy((char *)table + symbols[i].offset, &symbol, sizeof(symbol));
	}
	return 0;
}
