/* SPDX-License-Identifier: MIT */
/* What rows of several kinds have in common. */
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "cli/ss/ss.h"
#include "ui/text/escape.h"

#define QUEUE_WIDTH 6

void ss_end_cell(struct ss_view *w)
{
	int r = ss_layout_end_cell(&w->layout);

	if (r < 0 && !w->error)
		w->error = r;
}

static const char *state_name(uint8_t state)
{
	static const char *const names[] = {
		[PV_STATE_UNKNOWN] = "UNKNOWN",	      [PV_STATE_ESTABLISHED] = "ESTAB",
		[PV_STATE_SYN_SENT] = "SYN-SENT",     [PV_STATE_SYN_RECV] = "SYN-RECV",
		[PV_STATE_FIN_WAIT1] = "FIN-WAIT-1",  [PV_STATE_FIN_WAIT2] = "FIN-WAIT-2",
		[PV_STATE_TIME_WAIT] = "TIME-WAIT",   [PV_STATE_CLOSE] = "UNCONN",
		[PV_STATE_CLOSE_WAIT] = "CLOSE-WAIT", [PV_STATE_LAST_ACK] = "LAST-ACK",
		[PV_STATE_LISTEN] = "LISTEN",	      [PV_STATE_CLOSING] = "CLOSING",
	};

	return state < sizeof(names) / sizeof(*names) ? names[state] : names[PV_STATE_UNKNOWN];
}

static void put_queue(struct buf *b, uint32_t n)
{
	size_t start = b->len;

	buf_i64(b, (int)n);
	if (!buf_error(b) && b->len - start < QUEUE_WIDTH)
		buf_pad(b, ' ', QUEUE_WIDTH - (b->len - start));
}

void ss_put_head(struct ss_view *w, const char *netid, const struct pv_conversation *row)
{
	struct buf *b = ss_text(w);

	buf_puts(b, netid);
	ss_end_cell(w);
	buf_puts(b, state_name(row->state));
	ss_end_cell(w);
	put_queue(b, row->recv_q);
	ss_end_cell(w);
	put_queue(b, row->send_q);
	ss_end_cell(w);
}

void ss_put_end(struct ss_view *w, const char *host, const char *between, const char *port)
{
	buf_puts(ss_text(w), host);
	buf_puts(ss_text(w), between);
	ss_end_cell(w);
	buf_puts(ss_text(w), port);
	ss_end_cell(w);
}

void ss_put_foreign(struct ss_view *w, const char *data, size_t len)
{
	text_put(ss_text(w), data, len, 0);
}

void ss_put_break(struct ss_view *w, const char *oneline)
{
	buf_puts(ss_text(w), w->v->oneline ? oneline : "\n\t");
}

void ss_put_ifname(struct ss_view *w, uint32_t ifindex)
{
	const char *name = pv_snapshot_ifname(w->snapshot, ifindex);

	if (name)
		ss_put_foreign(w, name, strlen(name));
	else
		buf_printf(ss_text(w), "if%u", ifindex);
}

bool ss_attribute(const struct pv_conversation *row, uint16_t type, void *to, size_t size)
{
	size_t len;
	const void *data = pv_detail_attribute(row->detail, type, &len);

	memset(to, 0, size);
	if (data)
		memcpy(to, data, len < size ? len : size);
	return data != NULL;
}

static void put_number(struct ss_view *w, const char *name, int32_t n)
{
	buf_puts(ss_text(w), name);
	buf_i64(ss_text(w), n);
}

static void put_context(struct ss_view *w, const char *name, const char *context)
{
	buf_puts(ss_text(w), name);
	if (context)
		text_put(ss_text(w), context, strlen(context), TEXT_LIST);
	else
		buf_puts(ss_text(w), "unavailable");
}

static void put_task(struct ss_view *w, const struct pv_task *t)
{
	const struct ss_values *v = w->v;

	buf_puts(ss_text(w), "(\"");
	/* no name looks like two holders */
	text_put(ss_text(w), t->comm.data, t->comm.len, TEXT_LIST);
	put_number(w, "\",pid=", t->pid);
	if (v->threads)
		put_number(w, ",tid=", t->tid);
	if (v->context || v->contexts)
		put_context(w, ",proc_ctx=", t->context);
	put_number(w, ",fd=", t->fd);
	if (v->contexts)
		put_context(w, ",sock_ctx=", t->socket_context);
	buf_putc(ss_text(w), ')');
}

static struct pv_task task_of(const struct ss_view *w, const struct pv_holder *h)
{
	const struct pv_process *p = pv_snapshot_process(w->snapshot, h->process);

	return (struct pv_task){ .pid = p->pid, .tid = p->pid, .fd = h->fd, .comm = p->comm };
}

/* The last one found comes first. */
void ss_put_users(struct ss_view *w, const struct pv_conversation *row)
{
	const struct ss_values *v = w->v;
	const struct pv_task *tasks = NULL;
	size_t n = w->tasks ? pv_tasks_of(w->tasks, w->rows.items[w->row], &tasks) : row->n_holders;

	if (!n || !(v->processes || v->threads || v->context || v->contexts))
		return;
	buf_puts(ss_text(w), " users:(");
	while (n-- > 0) {
		struct pv_task t =
			tasks ? tasks[n]
			      : task_of(w, pv_snapshot_holder(w->snapshot, row, (uint32_t)n));

		put_task(w, &t);
		if (n)
			buf_putc(ss_text(w), ',');
	}
	buf_putc(ss_text(w), ')');
}

void ss_put_cgroup(struct ss_view *w, uint64_t id)
{
	_cleanup_(cleanup_free) char *other = NULL;
	const char *path;
	size_t n;

	if (!w->cgroups && pv_cgroups_read(&w->cgroups) < 0)
		return;
	path = pv_cgroups_path(w->cgroups, id);
	if (path && w->v->redactor) {
		if (pv_redact_text(w->v->redactor, PV_REDACT_CGROUP, path, strlen(path), &other,
				   &n) < 0)
			return;
		path = other;
	}
	buf_puts(ss_text(w), " cgroup:");
	if (path)
		ss_put_foreign(w, path, strlen(path));
	else
		buf_printf(ss_text(w), "unreachable:%llx", (unsigned long long)id);
}

void ss_put_details(struct ss_view *w, const struct pv_conversation *row)
{
	struct buf *b = ss_text(w);

	/* what is left of a closed connection has no user, for which the kernel says 0 */
	if (row->uid && row->uid != UINT32_MAX)
		buf_printf(b, " uid:%u", row->uid);
	buf_printf(b, " ino:%u sk:%llx", row->inode, (unsigned long long)row->cookie);
	if (row->mark)
		buf_printf(b, " fwmark:0x%x", row->mark);
	if (row->detail && row->detail->present & PV_DETAIL_CGROUP && row->detail->cgroup_id)
		ss_put_cgroup(w, row->detail->cgroup_id);
}

/* Receive, its limit, transmit, its limit, forward, queued, options, backlog, drops. */
void ss_put_memory(struct ss_view *w, const struct pv_conversation *row)
{
	const uint32_t *m;

	if (!row->detail || !(row->detail->present & PV_DETAIL_MEM))
		return;
	m = row->detail->mem;
	buf_printf(ss_text(w), " skmem:(r%u,rb%u,t%u,tb%u,f%u,w%u,o%u,bl%u,d%u)", m[0], m[1], m[2],
		   m[3], m[4], m[5], m[6], m[7], m[8]);
}
