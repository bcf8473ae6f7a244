/* SPDX-License-Identifier: MIT */
/*
 * The parsers of BPF iterator records: the first byte picks the kind, the rest are the records.
 * What is handed out must be whole, and within what the parsers promise.
 */
#include <stdlib.h>

#include "bpf/iter.h"
#include "bpf/sock_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct count {
	uint64_t rows, bytes;
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

static int take_row(void *userdata, const struct pv_conversation *row)
{
	struct count *count = userdata;

	require(row->cookie && row->state && row->state < PV_STATE_NEW_SYN_RECV);
	require(row->shutdown <= 3 && row->proto < PV_PROTO_SOCKETS_N);
	require(row->local.port <= UINT16_MAX && row->remote.port <= UINT16_MAX);
	count->rows++;
	if (!row->path)
		return 0;
	require(row->path->len && row->path->len <= SOCK_RECORD_PATH_MAX);
	for (uint32_t i = 0; i < row->path->len; i++)
		count->bytes += (uint8_t)row->path->data[i];
	return 0;
}

static int take_owners(void *userdata, const struct owner_record *rows, size_t n)
{
	struct count *count = userdata;

	require(n > 0);
	for (size_t i = 0; i < n; i++)
		require(rows[i].pid > 0 && rows[i].fd >= 0 && (rows[i].inode || rows[i].cookie));
	count->rows += n;
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct bpf_stats stats = { 0 };
	struct count count = { 0 };
	struct sink sink = { take_row, &count };
	int r;

	if (!size)
		return 0;
	if (data[0] % BPF_KIND_N == BPF_KIND_OWNERS)
		r = bpf_parse_owners(data + 1, size - 1, take_owners, &count, &stats);
	else
		r = bpf_parse_sockets(data + 1, size - 1,
				      (enum bpf_iter_kind)(data[0] % BPF_KIND_N), &sink, &stats);
	require(r == 0 && stats.n_rows == count.rows && stats.n_exact <= stats.n_rows);
	require(stats.n_rows || stats.n_malformed || size == 1);
	return 0;
}
