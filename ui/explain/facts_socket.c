/* SPDX-License-Identifier: MIT */
/* A socket: what it is, who opened it, who holds it, where the other end is. */
#include <string.h>
#include <sys/socket.h>

#include "base/inet.h"
#include "ui/columns/columns.h"
#include "ui/explain/facts.h"

#define HOLDERS_SHOWN 4

static bool is_unix(const struct pv_conversation *c)
{
	return c->proto == PV_PROTO_UNIX;
}

static bool has_remote(const struct pv_conversation *c)
{
	return is_unix(c) ? c->peer_inode || c->peer : c->remote.port != 0;
}

static struct value proto_of(const struct pv_conversation *c)
{
	return value_text("proto", pv_proto_name((enum pv_proto)c->proto));
}

static bool is_stream(const struct pv_conversation *c)
{
	return c->proto == PV_PROTO_TCP || c->proto == PV_PROTO_MPTCP ||
	       c->proto == PV_PROTO_SCTP || c->proto == PV_PROTO_DCCP;
}

/* --- what it is --- */

static void say_title(struct explanation *e, const struct pv_conversation *c)
{
	struct value local = value_end(VALUE_LOCAL, c);

	if (c->state == PV_STATE_LISTEN)
		SAY(e, title_listener, proto_of(c), local);
	else if (has_remote(c))
		SAY(e, title_conversation, proto_of(c), local, value_end(VALUE_REMOTE, c));
	else
		SAY(e, title_socket, proto_of(c), local);
}

static void say_exposure(struct explanation *e, const struct pv_conversation *c)
{
	if (is_unix(c))
		SAY(e, listens_path);
	else if (inet_is_any(c->family, c->local.addr))
		SAY(e, listens_anywhere);
	else if (inet_is_loopback(c->family, c->local.addr))
		SAY(e, listens_loopback);
	else
		SAY(e, listens_address);
}

static void say_queue(struct explanation *e, const struct pv_conversation *c)
{
	struct value n = value_number("n", c->recv_q), max = value_number("max", c->send_q);

	/* the kernel drops when more wait than the backlog says (sk_acceptq_is_full) */
	if (c->recv_q > c->send_q)
		SAY(e, queue_full, n, max);
	else if (!c->recv_q)
		SAY(e, queue_empty, max);
	else
		SAY(e, queue_waits, n, max);
}

static void say_listener(struct explanation *e, const struct pv_conversation *c)
{
	say_exposure(e, c);
	if (is_stream(c) || is_unix(c))
		say_queue(e, c);
}

static void say_time_wait(struct explanation *e, const struct pv_conversation *c)
{
	if (c->timer == PV_TIMER_TIMEWAIT && c->timer_ms)
		SAY(e, state_time_wait_left, value_ms("ms", c->timer_ms));
	else
		SAY(e, state_time_wait);
}

static void say_stream_state(struct explanation *e, const struct pv_conversation *c)
{
	static const enum sentence_id ids[PV_STATE_N] = {
		[PV_STATE_ESTABLISHED] = SAYS_state_established,
		[PV_STATE_SYN_SENT] = SAYS_state_syn_sent,
		[PV_STATE_SYN_RECV] = SAYS_state_syn_recv,
		[PV_STATE_NEW_SYN_RECV] = SAYS_state_syn_recv,
		[PV_STATE_FIN_WAIT1] = SAYS_state_fin_wait1,
		[PV_STATE_FIN_WAIT2] = SAYS_state_fin_wait2,
		[PV_STATE_CLOSE] = SAYS_bound_idle,
		[PV_STATE_CLOSE_WAIT] = SAYS_state_close_wait,
		[PV_STATE_LAST_ACK] = SAYS_state_last_ack,
		[PV_STATE_CLOSING] = SAYS_state_closing,
	};
	const struct value none = { 0 };

	if (c->state == PV_STATE_TIME_WAIT)
		say_time_wait(e, c);
	else if (c->state < PV_STATE_N && ids[c->state])
		explanation_say(e, ids[c->state], &none);
}

static void say_unix_name(struct explanation *e, const struct pv_conversation *c)
{
	if (!c->path || !c->path->len)
		SAY(e, unnamed);
	else if (!c->path->data[0])
		SAY(e, abstract);
}

static void say_state(struct explanation *e, const struct pv_conversation *c)
{
	if (is_unix(c))
		say_unix_name(e, c);
	if (c->state == PV_STATE_LISTEN)
		say_listener(e, c);
	else if (is_stream(c) || (is_unix(c) && c->state == PV_STATE_ESTABLISHED))
		say_stream_state(e, c);
	else if (c->proto == PV_PROTO_UDP || c->proto == PV_PROTO_UDPLITE)
		explanation_say(e,
				c->remote.port ? SAYS_connected_datagrams : SAYS_receives_datagrams,
				&(const struct value){ 0 });
	explain_exposure(e, c);
	if (c->shutdown & 1)
		SAY(e, shut_receive);
	if (c->shutdown & 2)
		SAY(e, shut_send);
}

static void say_interface(struct explanation *e, const struct pv_conversation *c)
{
	const char *name =
		c->ifindex ? pv_snapshot_netns_ifname(e->snapshot, c->netns, c->ifindex) : NULL;

	if (name)
		SAY(e, listens_interface,
		    value_name("interface", (struct pv_bytes){ name, (uint32_t)strlen(name) }));
}

/* Of the one that everything here is in nothing need be said. */
static void say_netns(struct explanation *e, const struct pv_conversation *c)
{
	const struct pv_netns *n = pv_snapshot_netns(e->snapshot, c->netns);

	if (n->name.len && (!n->is_own || n->name_by == PV_NETNS_BY_NAME))
		SAY(e, in_netns, value_name("netns", n->name));
}

/* --- who opened it --- */

static void say_direction(struct explanation *e, const struct pv_conversation *c)
{
	static const enum sentence_id ids[PV_DIR_N][PV_BY_N] = {
		[PV_DIR_INCOMING] = { [PV_BY_STATE] = SAYS_opened_there_state,
				      [PV_BY_LISTENER] = SAYS_opened_there_listener,
				      [PV_BY_CONNTRACK] = SAYS_opened_there_conntrack,
				      [PV_BY_PORTS] = SAYS_opened_there_ports },
		[PV_DIR_OUTGOING] = { [PV_BY_STATE] = SAYS_opened_here_state,
				      [PV_BY_PEER_LISTENER] = SAYS_opened_here_peer_listener,
				      [PV_BY_CONNTRACK] = SAYS_opened_here_conntrack,
				      [PV_BY_PORTS] = SAYS_opened_here_ports },
	};
	const struct pv_translation *t = pv_snapshot_translation(e->snapshot, c);
	bool is_peer = c->direction_by == PV_BY_PEER_LISTENER;
	uint32_t peer_port = t ? t->remote.port : c->remote.port;
	const struct value values[] = {
		value_number("port", is_peer ? peer_port : c->local.port),
		value_number("remote_port", c->remote.port),
		{ 0 },
	};
	enum sentence_id id = c->direction < PV_DIR_N && c->direction_by < PV_BY_N
				      ? ids[c->direction][c->direction_by]
				      : 0;

	if (!pv_proto_is_inet((enum pv_proto)c->proto) || !c->remote.port)
		return;
	if (id)
		explanation_say(e, id, values);
	else
		SAY(e, opened_unknown);
}

static void say_service(struct explanation *e, const struct pv_conversation *c)
{
	struct column_context context = { .snapshot = e->snapshot, .needs = e->needs };
	const struct pv_netns *n = pv_snapshot_netns(e->snapshot, c->netns);
	const char *service;

	if (!pv_proto_is_inet((enum pv_proto)c->proto) || c->proto == PV_PROTO_RAW ||
	    c->proto == PV_PROTO_PING)
		return;
	service = column_service(&context, c);
	if (service)
		SAY(e, service_claim,
		    value_number("port", pv_snapshot_service_port(e->snapshot, c)),
		    value_text("service", service));
	if (pv_netns_is_ephemeral(n, c->local.port))
		SAY(e, local_ephemeral, value_number("port", c->local.port),
		    value_number("first", n->ephemeral_first),
		    value_number("last", n->ephemeral_last));
}

/* --- who holds it --- */

static bool is_unknown(uint8_t reason)
{
	switch ((enum pv_reason)reason) {
	case PV_REASON_TIME_WAIT:
	case PV_REASON_SYN_RECV:
	case PV_REASON_NOT_ACCEPTED:
	case PV_REASON_ORPHAN:
	case PV_REASON_KERNEL:
		return false;
	default:
		return true;
	}
}

static struct value reason_of(const struct pv_conversation *c)
{
	return value_message("reason", pv_reason_text((enum pv_reason)c->owner_reason));
}

static const struct pv_process *holder_process(const struct explanation *e,
					       const struct pv_conversation *c, uint32_t n)
{
	return pv_snapshot_process(e->snapshot, pv_snapshot_holder(e->snapshot, c, n)->process);
}

static void say_holders(struct explanation *e, const struct pv_conversation *c)
{
	for (uint32_t i = 0; i < c->n_holders && i < HOLDERS_SHOWN; i++) {
		struct value p = value_process("process", holder_process(e, c, i));
		struct value fd =
			value_number("fd", (uint64_t)pv_snapshot_holder(e->snapshot, c, i)->fd);

		if (i)
			SAY(e, held_also, p, fd);
		else
			SAY(e, held, p, fd);
	}
	if (c->n_holders > HOLDERS_SHOWN)
		SAY(e, held_more, value_number("n", c->n_holders - HOLDERS_SHOWN));
	if (c->n_holders)
		return;
	if (is_unknown(c->owner_reason))
		SAY(e, held_unknown, reason_of(c));
	else
		SAY(e, held_by_nobody, reason_of(c));
}

static void say_user(struct explanation *e, const struct pv_conversation *c)
{
	const char *name = c->uid == UINT32_MAX ? NULL : pv_snapshot_user(e->snapshot, c->uid);

	if (!c->inode || c->uid == UINT32_MAX)
		return;
	if (name)
		SAY(e, socket_user,
		    value_name("user", (struct pv_bytes){ name, (uint32_t)strlen(name) }),
		    value_number("uid", c->uid));
	else
		SAY(e, socket_uid, value_number("uid", c->uid));
}

static bool is_named(const struct pv_netns *n)
{
	return n->name.len != 0;
}

static void say_peer_found(struct explanation *e, const struct pv_conversation *c,
			   const struct pv_conversation *peer)
{
	const struct pv_netns *n = pv_snapshot_netns(e->snapshot, peer->netns);
	bool is_far = peer->netns != c->netns && is_named(n);

	if (is_far && peer->n_holders)
		SAY(e, peer_held_netns, value_process("process", holder_process(e, peer, 0)),
		    value_name("netns", n->name));
	else if (is_far)
		SAY(e, peer_not_held_netns, reason_of(peer), value_name("netns", n->name));
	else if (peer->n_holders)
		SAY(e, peer_held, value_process("process", holder_process(e, peer, 0)));
	else
		SAY(e, peer_not_held, reason_of(peer));
}

static void say_peer(struct explanation *e, const struct pv_conversation *c)
{
	const struct pv_conversation *peer = pv_snapshot_peer(e->snapshot, c);
	uint32_t n = pv_snapshot_peer_candidates(e->snapshot, c);

	explain_translation(e, c);
	if (peer)
		say_peer_found(e, c, peer);
	else if (n)
		SAY(e, peer_candidates, value_number("n", n));
	else if (has_remote(c) && !is_unix(c))
		SAY(e, peer_elsewhere);
}

/* --- the rest --- */

static void say_datagrams(struct explanation *e, const struct pv_conversation *c)
{
	uint64_t drops;

	if (c->recv_q)
		SAY(e, unread, value_number("n", c->recv_q));
	if (explain_number(e, c, "drops", &drops) && drops)
		SAY(e, dropped, value_number("n", drops));
}

/* --- is it explained --- */

static void say_verdict(struct explanation *e, const struct pv_conversation *c)
{
	static const enum sentence_id verdicts[PV_VERDICT_N] = {
		[PV_VERDICT_EXPLAINED] = SAYS_verdict_explained,
		[PV_VERDICT_UNEXPLAINED] = SAYS_verdict_unexplained,
		[PV_VERDICT_SUSPICIOUS] = SAYS_verdict_suspicious,
	};
	static const enum sentence_id findings[PV_SEVERITY_N] = {
		[PV_SEVERITY_EXPLAINS] = SAYS_finding_explains,
		[PV_SEVERITY_NOTE] = SAYS_finding_note,
		[PV_SEVERITY_SUSPICIOUS] = SAYS_finding_suspicious,
	};
	size_t n;
	const struct pv_rule *rules = pv_rules(&n);

	if (c->verdict == PV_VERDICT_NONE || c->verdict >= PV_VERDICT_N)
		return;
	explanation_say(e, verdicts[c->verdict], &(const struct value){ 0 });
	if (c->verdict_is_partial)
		SAY(e, verdict_partial);
	for (uint32_t i = 0; i < c->n_findings; i++) {
		const struct pv_finding *f = pv_snapshot_finding(e->snapshot, c, i);
		const struct value values[] = { value_text("rule", rules[f->rule].id),
						value_sentence("evidence", f->evidence),
						{ 0 } };

		explanation_say(e, findings[rules[f->rule].severity], values);
	}
}

void explain_socket(struct explanation *e, const struct pv_conversation *c)
{
	bool is_tcp = c->proto == PV_PROTO_TCP || c->proto == PV_PROTO_MPTCP;

	explanation_begin(e, SECTION_SOCKET, c, NULL);
	say_title(e, c);
	say_state(e, c);
	say_interface(e, c);
	say_netns(e, c);
	say_holders(e, c);
	explain_activation(e, c);
	say_user(e, c);
	say_direction(e, c);
	say_service(e, c);
	if (has_remote(c))
		say_peer(e, c);
	if (is_tcp && c->state != PV_STATE_LISTEN && c->state != PV_STATE_TIME_WAIT)
		explain_tcp(e, c);
	else if (c->state != PV_STATE_LISTEN && !is_stream(c))
		say_datagrams(e, c);
	/* of a connection tcp_info may know it, one in TIME_WAIT is of the last minute */
	if (c->state == PV_STATE_LISTEN || !is_stream(c))
		SAY(e, age_unknown);
	say_verdict(e, c);
}

static const char *sign_of(const struct pv_conversation *c)
{
	return c->direction == PV_DIR_INCOMING	 ? "<-"
	       : c->direction == PV_DIR_OUTGOING ? "->"
						 : "--";
}

void explain_line(struct explanation *e, const struct pv_conversation *c)
{
	struct value state = value_text(
		"state", pv_state_name((enum pv_proto)c->proto, (enum pv_state)c->state));
	struct value local = value_end(VALUE_LOCAL, c), holders = value_end(VALUE_HOLDERS, c);

	if (has_remote(c))
		SAY(e, line_conversation, proto_of(c), state, local, value_text("sign", sign_of(c)),
		    value_end(VALUE_REMOTE, c), holders);
	else
		SAY(e, line_socket, proto_of(c), state, local, holders);
}
