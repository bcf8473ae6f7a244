/* SPDX-License-Identifier: MIT */
/* A datagram from anywhere as generic netlink's answer about the family, and about an interface. */
#include <stdlib.h>

#include "netlink/wireguard.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint16_t family = wireguard_family_parse(data, size);

	/* numbers below are those of netlink itself */
	if (wireguard_port_parse(data, size, 0x0f))
		abort();
	wireguard_port_parse(data, size, family ? family : 0x1c);
	return 0;
}
