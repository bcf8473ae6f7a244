/* SPDX-License-Identifier: MIT */
/* The names that /etc/services gives to ports, as netstat and ss show them. */
#ifndef CLI_SERVICES_H
#define CLI_SERVICES_H

#include <stdbool.h>
#include <stdint.h>

struct services;

/* For services_free(); NULL = out of memory. Reads files, never a server that may hang. */
struct services *services_read(void);
void services_free(struct services *s);
/* NULL = it has none there */
const char *services_name(const struct services *s, bool is_udp, uint32_t port);

#endif
