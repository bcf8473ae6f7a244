/* SPDX-License-Identifier: MIT */
/* Names of the enums of a flow, and its Community ID. */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include <portavoz/conversation.h>
#include <portavoz/flow.h>

#include "base/crypto_api.h"
#include "model/snapshot.h"

const char *pv_conn_state_name(enum pv_conn_state state)
{
	static const char *const names[PV_CONN_N] = { "none",  "S0", "S1",   "SF",   "REJ",
						      "S2",    "S3", "RSTO", "RSTR", "RSTOS0",
						      "RSTRH", "SH", "SHR",  "OTH" };

	return state < PV_CONN_N ? names[state] : "unknown";
}

static const struct {
	const char *name, *text;
} endings[PV_ENDING_N] = {
	[PV_ENDING_NONE] = { "none", "has no end of its own" },
	[PV_ENDING_UNANSWERED] = { "unanswered", "never answered" },
	[PV_ENDING_OPEN] = { "open", "still open at the end of the capture" },
	[PV_ENDING_REFUSED] = { "refused", "refused by the remote end" },
	[PV_ENDING_CLOSED_LOCAL] = { "closed_local", ("closed by both ends, the local one first") },
	[PV_ENDING_CLOSED_REMOTE] = { "closed_remote",
				      "closed by both ends, the remote one first" },
	[PV_ENDING_HALF_LOCAL] = { "half_local", "closed by the local end only" },
	[PV_ENDING_HALF_REMOTE] = { "half_remote", "closed by the remote end only" },
	[PV_ENDING_RESET_LOCAL] = { "reset_local", "reset by the local end" },
	[PV_ENDING_RESET_REMOTE] = { "reset_remote", "reset by the remote end" },
};

const char *pv_ending_name(enum pv_ending ending)
{
	return ending < PV_ENDING_N ? endings[ending].name : "unknown";
}

const char *pv_ending_text(enum pv_ending ending)
{
	return ending < PV_ENDING_N ? endings[ending].text : "unknown";
}

const char *pv_tunnel_name(enum pv_tunnel tunnel)
{
	static const char *const names[PV_TUNNEL_N] = { "none",	 "ip",	    "gre",  "erspan",
							"vxlan", "geneve",  "gtpu", "teredo",
							"mpls",	 "etherip", "ah" };

	return tunnel < PV_TUNNEL_N ? names[tunnel] : "unknown";
}

/* ---- Community ID ---- */

/* Types that come in pairs; the specification puts the type and its counterpart in place of ports.
 */
static const uint8_t icmp_pairs[][2] = { { 8, 0 }, { 13, 14 }, { 15, 16 }, { 17, 18 }, { 10, 9 } };
static const uint8_t icmp6_pairs[][2] = { { 128, 129 }, { 133, 134 }, { 135, 136 },
					  { 130, 131 }, { 139, 140 }, { 144, 145 } };

/* true when the type has no counterpart: such a conversation has one direction only */
static bool icmp_ports(const struct pv_flow *f, const uint8_t (*pairs)[2], size_t n,
		       uint16_t ports[2])
{
	for (size_t i = 0; i < n; i++) {
		if (f->icmp_type == pairs[i][0] || f->icmp_type == pairs[i][1]) {
			ports[0] = f->icmp_type;
			ports[1] = f->icmp_type == pairs[i][0] ? pairs[i][1] : pairs[i][0];
			return false;
		}
	}
	ports[0] = f->icmp_type;
	ports[1] = f->icmp_code;
	return true;
}

static size_t put_end(uint8_t *to, const uint8_t *addr, size_t n)
{
	memcpy(to, addr, n);
	return n;
}

static size_t put_port(uint8_t *to, uint16_t port)
{
	port = htons(port);
	memcpy(to, &port, sizeof(port));
	return sizeof(port);
}

static bool has_ports(uint8_t protocol)
{
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP || protocol == IPPROTO_SCTP ||
	       protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

/* The tuple in the order of the specification: the smaller address first, then the smaller port. */
static size_t tuple(const struct pv_conversation *c, uint8_t out[static 40])
{
	const struct pv_flow *f = c->flow;
	uint16_t ports[2] = { (uint16_t)c->local.port, (uint16_t)c->remote.port };
	size_t n = c->family == AF_INET ? 4 : 16, len = 2;
	int order = memcmp(c->local.addr, c->remote.addr, n);
	bool is_one_way = false;

	if (f->ip_proto == IPPROTO_ICMP)
		is_one_way = icmp_ports(f, icmp_pairs, sizeof(icmp_pairs) / 2, ports);
	else if (f->ip_proto == IPPROTO_ICMPV6)
		is_one_way = icmp_ports(f, icmp6_pairs, sizeof(icmp6_pairs) / 2, ports);
	memset(out, 0, 40);
	if (!is_one_way && (order > 0 || (order == 0 && ports[0] > ports[1]))) {
		uint16_t port = ports[0];

		len += put_end(out + len, c->remote.addr, n);
		len += put_end(out + len, c->local.addr, n);
		ports[0] = ports[1];
		ports[1] = port;
	} else {
		len += put_end(out + len, c->local.addr, n);
		len += put_end(out + len, c->remote.addr, n);
	}
	out[len] = f->ip_proto;
	len += 2; /* and a byte of padding */
	if (has_ports(f->ip_proto)) {
		len += put_port(out + len, ports[0]);
		len += put_port(out + len, ports[1]);
	}
	return len;
}

/*
 * The first digest reads the library's configuration: a program that gives up opening files later
 * has it behind it then.
 */
static bool sha1(const uint8_t *input, size_t len, uint8_t digest[static EVP_MAX_MD_SIZE])
{
	const struct crypto_api *api = crypto_api();
	unsigned n = 0;

	return api && api->EVP_Digest(input, len, digest, &n, api->EVP_sha1(), NULL) == 1 &&
	       n == 20;
}

int snapshot_prepare_digest(void)
{
	uint8_t digest[EVP_MAX_MD_SIZE];

	return sha1((const uint8_t *)"", 0, digest) ? 0 : -ENOSYS;
}

bool pv_conversation_community_id(const struct pv_conversation *c, char ret_id[PV_COMMUNITY_ID_MAX])
{
	uint8_t input[40], digest[EVP_MAX_MD_SIZE];

	if (!c->flow || (c->family != AF_INET && c->family != AF_INET6) || !c->flow->ip_proto)
		return false;
	if (!sha1(input, tuple(c, input), digest))
		return false;
	memcpy(ret_id, "1:", 2);
	crypto_api()->EVP_EncodeBlock((unsigned char *)ret_id + 2, digest, 20);
	return true;
}
