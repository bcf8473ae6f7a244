/* SPDX-License-Identifier: MIT */
/* Names of the enums: one table each. */
#include <errno.h>
#include <string.h>

#include <portavoz/conversation.h>
#include <portavoz/coverage.h>
#include <portavoz/exposure.h>
#include <portavoz/judge.h>
#include <portavoz/snapshot.h>

#include "base/mark.h"

#define NAME_OF(table, i)                                                                          \
	((size_t)(i) < sizeof(table) / sizeof(*(table)) && (table)[i] ? (table)[i] : "unknown")

static const char *const proto_names[PV_PROTO_N] = {
	[PV_PROTO_TCP] = "tcp",		[PV_PROTO_MPTCP] = "mptcp",	[PV_PROTO_UDP] = "udp",
	[PV_PROTO_UDPLITE] = "udplite", [PV_PROTO_SCTP] = "sctp",	[PV_PROTO_DCCP] = "dccp",
	[PV_PROTO_RAW] = "raw",		[PV_PROTO_PING] = "ping",	[PV_PROTO_UNIX] = "unix",
	[PV_PROTO_PACKET] = "packet",	[PV_PROTO_NETLINK] = "netlink", [PV_PROTO_VSOCK] = "vsock",
	[PV_PROTO_XDP] = "xdp",		[PV_PROTO_ICMP] = "icmp",	[PV_PROTO_ICMP6] = "icmp6",
	[PV_PROTO_IGMP] = "igmp",	[PV_PROTO_GRE] = "gre",		[PV_PROTO_ESP] = "esp",
	[PV_PROTO_AH] = "ah",		[PV_PROTO_IPIP] = "ipip",	[PV_PROTO_IP6IP] = "ip6ip",
	[PV_PROTO_IP] = "ip",		[PV_PROTO_ARP] = "arp",		[PV_PROTO_ETHER] = "ether",
};

const char *pv_proto_name(enum pv_proto proto)
{
	return NAME_OF(proto_names, proto);
}

bool pv_proto_is_inet(enum pv_proto proto)
{
	return proto <= PV_PROTO_PING || (proto >= PV_PROTO_ICMP && proto <= PV_PROTO_IP);
}

static bool has_state_machine(enum pv_proto proto)
{
	return proto == PV_PROTO_TCP || proto == PV_PROTO_MPTCP || proto == PV_PROTO_SCTP ||
	       proto == PV_PROTO_DCCP;
}

const char *pv_state_name(enum pv_proto proto, enum pv_state state)
{
	static const char *const names[PV_STATE_N] = {
		[PV_STATE_UNKNOWN] = "UNKNOWN",	      [PV_STATE_ESTABLISHED] = "ESTABLISHED",
		[PV_STATE_SYN_SENT] = "SYN_SENT",     [PV_STATE_SYN_RECV] = "SYN_RECV",
		[PV_STATE_FIN_WAIT1] = "FIN_WAIT1",   [PV_STATE_FIN_WAIT2] = "FIN_WAIT2",
		[PV_STATE_TIME_WAIT] = "TIME_WAIT",   [PV_STATE_CLOSE] = "CLOSE",
		[PV_STATE_CLOSE_WAIT] = "CLOSE_WAIT", [PV_STATE_LAST_ACK] = "LAST_ACK",
		[PV_STATE_LISTEN] = "LISTEN",	      [PV_STATE_CLOSING] = "CLOSING",
		[PV_STATE_NEW_SYN_RECV] = "SYN_RECV",
	};

	if (state == PV_STATE_CLOSE && !has_state_machine(proto))
		return "UNCONNECTED";
	return state < PV_STATE_N ? names[state] : "UNKNOWN";
}

const char *pv_direction_name(enum pv_direction direction)
{
	static const char *const names[PV_DIR_N] = { "unknown", "incoming", "outgoing", "listen" };

	return NAME_OF(names, direction);
}

const char *pv_direction_by_name(enum pv_direction_by by)
{
	static const char *const names[PV_BY_N] = { "none",	     "state",	  "listener",
						    "peer_listener", "conntrack", "ports",
						    "handshake",     "request",	  "others",
						    "first_packet" };

	return NAME_OF(names, by);
}

const char *pv_exposure_name(enum pv_exposure exposure)
{
	static const char *const names[PV_EXPOSURE_N] = {
		[PV_EXPOSURE_NONE] = "none",
		[PV_EXPOSURE_LOOPBACK] = "loopback",
		[PV_EXPOSURE_CONTAINER] = "container",
		[PV_EXPOSURE_MULTICAST] = "multicast",
		[PV_EXPOSURE_INTERFACE] = "interface",
		[PV_EXPOSURE_PUBLISHED] = "published",
		[PV_EXPOSURE_ANY] = "any",
	};

	return NAME_OF(names, exposure);
}

const char *pv_published_by_name(enum pv_published_by by)
{
	static const char *const names[PV_PUBLISHED_BY_N] = { "dnat", "redirect", "conntrack" };

	return NAME_OF(names, by);
}

const char *pv_verdict_name(enum pv_verdict verdict)
{
	static const char *const names[PV_VERDICT_N] = { "none", "explained", "unexplained",
							 "suspicious" };

	return NAME_OF(names, verdict);
}

const char *pv_severity_name(enum pv_severity severity)
{
	static const char *const names[PV_SEVERITY_N] = { "explains", "note", "suspicious" };

	return NAME_OF(names, severity);
}

struct name_and_text {
	const char *name, *text, *remedy;
};

static const struct name_and_text reasons[PV_REASON_N] = {
	[PV_REASON_NONE] = { "none", N_("nothing is missing"), NULL },
	[PV_REASON_NOT_ASKED] = { "not_asked", N_("owners were not looked for"), NULL },
	[PV_REASON_TIME_WAIT] = { "time_wait",
				  N_("closed by its process; the kernel waits for stray segments"),
				  NULL },
	[PV_REASON_SYN_RECV] = { "syn_recv", N_("half open: no process has it yet"), NULL },
	[PV_REASON_NOT_ACCEPTED] = { "not_accepted",
				     N_("waits in the accept queue: no process has it yet"), NULL },
	[PV_REASON_ORPHAN] = { "orphan", N_("closed by its process; the kernel still delivers"),
			       NULL },
	[PV_REASON_KERNEL] = { "kernel", N_("the kernel's own socket"), NULL },
	[PV_REASON_NO_PERMISSION] = { "no_permission",
				      N_("no permission to look into other processes"), NULL },
	[PV_REASON_HIDDEN_PID] = { "hidden_pid",
				   N_("its process is hidden (hidepid, or another pid namespace)"),
				   NULL },
	[PV_REASON_NO_PROC] = { "no_proc", N_("no /proc to look in"), NULL },
	[PV_REASON_GONE] = { "gone", N_("exited during listing"), NULL },
	[PV_REASON_NO_TABLE] = { "no_table", N_("owner not found: no file table holds it"), NULL },
	[PV_REASON_THREAD_TABLES] = { "thread_tables",
				      N_("owner not found: threads' own file tables were not "
					 "looked at"),
				      NULL },
	[PV_REASON_UNTRUSTED] = { "untrusted", N_("a text table names its inode twice"), NULL },
	[PV_REASON_BUSY] = { "busy", N_("its memory could not be read in time"), NULL },
	[PV_REASON_NOT_RECORDED] = { "not_recorded", N_("not in the recording"), NULL },
	[PV_REASON_NO_SOURCE] = { "no_source",
				  N_("the way to find owners that was asked for is not there"),
				  NULL },
	[PV_REASON_CAPTURE] = { "capture", N_("packets do not tell their process"), NULL },
	[PV_REASON_NO_MATCH] = { "no_match", N_("no listed socket is this end"), NULL },
	[PV_REASON_AMBIGUOUS] = { "ambiguous", N_("several listed sockets fit equally well"),
				  NULL },
	[PV_REASON_LIMIT] = { "limit", N_("a resource limit stopped the search"), NULL },
};

const char *pv_reason_name(enum pv_reason reason)
{
	return reason < PV_REASON_N ? reasons[reason].name : "unknown";
}

const char *pv_reason_text(enum pv_reason reason)
{
	return reason < PV_REASON_N ? reasons[reason].text : "unknown";
}

const char *pv_timer_name(enum pv_timer timer)
{
	static const char *const names[PV_TIMER_N] = { "off", "on", "keepalive", "timewait",
						       "probe" };

	return NAME_OF(names, timer);
}

static const struct name_and_text gaps[PV_GAP_N] = {
	[PV_GAP_PROTOCOL] = { "protocol", N_("protocols that could not be listed"), NULL },
	[PV_GAP_UNSTABLE] = { "unstable", N_("sockets on which repeated dumps did not agree"),
			      N_("list again; run as root, or grant CAP_BPF and CAP_PERFMON") },
	[PV_GAP_OVERRUN] = { "overrun", N_("answers the kernel dropped or cut"), N_("list again") },
	[PV_GAP_MALFORMED] = { "malformed", N_("messages or rows not understood"), NULL },
	[PV_GAP_OWNER_PERMISSION] = { "owner_permission",
				      N_("sockets whose owner is hidden by privilege"),
				      N_("run as root, or grant CAP_BPF and CAP_PERFMON") },
	[PV_GAP_OWNER_HIDDEN] = { "owner_hidden",
				  N_("sockets whose owner is hidden by hidepid or a pid namespace"),
				  N_("run as root, or grant CAP_BPF and CAP_PERFMON, in the host's "
				     "pid namespace") },
	[PV_GAP_OWNER_NO_PROC] = { "owner_no_proc",
				   N_("sockets without owner because there is no /proc"),
				   N_("mount /proc") },
	[PV_GAP_OWNER_GONE] = { "owner_gone", N_("sockets whose owner exited during listing"),
				NULL },
	[PV_GAP_OWNER_NO_TABLE] = { "owner_no_table", N_("sockets that no file table holds"),
				    NULL },
	[PV_GAP_OWNER_THREADS] = { "owner_threads",
				   N_("sockets that may be held by a thread's own file table"),
				   N_("run as root, or grant CAP_BPF and CAP_PERFMON for "
				      "--owners=bpf") },
	[PV_GAP_OWNER_UNTRUSTED] = { "owner_untrusted",
				     N_("sockets whose inode a text table names twice"), NULL },
	[PV_GAP_OWNER_SOURCE] = { "owner_source",
				  N_("sockets whose owner was looked for by a way that is not "
				     "there"),
				  N_("use --owners=auto") },
	[PV_GAP_OWNER_LIMIT] = { "owner_limit",
				 N_("processes not looked at because of a resource limit"),
				 N_("raise RLIMIT_NOFILE or RLIMIT_AS") },
	[PV_GAP_DETAIL] = { "detail", N_("processes or sockets whose details could not be read"),
			    N_("run as root, or grant CAP_BPF and CAP_PERFMON") },
	[PV_GAP_NAMES] = { "names", N_("addresses without a name in time"),
			   N_("raise --dns-timeout, or use -n") },
	[PV_GAP_NAMES_REFUSED] = { "names_refused",
				   N_("host names refused (odd bytes, too long, or posing as an "
				      "address)"),
				   NULL },
	[PV_GAP_NETNS] = { "netns", N_("network namespaces that could not be entered"),
			   N_("run as root, or grant CAP_SYS_ADMIN and CAP_SYS_PTRACE") },
	[PV_GAP_NETNS_STALE] = { "netns_stale",
				 N_("names of network namespaces that no namespace is mounted on"),
				 N_("remove them with ip netns delete") },
	[PV_GAP_NETNS_HIDDEN] = { "netns_hidden",
				  N_("processes whose network namespace could not be seen"),
				  N_("run as root, or grant CAP_SYS_PTRACE, in the host's pid "
				     "namespace") },
	[PV_GAP_NAT] = { "nat", N_("network namespaces whose translations could not be read"),
			 N_("run as root, or grant CAP_NET_ADMIN") },
	[PV_GAP_RULES] = { "rules",
			   N_("translation rules, or namespaces with some, that were not read"),
			   NULL },
	[PV_GAP_DAMAGED] = { "damaged", N_("damaged files, read up to the damage"), NULL },
	[PV_GAP_UNDECODED] = { "undecoded", N_("packets in which nothing was understood"), NULL },
	[PV_GAP_CUT] = { "cut", N_("packets that end before their headers do"),
			 N_("capture with a larger snapshot length") },
	[PV_GAP_TIMES] = { "times",
			   N_("packets without a time from 1970 to 2262, taken to be sent with the "
			      "one before"),
			   NULL },
	[PV_GAP_FRAGMENTS] = { "fragments", N_("fragments that could not be put together"), NULL },
	[PV_GAP_OVERLAP] = { "overlap", N_("datagrams with overlapping fragments"), NULL },
	[PV_GAP_DEPTH] = { "depth", N_("packets with more layers of tunnels than are opened"),
			   NULL },
	[PV_GAP_DROPPED] = { "dropped", N_("packets the kernel had no room for"),
			     N_("give it more with --buffer, or take fewer with --bpf") },
	[PV_GAP_EVICTED] = { "evicted",
			     N_("conversations that left memory early; what came later is listed "
				"as "
				"another one"),
			     N_("raise --memory") },
	[PV_GAP_OBSERVED] = { "observed",
			      N_("conversations whose payload was not looked at to the "
				 "end"),
			      N_("raise --memory") },
	[PV_GAP_OWNER_ENDED] = { "owner_ended",
				 N_("conversations of this host whose process was not found; most "
				    "ended before it could be looked for"),
				 N_("run as root where the kernel has BPF and cgroup2: they note "
				    "closed "
				    "sockets") },
	[PV_GAP_LIBRARY] = { "library", N_("libraries that could not be loaded"),
			     N_("install them") },
	[PV_GAP_AGAIN] = { "again", N_("packets seen again on another interface, counted once"),
			   NULL },
	[PV_GAP_NAMES_DROPPED] = { "names_dropped",
				   N_("names that files give, beyond the memory for them"),
				   N_("raise --memory") },
	[PV_GAP_BPF] = { "bpf", N_("packets left out: --bpf means nothing on their link type"),
			 N_("use an expression that fits every link type of the capture") },
	[PV_GAP_NOT_RECORDED] = { "not_recorded", N_("facts the recording does not hold"), NULL },
};

const char *pv_gap_name(enum pv_gap_kind kind)
{
	return kind < PV_GAP_N ? gaps[kind].name : "unknown";
}

const char *pv_gap_text(enum pv_gap_kind kind)
{
	return kind < PV_GAP_N ? gaps[kind].text : "unknown";
}

const char *pv_gap_remedy(enum pv_gap_kind kind)
{
	return kind < PV_GAP_N ? gaps[kind].remedy : NULL;
}

const char *pv_source_state_name(enum pv_source_state state)
{
	static const char *const names[] = { "working", "fallback", "off" };

	return NAME_OF(names, state);
}
