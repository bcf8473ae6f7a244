/* SPDX-License-Identifier: MIT */
/*
 * Which sockets and processes an explanation shows, so that it fits on about one screen: listeners
 * and whatever there are few of in full, the rest as a line each, up to a number.
 */
#include "ui/explain/explain.h"

#include <string.h>

#include "base/buf.h"
#include "base/cleanup.h"

#define FULL_MAX 2
#define LINES_MAX 12
#define PROCESSES_MAX 3

typedef VEC(const struct pv_conversation *) rows;

struct subject {
	struct explanation *e;
	const struct explain_query *q;
	enum explain_as as;
	rows servers, others; /* that match: those that wait, and those that talk */
	uint32_t processes[PROCESSES_MAX];
	size_t n_processes, n_left_out; /* processes shown, and holders beyond them */
};

static void subject_deinit(struct subject *s)
{
	vec_deinit(&s->servers);
	vec_deinit(&s->others);
}

static bool is_server(const struct pv_conversation *c)
{
	return c->state == PV_STATE_LISTEN || c->direction == PV_DIR_LISTEN;
}

static void find_rows(struct subject *s)
{
	const struct pv_snapshot *snapshot = s->e->snapshot;
	int r = 0;

	for (size_t i = 0; r == 0 && i < pv_snapshot_count(snapshot); i++) {
		const struct pv_conversation *c = pv_snapshot_get(snapshot, i);

		if (!explain_query_match(s->q, s->as, snapshot, c))
			continue;
		/* of a port's listeners those on that port; a remote number is no listener's */
		r = is_server(c) ? vec_push(&s->servers, c) : vec_push(&s->others, c);
	}
	if (r < 0)
		s->e->error = r;
}

static const struct pv_process *find_process(const struct pv_snapshot *s, int32_t pid)
{
	for (size_t i = 0; i < pv_snapshot_process_count(s); i++)
		if (pv_snapshot_process(s, (uint32_t)i)->pid == pid)
			return pv_snapshot_process(s, (uint32_t)i);
	return NULL;
}

static bool finds_something(const struct explain_query *q, enum explain_as as,
			    const struct pv_snapshot *snapshot)
{
	if (as == EXPLAIN_PID && find_process(snapshot, q->pid))
		return true;
	for (size_t i = 0; i < pv_snapshot_count(snapshot); i++)
		if (explain_query_match(q, as, snapshot, pv_snapshot_get(snapshot, i)))
			return true;
	return false;
}

int explain_choose(const struct explain_query *q, const struct pv_snapshot *snapshot)
{
	bool has_port = q->readings & EXPLAIN_BIT(EXPLAIN_PORT);

	/* the name of a service is a question about processes first, a number one about ports */
	if (has_port && !q->is_service)
		return EXPLAIN_PORT;
	for (int as = EXPLAIN_PID; as < EXPLAIN_AS_N; as++)
		if (q->readings & EXPLAIN_BIT(as) &&
		    finds_something(q, (enum explain_as)as, snapshot))
			return as;
	return has_port ? EXPLAIN_PORT : -1;
}

static void say_others(struct subject *s)
{
	static const enum sentence_id ids[EXPLAIN_AS_N] = {
		[EXPLAIN_PORT] = SAYS_also_port,
		[EXPLAIN_PID] = SAYS_also_pid,
		[EXPLAIN_INODE] = SAYS_also_inode,
		[EXPLAIN_NAME] = SAYS_also_name,
	};
	const struct explain_query *q = s->q;
	const struct value values[] = {
		value_number("number", q->inode),
		value_number("port", q->port),
		{ 0 },
	};

	for (int as = 0; as < EXPLAIN_AS_N; as++) {
		if (as == (int)s->as || !(q->readings & EXPLAIN_BIT(as)) || !ids[as])
			continue;
		if (as == EXPLAIN_PORT && q->is_service)
			explanation_say(s->e, SAYS_also_service, values);
		else if (as == EXPLAIN_PORT ||
			 finds_something(q, (enum explain_as)as, s->e->snapshot))
			explanation_say(s->e, ids[as], values);
	}
}

static void note_processes(struct subject *s, const struct pv_conversation *c)
{
	for (uint32_t i = 0; i < c->n_holders; i++) {
		uint32_t process = pv_snapshot_holder(s->e->snapshot, c, i)->process;
		size_t n = 0;

		while (n < s->n_processes && s->processes[n] != process)
			n++;
		if (n < s->n_processes)
			continue;
		if (n < PROCESSES_MAX)
			s->processes[s->n_processes++] = process;
		else
			s->n_left_out++;
	}
}

/* Returns how many of the rows were explained. */
static size_t put_full(struct subject *s, const rows *list, size_t max)
{
	size_t n = 0;

	for (; n < list->n && n < max; n++) {
		explain_socket(s->e, list->items[n]);
		note_processes(s, list->items[n]);
	}
	return n;
}

/* People paste it: nothing in a process's name may become a command. */
static void put_shell_word(struct buf *b, const char *text)
{
	buf_putc(b, '\'');
	for (; *text; text++) {
		if (*text == '\'')
			buf_puts(b, "'\\'");
		buf_putc(b, *text);
	}
	buf_putc(b, '\'');
}

static const char *filter_text(struct subject *s)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT, word = BUF_INIT;
	struct explain_query q = *s->q;
	const char *text = NULL;

	q.readings = EXPLAIN_BIT(s->as);
	if (explain_query_filter(&q, &b) == 0 && buf_str(&b))
		put_shell_word(&word, buf_str(&b));
	if (word.len && buf_str(&word))
		text = arena_strdup(&s->e->arena, buf_str(&word));
	if (!text)
		s->e->error = -ENOMEM;
	return text ? text : "";
}

static void put_lines(struct subject *s, const rows *list, size_t from, size_t *n_put)
{
	for (size_t i = from; i < list->n && *n_put < LINES_MAX; i++, ++*n_put)
		explain_line(s->e, list->items[i]);
}

/* The rows that were not explained in full. */
static void put_rest(struct subject *s, size_t n_servers, size_t n_others)
{
	size_t n = s->servers.n - n_servers + s->others.n - n_others, n_put = 0;

	if (!n)
		return;
	explanation_begin(s->e, SECTION_SOCKETS, NULL, NULL);
	if (s->as == EXPLAIN_PORT)
		SAY(s->e, port_sockets, value_number("n", n));
	else if (s->as == EXPLAIN_PID)
		SAY(s->e, process_sockets, value_number("n", n));
	else
		SAY(s->e, title_sockets);
	put_lines(s, &s->servers, n_servers, &n_put);
	put_lines(s, &s->others, n_others, &n_put);
	if (n > n_put)
		SAY(s->e, more_sockets, value_number("n", n - n_put),
		    value_text("filter", filter_text(s)));
}

static void put_processes(struct subject *s)
{
	for (size_t i = 0; i < s->n_processes; i++)
		explain_process(s->e, pv_snapshot_process(s->e->snapshot, s->processes[i]));
	if (s->n_left_out)
		SAY(s->e, more_processes, value_number("n", s->n_left_out));
}

/* --- one a reading --- */

static void as_port(struct subject *s)
{
	size_t n_servers, n_others = 0;

	explain_port(s->e, s->q->port, s->q->transport);
	if (!s->servers.n && !s->others.n)
		SAY(s->e, port_unused);
	else if (!s->servers.n)
		SAY(s->e, port_no_listener);
	say_others(s);
	n_servers = put_full(s, &s->servers, FULL_MAX);
	if (!s->servers.n && s->others.n <= FULL_MAX)
		n_others = put_full(s, &s->others, FULL_MAX);
	put_processes(s);
	put_rest(s, n_servers, n_others);
}

static void as_socket(struct subject *s)
{
	size_t n_servers = put_full(s, &s->servers, FULL_MAX);
	size_t n_others = put_full(s, &s->others, FULL_MAX - n_servers);

	say_others(s);
	put_processes(s);
	put_rest(s, n_servers, n_others);
}

/* Processes in the order in which their sockets come. */
static void as_name(struct subject *s)
{
	const rows *lists[] = { &s->servers, &s->others };
	size_t n = strlen(s->q->text);

	for (size_t l = 0; l < 2; l++)
		for (size_t i = 0; i < lists[l]->n; i++)
			note_processes(s, lists[l]->items[i]);
	/* others that share a socket have another name */
	for (size_t i = 0; i < s->n_processes; i++) {
		const struct pv_process *p = pv_snapshot_process(s->e->snapshot, s->processes[i]);

		if (p->comm.len == n && !memcmp(p->comm.data, s->q->text, n))
			explain_process(s->e, p);
	}
	if (s->n_left_out)
		SAY(s->e, more_processes, value_number("n", s->n_left_out));
	say_others(s);
	put_rest(s, 0, 0);
}

static void as_pid(struct subject *s)
{
	explain_process(s->e, find_process(s->e->snapshot, s->q->pid));
	if (!s->servers.n && !s->others.n)
		SAY(s->e, process_no_sockets);
	say_others(s);
	put_rest(s, 0, 0);
}

static void as_address(struct subject *s)
{
	const rows *lists[] = { &s->servers, &s->others };
	const struct explain_end *end = &s->q->ends[0];
	uint32_t n_local = 0, n_remote = 0;

	for (size_t l = 0; l < 2; l++)
		for (size_t i = 0; i < lists[l]->n; i++) {
			n_local += explain_query_is_local(s->q, lists[l]->items[i]);
			n_remote += explain_query_is_remote(s->q, lists[l]->items[i]);
		}
	explain_address(s->e, end->family, end->addr, n_local, n_remote);
	say_others(s);
	put_rest(s, 0, 0);
}

void explain(struct explanation *e, const struct explain_query *q, enum explain_as as)
{
	static void (*const ways[EXPLAIN_AS_N])(struct subject *) = {
		[EXPLAIN_PORT] = as_port,    [EXPLAIN_PID] = as_pid,
		[EXPLAIN_INODE] = as_socket, [EXPLAIN_SOCKET] = as_socket,
		[EXPLAIN_PAIR] = as_socket,  [EXPLAIN_ADDRESS] = as_address,
		[EXPLAIN_PATH] = as_socket,  [EXPLAIN_NAME] = as_name,
	};
	_cleanup_(subject_deinit) struct subject s = { .e = e, .q = q, .as = as };

	find_rows(&s);
	ways[as](&s);
}
