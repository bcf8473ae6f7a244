/* SPDX-License-Identifier: MIT */
/* Rules about a conversation that nothing explains, by the verdict of others. */
#include <string.h>
#include <sys/socket.h>

#include "base/inet.h"
#include "judge/judge-internal.h"

#define GENERATIONS_MAX 256

static uint64_t end_hash(const struct pv_conversation *c, const struct pv_endpoint *end)
{
	uint64_t h =
		map_mix((uint64_t)c->netns << 32 | (uint64_t)c->proto << 16 | c->family, end->port);

	for (size_t i = 0; i < (c->family == AF_INET ? 4 : 16); i++)
		h = map_mix(h, end->addr[i]);
	return h;
}

static bool same_end(const struct pv_endpoint *a, const struct pv_endpoint *b, uint8_t family)
{
	return a->port == b->port && !memcmp(a->addr, b->addr, family == AF_INET ? 4 : 16);
}

static bool is_explained(const struct pv_conversation *c)
{
	return c->verdict == PV_VERDICT_EXPLAINED;
}

/* A value of judge.talks that is no row: others talk to that end, too. */
#define TALK_OF_OTHERS (MAP_NONE - 1)

static bool is_clients(const struct pv_conversation *c)
{
	return c->remote.port &&
	       (c->direction == PV_DIR_OUTGOING || c->direction == PV_DIR_UNKNOWN);
}

/* Where explained programs of this host, and nobody else of it, talk to. */
int follow_index(struct judge *j)
{
	int r = 0;

	for (size_t i = 0; r >= 0 && i < j->s->n_rows; i++) {
		const struct pv_conversation *c = snapshot_row(j->s, i);
		uint32_t ignored;

		if (!is_clients(c) || c->owner_reason == PV_REASON_TIME_WAIT)
			continue;
		if (!is_explained(c))
			r = map_put(&j->talks, end_hash(c, &c->remote), TALK_OF_OTHERS);
		else if (c->n_holders)
			r = map_insert(&j->talks, end_hash(c, &c->remote), (uint32_t)i, &ignored);
	}
	return r < 0 ? r : 0;
}

static bool covers(const struct pv_conversation *listener, const struct pv_conversation *c,
		   const struct pv_endpoint *end)
{
	if (inet_is_any(listener->family, listener->local.addr))
		return listener->family == c->family || listener->family == AF_INET6;
	return listener->family == c->family && same_end(&listener->local, end, c->family);
}

/*
 * The listener an end of this row belongs to: the one at its very address before one at every
 * address, as the kernel chooses; NULL = none here.
 */
static const struct pv_conversation *
listener_at(const struct judge *j, const struct pv_conversation *c, const struct pv_endpoint *end)
{
	const struct pv_conversation *found = NULL;
	uint64_t key = (uint64_t)c->netns << 32 | (uint64_t)c->proto << 16 | (end->port & 0xffff);
	uint32_t i = map_get(&j->listeners, key);

	for (i = i == MAP_NONE ? 0 : i; i; i = j->next_listener[i - 1]) {
		const struct pv_conversation *l = snapshot_row(j->s, i - 1);

		if (!covers(l, c, end))
			continue;
		if (!inet_is_any(l->family, l->local.addr))
			return l;
		/* of several at one port none is more likely: all have to be explained */
		if (!found || is_explained(found))
			found = l;
	}
	return found;
}

static void say_end(struct judge_case *k, const char *what, const struct pv_endpoint *end)
{
	struct pv_bytes value = { 0 };
	struct buf b = BUF_INIT;

	buf_puts(&b, what);
	if (k->c->family == AF_INET6)
		buf_putc(&b, '[');
	inet_put(&b, k->c->family, end->addr);
	buf_puts(&b, k->c->family == AF_INET6 ? "]:" : ":");
	buf_u64(&b, end->port);
	if (!buf_error(&b))
		snapshot_bytes(k->j->s, &value, b.data, b.len);
	buf_deinit(&b);
	case_say(k, "end", value);
}

/* With both addresses the same, or of the loopback network, the other end is of this host, too. */
static bool has_both_ends(const struct pv_conversation *c)
{
	return inet_is_loopback(c->family, c->remote.addr) ||
	       !memcmp(c->local.addr, c->remote.addr, c->family == AF_INET ? 4 : 16);
}

/* Was it ended by both sides, so that nothing can be sent any more? */
static bool is_over(const struct pv_conversation *c)
{
	return c->owner_reason == PV_REASON_TIME_WAIT;
}

static bool is_remains_at(struct judge_case *k, const struct pv_endpoint *end)
{
	const struct pv_conversation *l = listener_at(k->j, k->c, end);

	if (!l || !is_explained(l))
		return false;
	say_end(k, "the service at ", end);
	return true;
}

static bool is_remains_of_client(struct judge_case *k)
{
	uint32_t i = map_get(&k->j->talks, end_hash(k->c, &k->c->remote));
	const struct pv_conversation *c = i >= TALK_OF_OTHERS ? NULL : snapshot_row(k->j->s, i);

	if (!c || !is_clients(k->c) || c->netns != k->c->netns || c->proto != k->c->proto ||
	    c->family != k->c->family || !same_end(&c->remote, &k->c->remote, c->family))
		return false;
	say_end(k, "a program here that talks to ", &k->c->remote);
	return true;
}

/*
 * The kernel keeps neither process, user nor control group of what is in TIME_WAIT (Linux 6.18).
 * Who listens at the local end had it: while there is a listener nobody else can bind to its port
 * (but the same user, with SO_REUSEPORT). Whom a client's end belonged to is not proven by whom it
 * talked to, so that is taken for it only when it is over, never when it still delivers.
 */
bool test_remains(struct judge_case *k)
{
	if (k->c->n_holders || (!is_over(k->c) && k->c->owner_reason != PV_REASON_ORPHAN))
		return false;
	if (listener_at(k->j, k->c, &k->c->local))
		return is_remains_at(k, &k->c->local);
	if (!is_over(k->c))
		return false;
	return (has_both_ends(k->c) && is_remains_at(k, &k->c->remote)) || is_remains_of_client(k);
}

bool test_in_queue(struct judge_case *k)
{
	const struct pv_conversation *l;

	if (k->c->n_holders || (k->c->owner_reason != PV_REASON_SYN_RECV &&
				k->c->owner_reason != PV_REASON_NOT_ACCEPTED))
		return false;
	l = listener_at(k->j, k->c, &k->c->local);
	if (!l || !is_explained(l))
		return false;
	say_end(k, "the service at ", &k->c->local);
	return true;
}

/*
 * What comes from a port that sshd or a proxy forwards comes from somewhere else: who was started
 * by it talks to nobody that is known.
 */
static bool is_forwarder(const struct judge *j, uint32_t process)
{
	const struct subject *subject = &j->subjects[process];
	struct pv_bytes name;

	if (subject->program == MAP_NONE)
		return true;
	name = program_name(&j->programs.items[subject->program]);
	return kind_is_forwarder(&name);
}

/*
 * The holder of the other end that is a forefather of this process. Everything descends from the
 * first process, which makes it nobody's in particular.
 */
static const struct pv_process *forefather(const struct judge_case *k,
					   const struct pv_conversation *peer)
{
	const struct pv_snapshot *s = k->j->s;
	uint32_t parent = k->subject->p->parent;

	for (int n = 0; parent && n < GENERATIONS_MAX; n++) {
		const struct pv_process *p = pv_snapshot_process(s, parent - 1);

		for (uint32_t i = 0; p->pid != 1 && i < peer->n_holders; i++)
			if (pv_snapshot_holder(s, peer, i)->process == parent - 1)
				return is_forwarder(k->j, parent - 1) ? NULL : p;
		parent = p->parent;
	}
	return NULL;
}

bool test_descendant(struct judge_case *k)
{
	const struct pv_conversation *peer = pv_snapshot_peer(k->j->s, k->c);
	const struct pv_process *p;

	if (!k->subject || k->c->n_holders != 1 || !peer || !is_explained(peer) ||
	    k->c->direction != PV_DIR_OUTGOING)
		return false;
	p = forefather(k, peer);
	if (!p)
		return false;
	case_say(k, "peer", p->comm);
	case_number(k, "peer_pid", (uint64_t)p->pid);
	return true;
}
