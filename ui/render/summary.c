/* SPDX-License-Identifier: MIT */
/*
 * Counts instead of rows. A socket counts once per process that holds it under "process", else
 * once everywhere. "group" is about the port that names the service.
 *
 * Ephemeral ports: the kernel can use each local port once towards one remote socket, so the range
 * runs out per remote socket, not per host.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include <portavoz/registry.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "base/inet.h"
#include "base/map.h"
#include "base/vec.h"
#include "ui/render/render.h"
#include "ui/text/escape.h"

#define TOP 10 /* rows of an open-ended section, for people */

struct count {
	const char *name;
	uint64_t n;
};

struct process_count {
	const struct pv_process *process;
	uint64_t n;
};

struct remote_count {
	const struct pv_conversation *example; /* any that has this remote socket */
	uint32_t ports;			       /* distinct local ephemeral ports */
	uint32_t range;			       /* ports of the range that may be picked */
	uint32_t next;			       /* with the same hash; MAP_NONE = none */
};

struct summary {
	const struct pv_snapshot *snapshot;
	struct column_context context;
	uint64_t protocols[PV_PROTO_N], groups[PV_GROUP_N], reasons[PV_REASON_N];
	uint64_t states[PV_STATE_N], unconnected;
	VEC(struct count) services;
	VEC(struct process_count) processes;
	VEC(struct remote_count) remotes;
	struct map service_index, process_index, remote_index, ports;
};

static void cleanup_summary(struct summary *s)
{
	vec_deinit(&s->services);
	vec_deinit(&s->processes);
	vec_deinit(&s->remotes);
	map_deinit(&s->service_index);
	map_deinit(&s->process_index);
	map_deinit(&s->remote_index);
	map_deinit(&s->ports);
}

/* ---- counting ---- */

static int count_service(struct summary *s, const struct pv_conversation *c)
{
	uint32_t port = pv_snapshot_service_port(s->snapshot, c);
	const char *name = port ? column_service(&s->context, c) : NULL;
	uint32_t index = (uint32_t)s->services.n;
	int r;

	if (port && port <= UINT16_MAX)
		s->groups[pv_port_group((uint16_t)port)]++;
	if (!name)
		return 0;
	r = map_insert(&s->service_index, (uintptr_t)name, index, &index);
	if (r == 0)
		r = vec_push(&s->services, ((struct count){ name, 0 }));
	if (r >= 0)
		s->services.items[index].n++;
	return r < 0 ? r : 0;
}

static int count_processes(struct summary *s, const struct pv_conversation *c)
{
	uint32_t last = UINT32_MAX;

	for (uint32_t i = 0; i < c->n_holders; i++) {
		uint32_t process = pv_snapshot_holder(s->snapshot, c, i)->process;
		uint32_t index = (uint32_t)s->processes.n;
		int r;

		if (process == last)
			continue;
		last = process;
		r = map_insert(&s->process_index, process, index, &index);
		if (r == 0)
			r = vec_push(&s->processes,
				     ((struct process_count){
					     pv_snapshot_process(s->snapshot, process), 0 }));
		if (r < 0)
			return r;
		s->processes.items[index].n++;
	}
	return 0;
}

static bool same_remote(const struct pv_conversation *a, const struct pv_conversation *b)
{
	return a->proto == b->proto && a->family == b->family && a->netns == b->netns &&
	       a->remote.port == b->remote.port &&
	       !memcmp(a->remote.addr, b->remote.addr, a->family == AF_INET6 ? 16 : 4);
}

static uint64_t remote_key(const struct pv_conversation *c)
{
	uint64_t words[2] = { 0 };

	memcpy(words, c->remote.addr, c->family == AF_INET6 ? 16 : 4);
	return map_mix(
		map_mix(map_mix(c->netns, (uint64_t)c->proto << 32 | c->remote.port), words[0]),
		words[1]);
}

static uint32_t range_size(const struct pv_netns *n)
{
	uint32_t size = 0;

	for (uint32_t port = n->ephemeral_first; port && port <= n->ephemeral_last; port++)
		size += pv_netns_is_ephemeral(n, port);
	return size;
}

/* Index of the remote socket of c, made when it is new; or -ENOMEM. */
static int64_t find_remote(struct summary *s, const struct pv_conversation *c)
{
	uint64_t key = remote_key(c);
	uint32_t first = map_get(&s->remote_index, key), index;
	struct remote_count new = { .example = c, .next = first };

	for (index = first; index != MAP_NONE; index = s->remotes.items[index].next)
		if (same_remote(s->remotes.items[index].example, c))
			return index;
	index = (uint32_t)s->remotes.n;
	if (map_put(&s->remote_index, key, index) < 0 || vec_push(&s->remotes, new) < 0)
		return -ENOMEM;
	return index;
}

static int count_ephemeral(struct summary *s, const struct pv_conversation *c)
{
	int64_t remote;
	uint32_t ignored;
	int r;

	/* who was called did not pick its port for this conversation */
	if (c->proto > PV_PROTO_DCCP || !c->remote.port || c->direction == PV_DIR_INCOMING ||
	    !pv_netns_is_ephemeral(pv_snapshot_netns(s->snapshot, c->netns), c->local.port))
		return 0;
	remote = find_remote(s, c);
	if (remote < 0)
		return (int)remote;
	r = map_insert(&s->ports, (uint64_t)remote << 16 | c->local.port, 0, &ignored);
	if (r == 0)
		s->remotes.items[remote].ports++;
	return r < 0 ? r : 0;
}

static int count_row(struct summary *s, const struct pv_conversation *c)
{
	int r;

	s->protocols[c->proto < PV_PROTO_N ? c->proto : 0]++;
	if (!strcmp(pv_state_name(c->proto, c->state), "UNCONNECTED"))
		s->unconnected++;
	else
		s->states[c->state < PV_STATE_N ? c->state : 0]++;
	if (!c->n_holders && c->owner_reason < PV_REASON_N)
		s->reasons[c->owner_reason]++;
	r = count_service(s, c);
	if (r == 0)
		r = count_processes(s, c);
	return r == 0 ? count_ephemeral(s, c) : r;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct count *)a)->name, ((const struct count *)b)->name);
}

static int descending(uint64_t a, uint64_t b)
{
	return (a < b) - (a > b);
}

static int by_count(const void *a, const void *b)
{
	int d = descending(((const struct count *)a)->n, ((const struct count *)b)->n);

	return d ? d : by_name(a, b);
}

static int by_sockets(const void *a, const void *b)
{
	const struct process_count *x = a, *y = b;
	int d = descending(x->n, y->n);

	return d ? d : descending((uint32_t)y->process->pid, (uint32_t)x->process->pid);
}

static int by_ports(const void *a, const void *b)
{
	const struct remote_count *x = a, *y = b;

	return descending(x->ports, y->ports);
}

/* One name may stand for several transports. */
static void merge_services(struct summary *s)
{
	size_t kept = 0;

	if (!s->services.n)
		return;
	qsort(s->services.items, s->services.n, sizeof(*s->services.items), by_name);
	for (size_t i = 1; i < s->services.n; i++) {
		if (!by_name(&s->services.items[kept], &s->services.items[i]))
			s->services.items[kept].n += s->services.items[i].n;
		else
			s->services.items[++kept] = s->services.items[i];
	}
	s->services.n = kept + 1;
	qsort(s->services.items, s->services.n, sizeof(*s->services.items), by_count);
}

static int summarize(struct summary *s)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < pv_snapshot_count(s->snapshot); i++)
		r = count_row(s, pv_snapshot_get(s->snapshot, i));
	if (r < 0)
		return r;
	merge_services(s);
	for (size_t i = 0; i < s->remotes.n; i++) {
		struct remote_count *rc = &s->remotes.items[i];

		/* neighbours mostly share their namespace */
		rc->range =
			i && rc->example->netns == rc[-1].example->netns
				? rc[-1].range
				: range_size(pv_snapshot_netns(s->snapshot, rc->example->netns));
	}
	if (s->processes.n)
		qsort(s->processes.items, s->processes.n, sizeof(*s->processes.items), by_sockets);
	if (s->remotes.n)
		qsort(s->remotes.items, s->remotes.n, sizeof(*s->remotes.items), by_ports);
	return 0;
}

/* ---- writing ---- */

struct sheet {
	struct buf out, label;
	enum render_format format;
	unsigned flags; /* of text_put() */
	size_t section_rows, section_more;
	const char *section;
};

/* In JSON an object of names and counts, or an array, by the bracket. */
static void begin_section(struct sheet *sh, const char *section, char bracket)
{
	sh->section = section;
	sh->section_rows = sh->section_more = 0;
	if (sh->format == RENDER_JSON)
		buf_printf(&sh->out, ",\n\"%s\":%c", section, bracket);
}

static void end_section(struct sheet *sh, char bracket)
{
	if (sh->format == RENDER_JSON)
		buf_putc(&sh->out, bracket);
	else if (sh->format == RENDER_TABLE && sh->section_more)
		buf_printf(&sh->out, "  and %zu more\n", sh->section_more);
}

static void begin_text_row(struct sheet *sh)
{
	if (!sh->section_rows)
		buf_printf(&sh->out, "%s\n", sh->section);
	buf_puts(&sh->out, "  ");
}

/* A row for people or CSV: what is in `label`, and its count. */
static void put_label(struct sheet *sh, uint64_t n)
{
	size_t width = buf_error(&sh->label) ? 0 : text_width(sh->label.data, sh->label.len);

	if (sh->format == RENDER_CSV) {
		buf_printf(&sh->out, "%s,", sh->section);
		text_put_csv(&sh->out, sh->label.data, sh->label.len);
		buf_putc(&sh->out, ',');
		buf_u64(&sh->out, n);
		buf_putc(&sh->out, '\n');
	} else {
		begin_text_row(sh);
		buf_put(&sh->out, sh->label.data, sh->label.len);
		buf_pad(&sh->out, ' ', width < 32 ? 32 - width : 1);
		buf_printf(&sh->out, "%8llu", (unsigned long long)n);
	}
	buf_clear(&sh->label);
	sh->section_rows++;
}

static void end_label(struct sheet *sh)
{
	if (sh->format == RENDER_TABLE)
		buf_putc(&sh->out, '\n');
}

static void put_count(struct sheet *sh, const char *name, uint64_t n)
{
	if (!n)
		return;
	if (sh->format == RENDER_JSON) {
		buf_puts(&sh->out, sh->section_rows++ ? "," : "");
		text_put_json(&sh->out, name, strlen(name));
		buf_putc(&sh->out, ':');
		buf_u64(&sh->out, n);
		return;
	}
	text_put(&sh->label, name, strlen(name), sh->flags);
	put_label(sh, n);
	end_label(sh);
}

/* true when an open-ended section has enough rows for people */
static bool is_enough(struct sheet *sh)
{
	if (sh->format != RENDER_TABLE || sh->section_rows < TOP)
		return false;
	sh->section_more++;
	return true;
}

static void put_fixed_sections(struct sheet *sh, const struct summary *s)
{
	begin_section(sh, "protocol", '{');
	for (int i = 0; i < PV_PROTO_N; i++)
		put_count(sh, pv_proto_name((enum pv_proto)i), s->protocols[i]);
	end_section(sh, '}');
	begin_section(sh, "state", '{');
	for (int i = 0; i < PV_STATE_N; i++)
		put_count(sh, pv_state_name(PV_PROTO_TCP, (enum pv_state)i), s->states[i]);
	put_count(sh, "UNCONNECTED", s->unconnected);
	end_section(sh, '}');
	begin_section(sh, "group", '{');
	for (int i = 0; i < PV_GROUP_N; i++)
		put_count(sh, pv_port_group_name((enum pv_port_group)i), s->groups[i]);
	end_section(sh, '}');
	begin_section(sh, "service", '{');
	for (size_t i = 0; i < s->services.n; i++)
		if (!is_enough(sh))
			put_count(sh, s->services.items[i].name, s->services.items[i].n);
	end_section(sh, '}');
	begin_section(sh, "unowned", '{');
	for (int i = PV_REASON_NONE + 1; i < PV_REASON_N; i++)
		put_count(sh, pv_reason_name((enum pv_reason)i), s->reasons[i]);
	end_section(sh, '}');
}

static void put_process(struct sheet *sh, const struct process_count *pc)
{
	const struct pv_process *p = pc->process;

	if (sh->format == RENDER_JSON) {
		buf_printf(&sh->out, "%s{\"pid\":%d,\"comm\":", sh->section_rows++ ? "," : "",
			   p->pid);
		text_put_json(&sh->out, p->comm.data, p->comm.len);
		buf_printf(&sh->out, ",\"sockets\":%llu}", (unsigned long long)pc->n);
		return;
	}
	text_put(&sh->label, p->comm.data, p->comm.len, sh->flags | TEXT_LIST);
	buf_printf(&sh->label, "(%d)", p->pid);
	put_label(sh, pc->n);
	end_label(sh);
}

static void put_remote_json(struct sheet *sh, const struct summary *s,
			    const struct remote_count *rc)
{
	const struct pv_conversation *c = rc->example;
	const struct pv_netns *n = pv_snapshot_netns(s->snapshot, c->netns);

	buf_printf(&sh->out, "%s{\"proto\":\"%s\",\"netns\":%llu,\"remote_addr\":\"",
		   sh->section_rows++ ? "," : "", pv_proto_name(c->proto),
		   (unsigned long long)n->inode);
	inet_put(&sh->out, c->family, c->remote.addr);
	buf_printf(&sh->out,
		   "\",\"remote_port\":%u,\"used\":%u,\"range\":%u,\"range_first\":%u,"
		   "\"range_last\":%u}",
		   c->remote.port, rc->ports, rc->range, n->ephemeral_first, n->ephemeral_last);
}

static void put_remote(struct sheet *sh, const struct summary *s, const struct remote_count *rc)
{
	const struct pv_conversation *c = rc->example;
	uint64_t permille = rc->range ? 1000 * (uint64_t)rc->ports / rc->range : 0;

	if (sh->format == RENDER_JSON) {
		put_remote_json(sh, s, rc);
		return;
	}
	buf_printf(&sh->label, "%s %s", pv_proto_name(c->proto), c->family == AF_INET6 ? "[" : "");
	inet_put(&sh->label, c->family, c->remote.addr);
	buf_printf(&sh->label, "%s:%u", c->family == AF_INET6 ? "]" : "", c->remote.port);
	put_label(sh, rc->ports);
	if (sh->format == RENDER_TABLE)
		buf_printf(&sh->out, " of %u (%llu.%llu %%)", rc->range,
			   (unsigned long long)permille / 10, (unsigned long long)permille % 10);
	end_label(sh);
}

static void put_sheet(struct sheet *sh, const struct summary *s)
{
	size_t total = pv_snapshot_count(s->snapshot);

	if (sh->format == RENDER_JSON) {
		buf_puts(&sh->out, "{\"schema\":1,\"coverage\":");
		render_coverage_json(pv_snapshot_coverage(s->snapshot), &sh->out);
		buf_printf(&sh->out, ",\n\"sockets\":%zu", total);
	} else {
		buf_printf(&sh->out,
			   sh->format == RENDER_CSV ? "kind,name,count\nsockets,,%zu\n"
						    : "sockets%35zu\n",
			   total);
	}
	put_fixed_sections(sh, s);
	begin_section(sh, "process", '[');
	for (size_t i = 0; i < s->processes.n; i++)
		if (!is_enough(sh))
			put_process(sh, &s->processes.items[i]);
	end_section(sh, ']');
	begin_section(sh, "ephemeral", '[');
	for (size_t i = 0; i < s->remotes.n; i++)
		if (!is_enough(sh))
			put_remote(sh, s, &s->remotes.items[i]);
	end_section(sh, ']');
	if (sh->format == RENDER_JSON)
		buf_puts(&sh->out, "}\n");
}

int render_summary(const struct pv_snapshot *snapshot, enum render_format format, bool ascii,
		   int fd)
{
	_cleanup_(cleanup_summary) struct summary s = { .snapshot = snapshot,
							.context = { .snapshot = snapshot } };
	struct sheet sh = { .format = format == RENDER_JSONL ? RENDER_JSON : format,
			    .flags = ascii ? TEXT_ASCII : 0 };
	int r = summarize(&s);

	sh.flags |= format == RENDER_TABLE ? TEXT_WORD | TEXT_FIELD : TEXT_FIELD;
	if (r == 0) {
		put_sheet(&sh, &s);
		r = buf_error(&sh.label) ? buf_error(&sh.label) : buf_error(&sh.out);
	}
	if (r == 0)
		r = fd_write_all(fd, sh.out.data, sh.out.len);
	buf_deinit(&sh.out);
	buf_deinit(&sh.label);
	return r;
}
