/* SPDX-License-Identifier: MIT */
/* Rules about a conversation and one process that holds it, or nobody. */
#include <string.h>
#include <sys/socket.h>

#include <portavoz/registry.h>

#include "base/inet.h"
#include "judge/judge-internal.h"
#include "judge/known.h"

static bool is_inet(const struct judge_case *k)
{
	return pv_proto_is_inet((enum pv_proto)k->c->proto);
}

static bool is_listener(const struct pv_conversation *c)
{
	return c->state == PV_STATE_LISTEN ||
	       ((c->proto == PV_PROTO_UDP || c->proto == PV_PROTO_UDPLITE) &&
		c->state == PV_STATE_CLOSE && c->local.port);
}

/* Does nothing about the program explain it? Needs one that is known. */
static bool is_unexplained_program(const struct judge_case *k)
{
	return k->subject && k->program && !k->is_explained;
}

void case_end(struct judge_case *k, const char *name, const struct pv_conversation *c,
	      const struct pv_endpoint *end)
{
	char text[INET_TEXT_MAX + 16];
	size_t n = inet_text(c->family, end->port ? end->addr : c->remote.addr, text);
	struct pv_bytes value = { 0 };

	(void)n;
	case_say(k, name, value);
}

bool test_shell_on_socket(struct judge_case *k)
{
	static const char *const streams[] = { "standard input", "standard output",
					       "standard error" };

	if (!k->program || !is_inet(k) || k->fd < 0 || k->fd > 1 ||
	    (k->program->kind != KIND_SHELL && k->program->kind != KIND_INTERPRETER))
		return false;
	case_text(k, "stream", streams[k->fd]);
	return true;
}

bool test_views_disagree(struct judge_case *k)
{
	const struct judge_request *q = k->j->request;
	size_t low = 0, high = q->n_views;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (q->views[middle].row < k->row)
			low = middle + 1;
		else
			high = middle;
	}
	if (low == q->n_views || q->views[low].row != k->row || !q->views[low].missing)
		return false;
	case_text(k, "shown", judge_views_text(q->views[low].shown));
	case_text(k, "missing", judge_views_text(q->views[low].missing));
	return true;
}

bool test_sniffer(struct judge_case *k)
{
	if (k->c->proto != PV_PROTO_PACKET && k->c->proto != PV_PROTO_RAW)
		return false;
	case_text(k, "proto", k->c->proto == PV_PROTO_RAW ? "RAW" : "PACKET");
	return is_unexplained_program(k);
}

bool test_open_dynamic_listener(struct judge_case *k)
{
	const struct pv_conversation *c = k->c;

	if (!is_unexplained_program(k) || !is_inet(k) || !is_listener(c) ||
	    program_is_packaged(k->program) || c->local.port > UINT16_MAX ||
	    pv_port_group((uint16_t)c->local.port) != PV_GROUP_DYNAMIC ||
	    !inet_is_any(c->family, c->local.addr))
		return false;
	/* a client's datagram socket looks like a server's; its port was given to it */
	if (c->state != PV_STATE_LISTEN &&
	    pv_netns_is_ephemeral(pv_snapshot_netns(k->j->s, c->netns), c->local.port))
		return false;
	case_number(k, "port", c->local.port);
	return true;
}
