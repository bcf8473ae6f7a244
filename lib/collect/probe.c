/* SPDX-License-Identifier: MIT */
/*
 * Each mechanism tried once and told apart: what a listing would use, what it would fall back to,
 * and what is off. Nothing is listed.
 */
#include <errno.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "bpf/iter.h"
#include "collect/collector.h"
#include "names/names.h"
#include "netlink/record.h"
#include "procfs/nettables.h"
#include "procfs/sysctl.h"

static int add(struct pv_snapshot *s, const char *name, const char *via, int error, bool has_fallback)
{
	enum pv_source_state state = error == 0	  ? PV_SOURCE_WORKING :
				     has_fallback ? PV_SOURCE_FALLBACK :
						    PV_SOURCE_OFF;

	return snapshot_add_source(s, name, via, state, error ? collect_error_text(error) : NULL);
}

static int probe_iterators(struct collector *c)
{
	static const char *const names[BPF_KIND_N] = {
		[BPF_KIND_TCP] = "tcp sockets, bpf iterator",
		[BPF_KIND_UDP] = "udp sockets, bpf iterator",
		[BPF_KIND_UNIX] = "unix sockets, bpf iterator",
		[BPF_KIND_OWNERS] = "owners, bpf iterator",
	};
	int r = 0;

	for (int kind = 0; r == 0 && kind < BPF_KIND_N; kind++) {
		_cleanup_(cleanup_bpf_iter) struct bpf_iter it = BPF_ITER_INIT;
		int error = bpf_iter_open((enum bpf_iter_kind)kind, &it);

		r = snapshot_add_source(c->snapshot, names[kind], "bpf",
					error ? PV_SOURCE_OFF : PV_SOURCE_WORKING,
					error ? bpf_cause(error) : NULL);
	}
	return r;
}

