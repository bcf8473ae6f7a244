/* SPDX-License-Identifier: MIT */
/* Names that capture files give. Invariant: what is unfit to be a name is none. */
#include "flow/filenames.h"

#include <string.h>
#include <sys/socket.h>

#include "names/names.h"

void flow_filenames_deinit(struct flow_filenames *f)
{
	map_deinit(&f->by_address);
}

static uint64_t address_key(int family, const uint8_t *addr)
{
	uint64_t words[2] = { 0 };

	memcpy(words, addr, family == AF_INET6 ? 16 : 4);
	return map_mix(map_mix((uint64_t)family, words[0]), words[1]);
}

static int add(struct flow_filenames *f, const struct capture_name *n)
{
	uint32_t i = (uint32_t)f->n_seen++;

	if (names_is_fit(n->name.data, n->name.len))
		return map_put(&f->by_address, address_key(n->family, n->addr), i);
	f->n_unfit++;
	return 0;
}

static int add_new(struct flow_filenames *f)
{
	int r = 0;

	while (r == 0 && f->n_seen < capture_n_names(f->input))
		r = add(f, capture_name(f->input, f->n_seen));
	return r;
}

const char *flow_filenames_get(struct flow_filenames *f, int family, const uint8_t *addr)
{
	const struct capture_name *n;
	uint32_t i;

	if (add_new(f) < 0)
		return NULL;
	i = f->n_seen ? map_get(&f->by_address, address_key(family, addr)) : MAP_NONE;
	if (i == MAP_NONE)
		return NULL;
	n = capture_name(f->input, i);
	return n->family == family && !memcmp(n->addr, addr, family == AF_INET6 ? 16 : 4)
		       ? n->name.data
		       : NULL;
}

int flow_filenames_refused(struct flow_filenames *f, uint64_t *ret_n)
{
	int r = add_new(f);

	*ret_n = f->n_unfit + capture_names_too_long(f->input);
	return r;
}
