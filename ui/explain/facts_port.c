/* SPDX-License-Identifier: MIT */
/* What a port number means by its group, by the registry and on this host; and an address. */
#include <string.h>

#include "base/inet.h"
#include "ui/explain/facts.h"

static void say_group(struct explanation *e, uint16_t port)
{
	if (!port) {
		SAY(e, port_zero);
		return;
	}
	switch (pv_port_group(port)) {
	case PV_GROUP_WELL_KNOWN:
		SAY(e, port_well_known);
		break;
	case PV_GROUP_REGISTERED:
		SAY(e, port_registered);
		break;
	default:
		SAY(e, port_dynamic);
	}
}

static void say_service(struct explanation *e, uint16_t port, const struct pv_service *s)
{
	struct value number = value_number("port", port);
	struct value transport =
		value_text("transport", pv_transport_name((enum pv_transport)s->transport));
	struct value name = value_text("service", s->name);
	struct value description = value_text("description", s->description);

	if (s->flags & PV_SERVICE_UNREGISTERED)
		SAY(e, port_service_unregistered, number, transport, name, description);
	else if (*s->description)
		SAY(e, port_service, number, transport, name, description);
	else
		SAY(e, port_service_plain, number, transport, name);
}

static void say_services(struct explanation *e, uint16_t port, int transport)
{
	bool found = false;

	for (int t = 0; t < PV_TRANSPORT_N; t++) {
		const struct pv_service *s = pv_service_by_port(port, (enum pv_transport)t);

		if (!s || (transport >= 0 && t != transport))
			continue;
		say_service(e, port, s);
		found = true;
	}
	if (!found)
		SAY(e, port_no_service);
}

static void say_range(struct explanation *e, uint16_t port)
{
	const struct pv_netns *n = pv_snapshot_netns(e->snapshot, 0);
	struct value first = value_number("first", n->ephemeral_first);
	struct value last = value_number("last", n->ephemeral_last);

	if (!n->ephemeral_last)
		SAY(e, port_range_unknown);
	else if (pv_netns_is_ephemeral(n, port))
		SAY(e, port_ephemeral, first, last);
	else if (port >= n->ephemeral_first && port <= n->ephemeral_last)
		SAY(e, port_reserved, first, last);
	else
		SAY(e, port_not_ephemeral, first, last);
}

void explain_port(struct explanation *e, uint16_t port, int transport)
{
	explanation_begin(e, SECTION_PORT, NULL, NULL);
	if (transport >= 0)
		SAY(e, title_port_transport, value_number("port", port),
		    value_text("transport", pv_transport_name((enum pv_transport)transport)));
	else
		SAY(e, title_port, value_number("port", port));
	say_group(e, port);
	if (!port)
		return;
	say_services(e, port, transport);
	say_range(e, port);
}

void explain_address(struct explanation *e, int family, const uint8_t *addr, uint32_t n_local,
		     uint32_t n_remote)
{
	char *text = arena_alloc(&e->arena, INET_TEXT_MAX + 1);

	if (!text) {
		e->error = -ENOMEM;
		return;
	}
	inet_text(family, addr, text);
	explanation_begin(e, SECTION_ADDRESS, NULL, NULL);
	SAY(e, title_address, value_text("address", text));
	if (inet_is_any(family, addr))
		SAY(e, address_any);
	else if (inet_is_loopback(family, addr))
		SAY(e, address_loopback);
	else if (inet_is_link_local(family, addr))
		SAY(e, address_link_local);
	SAY(e, address_local, value_number("n", n_local));
	SAY(e, address_remote, value_number("n", n_remote));
}
