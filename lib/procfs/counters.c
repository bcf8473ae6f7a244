/* SPDX-License-Identifier: MIT */
/*
 * The counters of the protocols. net/snmp and net/netstat have two lines a group, names and values;
 * net/snmp6 and net/sctp/snmp one line a counter, with the group before the name; net/sockstat and
 * net/sockstat6 a line a group of names, each with its value behind it.
 */
#include <errno.h>

#include "base/cleanup.h"
#include "base/vec.h"
#include "procfs/tables.h"

typedef VEC(struct pv_counter) counters;

static bool set_text(char *to, size_t size, struct text t)
{
	if (text_len(t) == 0 || text_len(t) >= size)
		return false;
	memcpy(to, t.p, text_len(t));
	to[text_len(t)] = 0;
	return true;
}

static bool parse_value(struct text t, int64_t *ret_value)
{
	bool is_negative = text_starts(t, "-");
	uint64_t v;

	t.p += is_negative;
	if (!text_u64(t, 10, &v))
		return false;
	if (v > INT64_MAX)
		v = INT64_MAX;
	*ret_value = is_negative ? -(int64_t)v : (int64_t)v;
	return true;
}

/* A counter with a group, name or value that is none is passed over. 0 or -ENOMEM. */
static int add(counters *all, struct text group, struct text name, struct text value)
{
	struct pv_counter c = { 0 };

	if (!set_text(c.group, sizeof(c.group), group) || !set_text(c.name, sizeof(c.name), name) ||
	    !parse_value(value, &c.value))
		return 0;
	return vec_push(all, c);
}

/* "Tcp: RtoAlgorithm RtoMin ..." and "Tcp: 1 200 ..." */
static int take_pair(struct text names, struct text values, counters *all)
{
	struct text group, value_group, name, value;
	int r = 0;

	if (!text_word(&names, &group) || !text_word(&values, &value_group) ||
	    text_len(group) != text_len(value_group) ||
	    memcmp(group.p, value_group.p, text_len(group)) || group.end[-1] != ':')
		return 0;
	group.end--;
	while (r == 0 && text_word(&names, &name) && text_word(&values, &value))
		r = add(all, group, name, value);
	return r;
}

static int take_pairs(struct text t, counters *all)
{
	struct text names, values;
	int r = 0;

	while (r == 0 && text_line(&t, &names, NULL) && text_line(&t, &values, NULL))
		r = take_pair(names, values, all);
	return r;
}

/* "Ip6InReceives    20": the longest of these that a name begins with is its group */
static const char *const groups[] = { "Ip6", "Icmp6", "UdpLite6", "Udp6", "Sctp" };

static int take_line(struct text line, counters *all)
{
	struct text name, value;

	if (!text_word(&line, &name) || !text_word(&line, &value))
		return 0;
	for (size_t i = 0; i < sizeof(groups) / sizeof(*groups); i++) {
		struct text group = text_of(groups[i], strlen(groups[i]));

		if (!text_starts(name, groups[i]))
			continue;
		name.p += text_len(group);
		return add(all, group, name, value);
	}
	return 0;
}

static int take_lines(struct text t, counters *all)
{
	struct text line;
	int r = 0;

	while (r == 0 && text_line(&t, &line, NULL))
		r = take_line(line, all);
	return r;
}

/* "TCP: inuse 4 orphan 0 tw 0 alloc 6 mem 1" */
static int take_group(struct text line, counters *all)
{
	struct text group, name, value;
	int r = 0;

	if (!text_word(&line, &group) || group.end[-1] != ':')
		return 0;
	group.end--;
	while (r == 0 && text_word(&line, &name) && text_word(&line, &value))
		r = add(all, group, name, value);
	return r;
}

static int take_groups(struct text t, counters *all)
{
	struct text line;
	int r = 0;

	while (r == 0 && text_line(&t, &line, NULL))
		r = take_group(line, all);
	return r;
}

int procfs_counters_parse(enum pv_counter_table table, const void *data, size_t len,
			  struct pv_counter **ret_counters, size_t *ret_n)
{
	static int (*const takers[])(struct text t, counters * all) = {
		[PV_COUNTERS_SNMP] = take_pairs,      [PV_COUNTERS_NETSTAT] = take_pairs,
		[PV_COUNTERS_SNMP6] = take_lines,     [PV_COUNTERS_SCTP] = take_lines,
		[PV_COUNTERS_SOCKSTAT] = take_groups, [PV_COUNTERS_SOCKSTAT6] = take_groups,
	};
	counters all = { 0 };
	int r = takers[table](text_of(data, len), &all);

	if (r < 0) {
		vec_deinit(&all);
		return r;
	}
	*ret_counters = all.items;
	*ret_n = all.n;
	return 0;
}

int pv_counters_read(enum pv_counter_table table, struct pv_counter **ret_counters, size_t *ret_n)
{
	static const char *const paths[] = {
		[PV_COUNTERS_SNMP] = "net/snmp",	 [PV_COUNTERS_NETSTAT] = "net/netstat",
		[PV_COUNTERS_SNMP6] = "net/snmp6",	 [PV_COUNTERS_SCTP] = "net/sctp/snmp",
		[PV_COUNTERS_SOCKSTAT] = "net/sockstat", [PV_COUNTERS_SOCKSTAT6] = "net/sockstat6",
	};
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int r = procfs_table_read(paths[table], &b);

	return r < 0 ? r : procfs_counters_parse(table, b.data, b.len, ret_counters, ret_n);
}
