/* SPDX-License-Identifier: MIT */
/* Questions about ports, and the rows that answer them: registry joined with who listens here. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/options.h"
#include "cli/port.h"
#include "ui/text/i18n.h"

static const char allowed[] =
	N_("allowed are a number 0-65535, a range A-B, a service name, each also with /tcp, /udp, "
	   "/sctp or /dccp");

static bool is_all(const char *text, const char *set)
{
	return *text && !text[strspn(text, set)];
}

int port_range_parse(const char *what, const char *text, uint32_t *ret_first, uint32_t *ret_last)
{
	const char *dash = strchr(text, '-');
	char head[16];
	uint64_t first, last;
	size_t n = dash ? (size_t)(dash - text) : strlen(text);

	if (n < sizeof(head)) {
		memcpy(head, text, n);
		head[n] = 0;
	}
	if (n >= sizeof(head) || parse_number(head, 0, 65535, &first) < 0 ||
	    parse_number(dash ? dash + 1 : head, 0, 65535, &last) < 0) {
		usage_error(what, "%s",
			    _("no port or range of ports: numbers go from 0 to 65535, a range is "
			      "A-B"));
		return -EINVAL;
	}
	if (first > last) {
		usage_error(what, "%s",
			    _("the range ends before it begins: allowed is A-B with A <= B <= "
			      "65535"));
		return -EINVAL;
	}
	*ret_first = (uint32_t)first;
	*ret_last = (uint32_t)last;
	return 0;
}

static bool name_is_known(const char *name)
{
	size_t cursor = 0;

	return pv_service_next_by_name(name, &cursor) != NULL;
}

static const char *nearest_name(const char *name)
{
	size_t best_distance = SIZE_MAX;
	const char *best = NULL;

	for (size_t i = 0; i < pv_service_count(); i++) {
		struct pv_service s = pv_service_at(i);
		size_t d = word_distance(name, s.name);

		if (d < best_distance && word_is_near(name, s.name, d)) {
			best_distance = d;
			best = s.name;
		}
	}
	return best;
}

static int report_unknown(const char *text, const char *name)
{
	const char *near = nearest_name(name);

	if (near)
		usage_error(text, _("no service has that name (did you mean %s?); %s"), near,
			    _(allowed));
	else
		usage_error(text,
			    _("no service has that name; %s (--search TEXT looks in descriptions)"),
			    _(allowed));
	return PORT_E_UNKNOWN;
}

static int parse_transport(const char *text, const char *word, unsigned int *ret_transports)
{
	enum pv_transport transport;

	if (pv_transport_parse(word, &transport) < 0) {
		usage_error(text, _("'%s' is no transport; allowed are tcp, udp, sctp, dccp"),
			    word);
		return -EINVAL;
	}
	*ret_transports = 1u << transport;
	return 0;
}

/* A few names have a slash themselves ("EtherNet/IP-1"), so the whole word is tried first. */
int port_query_parse(const char *text, struct port_query *ret_query)
{
	struct port_query q = { .last = 65535, .transports = PORT_TRANSPORTS_ALL };
	const char *slash = strrchr(text, '/');
	size_t n = slash && !name_is_known(text) ? (size_t)(slash - text) : strlen(text);
	int r;

	if (!n) {
		usage_error(*text ? text : "''", "%s", _(allowed));
		return -EINVAL;
	}
	if (text[n]) {
		r = parse_transport(text, slash + 1, &q.transports);
		if (r < 0)
			return r;
	}
	if (n >= sizeof(q.name))
		return report_unknown(text, "");
	memcpy(q.name, text, n);
	if (is_all(q.name, "0123456789-") && !name_is_known(q.name)) {
		r = port_range_parse(text, q.name, &q.first, &q.last);
		if (r < 0)
			return r;
		q.name[0] = 0;
	} else if (!name_is_known(q.name)) {
		return report_unknown(text, q.name);
	}
	*ret_query = q;
	return 0;
}

static bool is_listening(const struct pv_conversation *c)
{
	return c->state == (c->proto == PV_PROTO_UDP ? PV_STATE_CLOSE : PV_STATE_LISTEN) &&
	       c->local.port && c->local.port <= 65535;
}

static int compare_listeners(const void *pa, const void *pb)
{
	const struct port_listener *a = pa, *b = pb;

	if (a->transport != b->transport)
		return a->transport - b->transport;
	return (int)a->conversation->local.port - (int)b->conversation->local.port;
}

int port_rows_init(struct port_rows *p, const struct pv_snapshot *snapshot)
{
	*p = (struct port_rows){ .snapshot = snapshot };
	for (size_t i = 0; snapshot && i < pv_snapshot_count(snapshot); i++) {
		const struct pv_conversation *c = pv_snapshot_get(snapshot, i);
		enum pv_transport transport = pv_proto_transport((enum pv_proto)c->proto);
		struct port_listener l = { .transport = (uint8_t)transport, .conversation = c };

		if (transport != PV_TRANSPORT_N && is_listening(c) &&
		    vec_push(&p->listeners, l) < 0)
			return -ENOMEM;
	}
	if (p->listeners.n)
		qsort(p->listeners.items, p->listeners.n, sizeof(*p->listeners.items),
		      compare_listeners);
	return 0;
}

void port_rows_deinit(struct port_rows *p)
{
	vec_deinit(&p->listeners);
	vec_deinit(&p->rows);
}

/* First listener whose transport and number are not before these */
static size_t listeners_from(const struct port_rows *p, int transport, uint32_t port)
{
	size_t low = 0, high = p->listeners.n;

	while (low < high) {
		size_t mid = low + (high - low) / 2;
		const struct port_listener *l = &p->listeners.items[mid];

		if (l->transport < transport ||
		    (l->transport == transport && l->conversation->local.port < port))
			low = mid + 1;
		else
			high = mid;
	}
	return low;
}

static int add_row(struct port_rows *p, uint32_t first, uint32_t last, int transport)
{
	size_t from = listeners_from(p, transport, first);
	struct port_row row = {
		.first = (uint16_t)first,
		.last = (uint16_t)last,
		.transport = (uint8_t)transport,
		.service = pv_service_by_port((uint16_t)first, (enum pv_transport)transport),
		.listeners = p->listeners.items ? p->listeners.items + from : NULL,
		.n_listeners = listeners_from(p, transport, last + 1) - from,
	};

	return vec_push(&p->rows, row);
}

static int compare_rows(const void *pa, const void *pb)
{
	const struct port_row *a = pa, *b = pb;

	return a->first != b->first ? a->first - b->first : a->transport - b->transport;
}

/* Services of first...last, cut to those numbers, and numbers without one where somebody listens */
static int add_numbers(struct port_rows *p, uint32_t first, uint32_t last, int transport)
{
	uint32_t end;

	for (uint32_t port = first; port <= last; port = end + 1) {
		const struct pv_service *s =
			pv_service_by_port((uint16_t)port, (enum pv_transport)transport);
		size_t from = listeners_from(p, transport, port);

		end = port;
		if (s)
			end = s->last < last ? s->last : last;
		else if (from == listeners_from(p, transport, port + 1))
			continue;
		if (add_row(p, port, end, transport) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_range(struct port_rows *p, const struct port_query *q)
{
	size_t before = p->rows.n;

	for (int t = 0; t < PV_TRANSPORT_N; t++)
		if (q->transports & 1u << t && add_numbers(p, q->first, q->last, t) < 0)
			return -ENOMEM;
	if (p->rows.n > before || q->first != q->last)
		return 0;
	/* a number always has an answer: its group, and that nobody is there */
	for (int t = 0; t < PV_TRANSPORT_N; t++) {
		bool is_asked = q->transports != PORT_TRANSPORTS_ALL || t == PV_TRANSPORT_TCP ||
				t == PV_TRANSPORT_UDP;

		if (is_asked && q->transports & 1u << t && add_row(p, q->first, q->last, t) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_name(struct port_rows *p, const struct port_query *q)
{
	const struct pv_service *s;
	size_t cursor = 0;

	while ((s = pv_service_next_by_name(q->name, &cursor)))
		if (q->transports & 1u << s->transport &&
		    add_row(p, s->first, s->last, s->transport) < 0)
			return -ENOMEM;
	return 0;
}

int port_rows_add(struct port_rows *p, const struct port_query *query)
{
	size_t before = p->rows.n;
	int r = query->name[0] ? add_name(p, query) : add_range(p, query);

	if (r < 0)
		return r;
	if (p->rows.n == before)
		return PORT_E_UNKNOWN;
	qsort(p->rows.items + before, p->rows.n - before, sizeof(*p->rows.items), compare_rows);
	return 0;
}

int port_rows_search(struct port_rows *p, const char *text)
{
	size_t before = p->rows.n;

	for (size_t i = 0; i < pv_service_count(); i++) {
		struct pv_service s = pv_service_at(i);
		struct port_row *last = p->rows.n > before ? &p->rows.items[p->rows.n - 1] : NULL;

		if (!strcasestr(s.description, text) && !strcasestr(s.name, text))
			continue;
		if (last && last->first == s.first && last->transport == s.transport)
			continue;
		if (add_row(p, s.first, s.last, s.transport) < 0)
			return -ENOMEM;
	}
	return p->rows.n == before ? PORT_E_UNKNOWN : 0;
}

bool port_row_is_ephemeral(const struct port_rows *p, const struct port_row *row)
{
	const struct pv_netns *netns = p->snapshot ? pv_snapshot_netns(p->snapshot, 0) : NULL;

	for (uint32_t port = row->first; netns && port <= row->last; port++)
		if (pv_netns_is_ephemeral(netns, port))
			return true;
	return false;
}

bool port_row_is_reserved(const struct port_rows *p, const struct port_row *row)
{
	const struct pv_netns *netns = p->snapshot ? pv_snapshot_netns(p->snapshot, 0) : NULL;

	for (uint32_t port = row->first; netns && netns->reserved && port <= row->last; port++)
		if (netns->reserved[port / 64] >> (port % 64) & 1)
			return true;
	return false;
}

const char *port_row_next_alias(const struct port_row *row, size_t *cursor)
{
	const struct pv_service *s;

	while ((s = pv_service_next_by_port(row->first, cursor)))
		if (s->transport == row->transport && !(s->flags & PV_SERVICE_PRIMARY))
			return s->name;
	return NULL;
}
