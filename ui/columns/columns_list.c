/* SPDX-License-Identifier: MIT */
/* Lists of columns and sort keys as users write them. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/word.h"
#include "ui/columns/columns-internal.h"
#include "ui/text/escape.h"

#define WORD_MAX 24 /* longer than the name of any column, by enough for a typing error */

/* Every column at most once, so that a fixed array suffices. */
struct column_set {
	const struct column *columns[COLUMN_END];
	size_t n;
	bool of_captures; /* "all" are those of captures */
};

static void set_remove(struct column_set *set, const struct column *column)
{
	size_t kept = 0;

	for (size_t i = 0; i < set->n; i++)
		if (set->columns[i] != column)
			set->columns[kept++] = set->columns[i];
	set->n = kept;
}

static void set_add(struct column_set *set, const struct column *column)
{
	for (size_t i = 0; i < set->n; i++)
		if (set->columns[i] == column)
			return;
	set->columns[set->n++] = column;
}

static void set_add_parts(struct column_set *set, const struct column *column)
{
	if (!column->parts) {
		set_add(set, column);
		return;
	}
	for (const uint8_t *id = column->parts; *id != COLUMN_END; id++)
		set_add(set, column_by_id(*id));
}

static int set_copy(const struct column_set *set, const struct column ***ret_columns, size_t *ret_n)
{
	size_t size = set->n * sizeof(*set->columns);
	const struct column **copy = malloc(size ? size : 1);

	if (!copy)
		return -ENOMEM;
	memcpy(copy, set->columns, size);
	*ret_columns = copy;
	*ret_n = set->n;
	return 0;
}

static const char *nearest_name(const char *word, size_t n)
{
	const char *best = NULL;
	size_t best_distance = SIZE_MAX;
	char typed[WORD_MAX + 1];

	if (n > WORD_MAX)
		return NULL;
	memcpy(typed, word, n);
	typed[n] = 0;
	for (size_t i = 0; i < COLUMN_END; i++) {
		const char *name = column_by_id((enum column_id)i)->name;
		size_t d = word_distance(typed, name);

		if (d < best_distance) {
			best_distance = d;
			best = name;
		}
	}
	return best && word_is_near(typed, best, best_distance) ? best : NULL;
}

static int unknown_column(const char *list, const char *word, size_t n, struct columns_error *error)
{
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;
	const char *near = nearest_name(word, n), *end;

	if (!error)
		return -EINVAL;
	error->offset = (size_t)(word - list);
	error->length = n;
	if (n == 0)
		buf_puts(&text, "a column's name is missing");
	else
		buf_puts(&text, "no column is called \"");
	text_put(&text, word, n > WORD_MAX ? WORD_MAX : n, TEXT_WORD);
	if (n)
		buf_puts(&text, n > WORD_MAX ? "...\"" : "\"");
	if (near && n)
		buf_printf(&text, "; did you mean %s?", near);
	if (!buf_str(&text))
		return -ENOMEM;
	end = text.len < sizeof(error->message) ? text.data + text.len
						: text.data + sizeof(error->message) - 1;
	memcpy(error->message, text.data, (size_t)(end - text.data));
	error->message[end - text.data] = 0;
	return -EINVAL;
}

#define SOCKET_NEEDS (PV_NEED_TCPINFO | PV_NEED_MEM | PV_NEED_TIMER | PV_NEED_SOCKCGROUP)

/* What no socket, or no capture, could fill is left out. */
static void set_add_all(struct column_set *set)
{
	for (size_t i = 0; i < COLUMN_END; i++) {
		const struct column *column = column_by_id((enum column_id)i);

		if (!column->parts &&
		    (set->of_captures ? !(column->needs & SOCKET_NEEDS) || i == COL_RTT
				      : !(column->flags & COLUMN_FLOW)))
			set_add(set, column);
	}
}

static bool is_of_captures(const char *defaults)
{
	const struct column *first = columns_find(defaults, strcspn(defaults, ","));

	return first && first->flags & COLUMN_FLOW;
}

/* One "name", "+name" or "-name". */
static int set_apply(struct column_set *set, const char *list, const char *word, size_t n,
		     struct columns_error *error)
{
	bool remove = n && *word == '-';
	const struct column *column;

	if (n && (*word == '+' || *word == '-')) {
		word++;
		n--;
	}
	if (n == 3 && !memcmp(word, "all", 3) && !remove) {
		set_add_all(set);
		return 0;
	}
	column = columns_find(word, n);
	if (!column)
		return unknown_column(list, word, n, error);
	if (remove)
		set_remove(set, column);
	else
		set_add(set, column);
	return 0;
}

static int set_apply_list(struct column_set *set, const char *list, struct columns_error *error)
{
	int r;

	for (const char *word = list;; word++) {
		size_t n = strcspn(word, ",");

		r = set_apply(set, list, word, n, error);
		word += n;
		if (r < 0 || !*word)
			return r;
	}
}

int columns_parse(const char *list, const char *defaults, const struct column ***ret_columns,
		  size_t *ret_n, struct columns_error *error)
{
	struct column_set set = { .of_captures = is_of_captures(defaults) };
	int r = 0;

	if (!list || *list == '+' || *list == '-')
		r = set_apply_list(&set, defaults, error);
	if (r == 0 && list)
		r = set_apply_list(&set, list, error);
	if (r == 0 && set.n == 0) {
		if (error)
			*error = (struct columns_error){ 0, strlen(list), "no column is left" };
		r = -EINVAL;
	}
	return r < 0 ? r : set_copy(&set, ret_columns, ret_n);
}

int columns_expand(const struct column *const *columns, size_t n,
		   const struct column ***ret_columns, size_t *ret_n)
{
	struct column_set set = { .n = 0 };

	for (size_t i = 0; i < n; i++)
		set_add_parts(&set, columns[i]);
	return set_copy(&set, ret_columns, ret_n);
}

/* The first time a column is named decides. */
static void add_keys(struct sort_key *keys, size_t *n, const struct column *column, bool descending)
{
	struct column_set parts = { .n = 0 };

	set_add_parts(&parts, column);
	for (size_t i = 0; i < parts.n; i++) {
		size_t j = 0;

		while (j < *n && keys[j].column != parts.columns[i])
			j++;
		if (j == *n)
			keys[(*n)++] = (struct sort_key){ parts.columns[i], descending };
	}
}

int columns_parse_sort(const char *list, struct sort_key **ret_keys, size_t *ret_n,
		       struct columns_error *error)
{
	struct sort_key *keys = malloc(COLUMN_END * sizeof(*keys));
	size_t n_keys = 0;

	if (!keys)
		return -ENOMEM;
	for (const char *word = list;; word++) {
		bool descending = *word == '-';
		const char *name = word + (descending || *word == '+');
		size_t n = strcspn(name, ",");
		const struct column *column = columns_find(name, n);

		if (!column) {
			free(keys);
			return unknown_column(list, name, n, error);
		}
		add_keys(keys, &n_keys, column, descending);
		word = name + n;
		if (!*word)
			break;
	}
	*ret_keys = keys;
	*ret_n = n_keys;
	return 0;
}
