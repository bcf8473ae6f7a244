/* SPDX-License-Identifier: MIT */
#include "procfs/maps.h"

#include <sys/sysmacros.h>

/* "START-END", hexadecimal */
static bool take_range(struct text *line, struct procfs_map *map)
{
	struct text word, start;

	return text_word(line, &word) && text_until(&word, '-', &start) &&
	       text_u64(start, 16, &map->start) && text_u64(word, 16, &map->end) &&
	       map->start < map->end;
}

/* "MAJOR:MINOR", hexadecimal */
static bool take_device(struct text *line, struct procfs_map *map)
{
	struct text word, major;
	uint32_t a, b;

	if (!text_word(line, &word) || !text_until(&word, ':', &major) ||
	    !text_u32(major, 16, &a) || !text_u32(word, 16, &b))
		return false;
	map->device = makedev(a, b);
	return true;
}

static bool take_map(struct text line, struct procfs_map *map)
{
	struct text mode;

	if (!take_range(&line, map) || !text_word(&line, &mode) || text_len(mode) != 4 ||
	    mode.p[2] != 'x' || mode.p[3] != 'p' || !text_skip(&line, 1) ||
	    !take_device(&line, map) || !text_word_u64(&line, 10, &map->inode) || !map->inode)
		return false;
	while (line.p < line.end && *line.p == ' ')
		line.p++;
	map->path = (struct pv_bytes){ line.p, (uint32_t)text_len(line) };
	return text_starts(line, "/");
}

bool procfs_maps_next(struct text *t, struct procfs_map *ret_map)
{
	struct text line;

	while (text_line(t, &line, NULL)) {
		*ret_map = (struct procfs_map){ 0 };
		if (take_map(line, ret_map))
			return true;
	}
	return false;
}
