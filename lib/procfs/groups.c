/* SPDX-License-Identifier: MIT */
/* net/igmp and net/igmp6: the multicast groups each interface listens to. */
#include <errno.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/vec.h"
#include "procfs/tables.h"

/*
 * A line of an interface, "1<TAB>lo        :     1      V3", is followed by those of its groups,
 * which begin with tabs: "<TAB>010000E0     1 0:00000000<TAB><TAB>0". Sets *is_group.
 */
static bool parse_inet(struct text line, struct pv_group *group, bool *is_group)
{
	struct text word;
	uint32_t addr;

	*is_group = line.p < line.end && *line.p == '\t';
	if (*is_group) {
		if (!text_word_u32(&line, 16, &addr) || !text_word_u32(&line, 10, &group->users))
			return false;
		memcpy(group->addr, &addr, sizeof(addr));
		return true;
	}
	if (!text_skip(&line, 1) || !text_word(&line, &word))
		return false;
	/* a name of fifteen bytes stands close to the colon */
	if (word.end[-1] == ':')
		word.end--;
	procfs_ifname_set(group->interface, word);
	return true;
}

/* index, name, address, users, ... */
static bool parse_inet6(struct text line, struct pv_group *group)
{
	struct text name, addr;

	if (!text_skip(&line, 1) || !text_word(&line, &name) || !text_word(&line, &addr) ||
	    !procfs_inet6_of(addr, group->addr) || !text_word_u32(&line, 10, &group->users))
		return false;
	procfs_ifname_set(group->interface, name);
	return true;
}

int procfs_groups_parse(int family, const void *data, size_t len, struct pv_group **ret_groups,
			size_t *ret_n)
{
	struct text t = text_of(data, len), line;
	struct pv_group group = { .family = (uint8_t)family };
	VEC(struct pv_group) groups = { 0 };
	bool is_group = true, is_whole;

	if (family == AF_INET)
		text_line(&t, &line, NULL);
	while (text_line(&t, &line, &is_whole)) {
		bool is_fit = is_whole && (family == AF_INET ? parse_inet(line, &group, &is_group)
							     : parse_inet6(line, &group));

		if (is_fit && is_group && vec_push(&groups, group) < 0) {
			vec_deinit(&groups);
			return -ENOMEM;
		}
	}
	*ret_groups = groups.items;
	*ret_n = groups.n;
	return 0;
}

int pv_groups_read(int family, struct pv_group **ret_groups, size_t *ret_n)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int r = procfs_table_read(family == AF_INET ? "net/igmp" : "net/igmp6", &b);

	return r < 0 ? r : procfs_groups_parse(family, b.data, b.len, ret_groups, ret_n);
}
