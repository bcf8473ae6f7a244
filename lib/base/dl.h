/* SPDX-License-Identifier: MIT */
/*
 * Libraries that are loaded when somebody needs them. What is linked is paid for by every start of
 * the program: libpcap and libcrypto with all that they bring along take longer than a listing.
 */
#ifndef BASE_DL_H
#define BASE_DL_H

#include <stddef.h>

#define DL_ERROR_MAX 256

struct dl_symbol {
	const char *name;
	size_t offset; /* of its pointer, in the table */
};

/* Of a list `#define LIST(X) X(name) ...`: members of a struct, with the types of the headers. */
#define DL_MEMBER(name) __typeof__(&(name)) name;
/* And its struct dl_symbol, where `DL_TABLE` is the name of that struct. */
#define DL_SYMBOL(name) { #name, offsetof(struct DL_TABLE, name) },

/*
 * Loads a library, for good, and sets the pointers of a table. 0, *error is empty; -ELIBACC, *error
 * says why. It opens files.
 */
int dl_load(const char *soname, const struct dl_symbol *symbols, size_t n, void *table,
	    char error[static DL_ERROR_MAX]);

#endif
