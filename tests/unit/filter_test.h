/* SPDX-License-Identifier: MIT */
/* Shared by the parts of the filter's test: rows, a reader of bytecode, the parts themselves. */
#ifndef TEST_FILTER_TEST_H
#define TEST_FILTER_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/socket.h>

#include <portavoz/filter.h>

#include "model/snapshot.h"

/* Rows of data/filter/rows.txt, their names in the order of the snapshot. */
struct named_rows {
	struct pv_snapshot *snapshot;
	VEC(char *) names;
};

void rows_load(struct named_rows *rows, const char *path);
void rows_free(struct named_rows *rows);

/*
 * Bytecode of inet_diag as the kernel checks and runs it, from the semantics of
 * linux/inet_diag.h.
 */
bool bytecode_is_valid(const void *code, size_t size);
bool bytecode_accepts(const void *code, size_t size, const struct pv_conversation *row);

/* filter_property.c */
void test_random_filters(void **state);

/* filter_live.c: against the kernel and ss; returns the exit status */
int live_main(void);

#endif
