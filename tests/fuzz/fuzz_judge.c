/* SPDX-License-Identifier: MIT */
/*
 * What the judge reads: dpkg's lists, diversions and digests, recorded facts, and tables of the
 * kernel. The first byte chooses the parser. Whatever a list holds, a path is found in it exactly
 * when a line of it is that path.
 */
#include <stdlib.h>
#include <string.h>

#include "judge/dpkg.h"
#include "judge/hiding.h"
#include "judge/kernel.h"
#include "judge/recall.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct pv_bytes bytes(const void *data, size_t len)
{
	return (struct pv_bytes){ data, (uint32_t)len };
}

/* The last line is asked for; it must be found. */
static void try_list(const char *data, size_t size)
{
	struct package_query q = { 0 };
	struct pv_bytes package = bytes("package:amd64", 13);
	const char *newline = size ? memrchr(data, '\n', size) : NULL;
	const char *last = newline ? newline + 1 : data;
	struct dpkg_index *x = calloc(1, sizeof(*x));
	dpkg_diversions none = { 0 };

	q.path = bytes(last, (size_t)(data + size - last));
	if (!x || dpkg_index_build(x, &q, 1, &none) < 0)
		abort();
	dpkg_list_search(x, &q, &package, 1, data, size);
	if (q.path.len && q.path.len < 4000 && !q.package.len)
		abort();
	dpkg_index_deinit(x);
	free(x);
}

static void try_diversions(const char *data, size_t size)
{
	struct package_query q[2] = { { .path = bytes("/usr/bin/perf", 13) },
				      { .path = bytes("/usr/bin/perf.distrib", 21) } };
	static const char list[] = "/.\n/usr/bin/perf\n";
	struct pv_bytes package = bytes("linux-perf", 10);
	struct dpkg_index *x = calloc(1, sizeof(*x));
	dpkg_diversions d = { 0 };

	if (!x || dpkg_diversions_parse(data, size, &d) < 0 || dpkg_index_build(x, q, 2, &d) < 0)
		abort();
	dpkg_list_search(x, q, &package, 1, list, sizeof(list) - 1);
	dpkg_index_deinit(x);
	vec_deinit(&d);
	free(x);
}

static void try_md5sums(const char *data, size_t size)
{
	struct pv_bytes path = bytes("/usr/bin/git", 12);
	char hex[33];

	if (dpkg_md5sums_find(data, size, &path, hex) == 0 && strlen(hex) > 32)
		abort();
}

static void try_recall(const char *data, size_t size)
{
	struct tape tape = { .mode = TAPE_REPLAY, .dirfd = -1, .procfd = -1 };
	struct recall r = { .tape = &tape };
	struct pv_bytes value;

	if (recall_parse(data, size, &r) < 0)
		abort();
	recall_get(&r, "packages", &value);
	for (size_t i = 0; i < r.facts.n; i++)
		if (r.facts.items[i].value.data + r.facts.items[i].value.len > data + size)
			abort();
	vec_deinit(&r.facts);
}

static int take_pid(void *userdata, int32_t pid)
{
	(void)userdata;
	if (pid <= 0)
		abort();
	return 0;
}

static int take_use(void *userdata, const struct kernel_use *use)
{
	(void)userdata;
	if (!use->kind || (!use->local_port && !use->remote.port))
		abort();
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data + 1;

	if (size == 0)
		return 0;
	size--;
	switch (data[0]) {
	case 'l':
		try_list(text, size);
		break;
	case 'd':
		try_diversions(text, size);
		break;
	case 'm':
		try_md5sums(text, size);
		break;
	case 'r':
		try_recall(text, size);
		break;
	case 'i':
		hiding_mounts_parse(text, size, take_pid, NULL);
		kernel_cifs_mounts_parse(text, size, take_use, NULL);
		break;
	case 'n':
		kernel_nfs_servers_parse(text, size, take_use, NULL);
		kernel_nfsd_ports_parse(text, size, take_use, NULL);
		break;
	default:
		break;
	}
	return 0;
}
