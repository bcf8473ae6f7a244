/* SPDX-License-Identifier: MIT */
/*
 * The UDP ports of WireGuard interfaces, asked of generic netlink. An answer holds the private key
 * of the interface (linux/wireguard.h): answers are never recorded, and nothing but the port is
 * taken from them. The parsers are pure.
 */
#ifndef NETLINK_WIREGUARD_H
#define NETLINK_WIREGUARD_H

#include <stddef.h>
#include <stdint.h>

/* The number of the family "wireguard" in a datagram of CTRL_CMD_NEWFAMILY; 0 = not in it. */
uint16_t wireguard_family_parse(const void *data, size_t len);
/* The port in a datagram of WG_CMD_GET_DEVICE of that family; 0 = none. */
uint16_t wireguard_port_parse(const void *data, size_t len, uint16_t family);

/*
 * Asks by a socket of netlink_open_family(NETLINK_GENERIC). Live only; needs CAP_NET_ADMIN. 0 and
 * the port (0 = none), -ENOENT (no such family) or -errno. *family is looked up when it is 0.
 */
int wireguard_read_port(int fd, uint32_t ifindex, uint16_t *family, uint16_t *ret_port);

#endif
