/* SPDX-License-Identifier: MIT */
/* The kernel's tables beside sockets: an address here has the name it has in a list of sockets. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "redact/redact-internal.h"

static int rename_interface(const struct pv_redactor *r, char name[PV_IFNAME_MAX])
{
	struct buf b = BUF_INIT;
	int result = redact_put(r, PV_REDACT_INTERFACE, name, strnlen(name, PV_IFNAME_MAX), &b);

	if (result == 0)
		result = buf_error(&b);
	if (result == 0 && b.len < PV_IFNAME_MAX) {
		memset(name, 0, PV_IFNAME_MAX);
		memcpy(name, b.data ? b.data : "", b.len);
	}
	buf_deinit(&b);
	return result;
}

/* A network: what lies behind its prefix stays, so that a network stays one. */
static int rename_network(const struct pv_redactor *r, int family, uint8_t *addr,
			  const uint8_t *mask)
{
	uint8_t old[16];
	size_t n = family == AF_INET ? 4 : 16;
	int result;

	memcpy(old, addr, n);
	result = pv_redact_address(r, family, addr);
	for (size_t i = 0; i < n; i++)
		addr[i] = (uint8_t)((addr[i] & mask[i]) | (old[i] & ~mask[i]));
	return result;
}

static void mask_of(uint8_t prefix, uint8_t ret[static 16])
{
	memset(ret, 0, 16);
	for (unsigned i = 0; i < prefix && i < 128; i++)
		ret[i / 8] |= (uint8_t)(0x80u >> i % 8);
}

int redact_network(const struct pv_redactor *r, int family, uint8_t *addr, unsigned prefix)
{
	uint8_t mask[16];

	mask_of((uint8_t)prefix, mask);
	return rename_network(r, family, addr, mask);
}

int pv_redact_routes(const struct pv_redactor *r, struct pv_route *routes, size_t n)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < n; i++) {
		struct pv_route *p = &routes[i];

		result = p->family == AF_INET
				 ? rename_network(r, p->family, p->destination, p->mask)
				 : redact_network(r, p->family, p->destination, p->prefix);
		if (result == 0)
			result = pv_redact_address(r, p->family, p->gateway);
		if (result == 0)
			result = rename_interface(r, p->interface);
	}
	return result;
}

int pv_redact_groups(const struct pv_redactor *r, struct pv_group *groups, size_t n)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < n; i++) {
		result = pv_redact_address(r, groups[i].family, groups[i].addr);
		if (result == 0)
			result = rename_interface(r, groups[i].interface);
	}
	return result;
}

/* Of what is no Ethernet it may be an address of IP, or a number of the hardware. */
static int rename_hardware(const struct pv_redactor *r, struct pv_interface *p)
{
	static const uint8_t none[sizeof(p->hardware_address)];

	if (!memcmp(p->hardware_address + 6, none, sizeof(none) - 6))
		return pv_redact_mac(r, p->hardware_address);
	memset(p->hardware_address, 0, sizeof(p->hardware_address));
	return 0;
}

static int rename_inet(const struct pv_redactor *r, struct pv_interface *p)
{
	int result = pv_redact_address(r, AF_INET, p->inet);

	if (result == 0)
		result = pv_redact_address(r, AF_INET, p->peer);
	return result < 0 ? result : rename_network(r, AF_INET, p->broadcast, p->netmask);
}

static int rename_one(const struct pv_redactor *r, struct pv_interface *p)
{
	int result = rename_interface(r, p->name);

	if (result == 0)
		result = rename_hardware(r, p);
	if (result == 0)
		result = rename_inet(r, p);
	for (size_t i = 0; result == 0 && i < p->n_inet6; i++)
		result = pv_redact_address(r, AF_INET6, p->inet6[i].addr);
	return result;
}

int pv_redact_interfaces(const struct pv_redactor *r, struct pv_interface *interfaces, size_t n)
{
	int result = 0;

	for (size_t i = 0; result == 0 && i < n; i++)
		result = rename_one(r, &interfaces[i]);
	return result;
}
