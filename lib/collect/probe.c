/* SPDX-License-Identifier: MIT */
/*
 * Each mechanism tried once and told apart: what a listing would use, what it would fall back to,
 * and what is off. No rows come of it.
 */
#include <portavoz/ends.h>

#include <errno.h>
#include <linux/capability.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "bpf/iter.h"
#include "collect/collector.h"
#include "names/names.h"
#include "netlink/record.h"
#include "procfs/nettables.h"

#define DNS_BUDGET_MS 500

static int add(struct pv_snapshot *s, const char *name, const char *via, enum pv_source_state state,
	       const char *cause)
{
	return snapshot_add_source(s, name, via, state, state == PV_SOURCE_WORKING ? NULL : cause);
}

static int probe_closed(struct collector *c)
{
	struct pv_closed *closed = NULL;
	struct pv_source source;

	pv_closed_source(pv_closed_open(&closed), &source);
	pv_closed_free(closed);
	return add(c->snapshot, source.name, source.via, source.state, source.cause);
}

static int probe_iterators(struct collector *c)
{
	static const char *const names[BPF_KIND_N] = {
		[BPF_KIND_TCP] = "sockets: tcp",
		[BPF_KIND_UDP] = "sockets: udp",
		[BPF_KIND_UNIX] = "sockets: unix",
		[BPF_KIND_OWNERS] = "owners",
		[BPF_KIND_NETNS] = "namespaces of descriptors",
	};
	int r = 0;

	for (int kind = 0; r == 0 && kind < BPF_KIND_N; kind++) {
		_cleanup_(cleanup_bpf_iter) struct bpf_iter it = BPF_ITER_INIT;
		int error = bpf_iter_open((enum bpf_iter_kind)kind, &it);

		r = add(c->snapshot, names[kind], "bpf iterator",
			error ? PV_SOURCE_OFF : PV_SOURCE_WORKING, bpf_cause(error));
	}
	return r < 0 ? r : probe_closed(c);
}

static int pass_over(void *userdata, const struct pv_conversation *row)
{
	(void)userdata;
	(void)row;
	return 0;
}

static bool has_table(struct collector *c, enum pv_proto proto, int family)
{
	struct sink none = { .row = pass_over };
	struct procfs_table_stats stats = { 0 };

	return procfs_read_table(&c->tape, proto, family, &none, &stats) == 0;
}

/* A dump that asks for no state has no rows: it only tells whether there is a module. */
static int ask_diag(struct collector *c, enum pv_proto proto, int family)
{
	_cleanup_(cleanup_fd) int fd = netlink_open();
	struct netlink_query q = { .proto = (uint8_t)proto, .family = (uint8_t)family };
	struct netlink_dump_result result = { 0 };
	struct sink none = { .row = pass_over };
	int r = netlink_read_sockets(&c->tape, fd, &q, 0, &none, &result);

	return r == NETLINK_REFUSED ? result.error : r < 0 ? r : 0;
}

static int probe_protocol(struct collector *c, enum pv_proto proto, int family)
{
	_cleanup_(cleanup_buf) struct buf name = BUF_INIT;
	int error = proto == PV_PROTO_PING ? 0 : ask_diag(c, proto, family);
	bool table = (error || proto == PV_PROTO_PING) && has_table(c, proto, family);

	if (error == -ENOMEM)
		return error;
	buf_printf(&name, "sockets: %s", pv_proto_name(proto));
	if (!buf_str(&name))
		return -ENOMEM;
	if (proto == PV_PROTO_PING)
		return add(c->snapshot, name.data, "/proc/net",
			   table ? PV_SOURCE_WORKING : PV_SOURCE_OFF, collect_error_text(-ENOENT));
	if (table)
		return add(c->snapshot, name.data, "/proc/net", PV_SOURCE_FALLBACK,
			   collect_error_text(error));
	return add(c->snapshot, name.data, "sock_diag", error ? PV_SOURCE_OFF : PV_SOURCE_WORKING,
		   error ? collect_error_text(error) : NULL);
}

static int probe_protocols(struct collector *c)
{
	static const uint8_t families[PV_PROTO_SOCKETS_N] = {
		[PV_PROTO_UNIX] = AF_UNIX,	 [PV_PROTO_PACKET] = AF_PACKET,
		[PV_PROTO_NETLINK] = AF_NETLINK, [PV_PROTO_VSOCK] = AF_VSOCK,
		[PV_PROTO_XDP] = AF_XDP,
	};
	int r = 0;

	for (int i = 0; r == 0 && i < PV_PROTO_SOCKETS_N; i++)
		r = probe_protocol(c, (enum pv_proto)i, families[i] ? families[i] : AF_INET);
	return r;
}

/* /proc shows every process only to those who may trace them, and only of its own pid namespace. */
static const char *proc_limit(const struct collector *c)
{
	if (!c->has_proc)
		return "no procfs is mounted on /proc";
	if (!(c->rights >> CAP_SYS_PTRACE & 1))
		return c->hidepid ? "mounted with hidepid, and no CAP_SYS_PTRACE"
				  : "no CAP_SYS_PTRACE: other users' processes are closed";
	return c->is_host_pidns ? NULL : "processes outside this pid namespace are not in it";
}

static int probe_proc(struct collector *c)
{
	_cleanup_(cleanup_buf) struct buf cgroup = BUF_INIT;
	const char *limit = proc_limit(c);
	enum pv_source_state state = !c->has_proc ? PV_SOURCE_OFF
				     : limit	  ? PV_SOURCE_FALLBACK
						  : PV_SOURCE_WORKING;
	int r = add(c->snapshot, "owners", "/proc/PID/fd", state, limit);
	int error = tape_proc_read(&c->tape, -1, "self/cgroup", &cgroup);

	if (r == 0)
		r = add(c->snapshot, "process details", "/proc/PID", state, limit);
	if (r == 0)
		r = add(c->snapshot, "units and containers", "/proc/PID/cgroup",
			error ? PV_SOURCE_OFF : state,
			error && !limit ? collect_error_text(error) : limit);
	return r;
}

/* An address reserved for documentation (RFC 5737): whatever the answer, a server gave it. */
static int probe_names(struct collector *c)
{
	struct names_query q = { .family = AF_INET, .addr = { 192, 0, 2, 1 } };
	struct names_options o = { .arena = &c->snapshot->arena, .budget_ms = DNS_BUDGET_MS };
	struct names_stats stats = { 0 };
	int r = names_resolve(&o, &q, 1, &stats);

	if (r == -ENOMEM)
		return r;
	return add(c->snapshot, "host names", "dns",
		   r < 0 || q.result == NAMES_NO_ANSWER ? PV_SOURCE_OFF : PV_SOURCE_WORKING,
		   r < 0 ? collect_error_text(r) : stats.cause);
}

int pv_probe(struct pv_snapshot **ret_snapshot)
{
	static const struct pv_request request = PV_REQUEST_INIT;
	struct collector c = { .request = &request, .tape = TAPE_INIT, .diag_fd = -1 };
	int r = tape_open(&c.tape, NULL, NULL);

	c.snapshot = snapshot_new();
	if (!c.snapshot)
		r = -ENOMEM;
	if (r == 0)
		r = collect_host(&c);
	if (r == 0)
		r = probe_iterators(&c);
	if (r == 0)
		r = probe_protocols(&c);
	if (r == 0)
		r = probe_proc(&c);
	if (r == 0)
		r = probe_names(&c);
	tape_close(&c.tape);
	if (r < 0) {
		pv_snapshot_free(c.snapshot);
		return r;
	}
	snapshot_seal(c.snapshot);
	*ret_snapshot = c.snapshot;
	return 0;
}
