/* SPDX-License-Identifier: MIT */
/* Names come from processes and recordings: they are escaped here, the writer of roles. */
#include "cli/role_text.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/inet.h"
#include "cli/commands.h"
#include "cli/redact_option.h"
#include "ui/text/escape.h"

int role_collect(const char *replay, uint32_t more_needs, const struct pv_redactor *redactor,
		 struct pv_snapshot **ret)
{
	struct pv_request q = PV_REQUEST_INIT;
	int r;

	q.protos = PV_ROLE_PROTOS;
	q.needs = PV_ROLE_NEEDS | more_needs;
	q.replay_dir = replay;
	q.redactor = redactor;
	r = pv_collect(&q, ret);
	if (r == 0)
		return 0;
	if (report_key(replay, r))
		return EXIT_FAILURE;
	if (replay && (r == -EINVAL || r == -EBADMSG))
		usage_error(replay,
			    "is no recording made by portavoz list --record, or is damaged");
	else
		usage_error(replay ? replay : "sockets", "%s", strerror(-r));
	return EXIT_FAILURE;
}

static void put_bytes(struct buf *b, const struct pv_bytes *text)
{
	text_put(b, text->data, text->len, 0);
}

static void put_program(struct buf *b, const struct pv_role_program *p)
{
	const struct pv_bytes *name = p->exe.len ? &p->exe : &p->comm;
	const char *separator = " (";

	if (name->len)
		put_bytes(b, name);
	else
		buf_puts(b, "a program");
	if (p->unit.len) {
		buf_puts(b, separator);
		put_bytes(b, &p->unit);
		separator = ", ";
	}
	if (p->container.len) {
		buf_printf(b, "%scontainer ", separator);
		put_bytes(b, &p->container);
		separator = ", ";
	}
	if (*separator == ',')
		buf_putc(b, ')');
}

/* The registry's name of the number, or NULL. */
static const char *service_name(const struct pv_role *role)
{
	const struct pv_service *s = NULL;

	if (role->port_kind == PV_ROLE_PORT_NUMBER)
		s = pv_service_by_port((uint16_t)role->port,
				       pv_proto_transport((enum pv_proto)role->proto));
	return s ? s->name : NULL;
}

void role_put_what(struct buf *b, const struct pv_role *role)
{
	static const char *const verbs[PV_DIR_N] = { [PV_DIR_LISTEN] = "listens for",
						     [PV_DIR_INCOMING] = "serves",
						     [PV_DIR_OUTGOING] = "calls",
						     [PV_DIR_UNKNOWN] = "uses" };
	const char *service = service_name(role);

	for (size_t i = 0; i < role->n_programs; i++) {
		buf_puts(b, i ? " and " : "");
		put_program(b, &role->programs[i]);
	}
	if (!role->n_programs)
		buf_puts(b, "the kernel");
	buf_printf(b, " %s %s", verbs[role->direction], pv_proto_name((enum pv_proto)role->proto));
	if (service)
		buf_printf(b, " %s", service);
	else if (role->port_kind == PV_ROLE_PORT_NUMBER)
		buf_printf(b, " %u", role->port);
	else if (role->port_kind == PV_ROLE_PORT_DYNAMIC)
		buf_puts(b, " on any port");
}

static void put_net(struct buf *b, const struct pv_role_net *n)
{
	inet_put(b, n->family, n->addr);
	if (n->bits < (n->family == AF_INET ? 32 : 128))
		buf_printf(b, "/%u", n->bits);
}

static void put_nets(struct buf *b, const struct pv_role *role)
{
	static const char *const words[PV_DIR_N] = { [PV_DIR_LISTEN] = "on ",
						     [PV_DIR_INCOMING] = "from ",
						     [PV_DIR_OUTGOING] = "to ",
						     [PV_DIR_UNKNOWN] = "with " };

	if (role->any_net || role->n_nets)
		buf_puts(b, words[role->direction]);
	if (role->any_net)
		buf_puts(b, role->direction == PV_DIR_LISTEN ? "every address" : "many networks");
	for (size_t i = 0; !role->any_net && i < role->n_nets; i++) {
		buf_puts(b, i ? ", " : "");
		put_net(b, &role->nets[i]);
	}
}

void role_put_where(struct buf *b, const struct pv_role *role)
{
	size_t start = b->len;

	put_nets(b, role);
	if (role->n_users)
		buf_puts(b, b->len > start ? ", as " : "as ");
	for (size_t i = 0; i < role->n_users; i++) {
		buf_puts(b, i ? " or " : "");
		put_bytes(b, &role->users[i]);
	}
}

static void put_member(struct buf *b, const char *name, const struct pv_bytes *value)
{
	buf_printf(b, "\"%s\":", name);
	if (value->len)
		text_put_json(b, value->data, value->len);
	else
		buf_puts(b, "null");
}

static void put_programs_json(struct buf *b, const struct pv_role *role)
{
	for (size_t i = 0; i < role->n_programs; i++) {
		const struct pv_role_program *p = &role->programs[i];

		buf_puts(b, i ? ",{" : "{");
		put_member(b, "unit", &p->unit);
		buf_putc(b, ',');
		put_member(b, "exe", &p->exe);
		buf_putc(b, ',');
		put_member(b, "container", &p->container);
		buf_putc(b, ',');
		put_member(b, "comm", &p->comm);
		buf_putc(b, '}');
	}
}

void role_put_json(struct buf *b, const struct pv_role *role)
{
	static const char *const kinds[] = { "none", "number", "dynamic" };
	const char *service = service_name(role);

	buf_puts(b, "{\"programs\":[");
	put_programs_json(b, role);
	buf_printf(b, "],\"reason\":\"%s\",\"proto\":\"%s\",\"direction\":\"%s\",",
		   pv_reason_name((enum pv_reason)role->reason),
		   pv_proto_name((enum pv_proto)role->proto),
		   pv_direction_name((enum pv_direction)role->direction));
	buf_printf(b, "\"port_kind\":\"%s\",\"port\":", kinds[role->port_kind]);
	if (role->port_kind == PV_ROLE_PORT_NUMBER)
		buf_u64(b, role->port);
	else
		buf_puts(b, "null");
	buf_puts(b, ",\"service\":");
	if (service)
		text_put_json(b, service, strlen(service));
	else
		buf_puts(b, "null");
	buf_puts(b, ",\"users\":[");
	for (size_t i = 0; i < role->n_users; i++) {
		buf_puts(b, i ? "," : "");
		text_put_json(b, role->users[i].data, role->users[i].len);
	}
	buf_printf(b, "],\"any_network\":%s,\"networks\":[", role->any_net ? "true" : "false");
	for (size_t i = 0; i < role->n_nets; i++) {
		buf_puts(b, i ? ",\"" : "\"");
		put_net(b, &role->nets[i]);
		buf_putc(b, '"');
	}
	buf_puts(b, "]}");
}
