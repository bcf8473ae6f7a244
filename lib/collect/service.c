/* SPDX-License-Identifier: MIT */
/* Which of the two ports names the service. */
#include <portavoz/registry.h>
#include <portavoz/snapshot.h>

static bool is_named(const struct pv_conversation *c, uint32_t port)
{
	const struct pv_service *service =
		pv_service_by_port((uint16_t)port, pv_proto_transport((enum pv_proto)c->proto));

	/* de facto numbers lie in ephemeral ranges, too: no evidence */
	return service && !(service->flags & PV_SERVICE_UNREGISTERED);
}

/* Without a direction: the end in the lower group; within one group the only registered number. */
static uint32_t undirected(const struct pv_conversation *c)
{
	enum pv_port_group local = pv_port_group((uint16_t)c->local.port);
	enum pv_port_group remote = pv_port_group((uint16_t)c->remote.port);
	bool local_named = is_named(c, c->local.port), remote_named = is_named(c, c->remote.port);

	if (!c->remote.port || !c->local.port)
		return c->local.port ? c->local.port : c->remote.port;
	if (local != remote)
		return local < remote ? c->local.port : c->remote.port;
	if (local_named != remote_named)
		return local_named ? c->local.port : c->remote.port;
	return 0;
}

uint32_t pv_snapshot_service_port(const struct pv_snapshot *s, const struct pv_conversation *c)
{
	(void)s;
	/* RAW and PING sockets carry a protocol number where others have a port */
	if (c->proto > PV_PROTO_DCCP)
		return 0;
	switch ((enum pv_direction)c->direction) {
	case PV_DIR_LISTEN:
	case PV_DIR_INCOMING:
		return c->local.port;
	case PV_DIR_OUTGOING:
		return c->remote.port;
	default:
		return undirected(c);
	}
}
