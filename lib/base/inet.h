/* SPDX-License-Identifier: MIT */
/* Addresses as text. IPv6 follows RFC 5952, v4-mapped ones end in dotted decimal. */
#ifndef BASE_INET_H
#define BASE_INET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

#define INET_TEXT_MAX 46

/* Writes the text of 4 (AF_INET) or 16 (AF_INET6) bytes; returns its length. No NUL. */
size_t inet_text(int family, const uint8_t *addr, char out[static INET_TEXT_MAX]);
void inet_put(struct buf *b, int family, const uint8_t *addr);
bool inet_is_any(int family, const uint8_t *addr);
bool inet_is_loopback(int family, const uint8_t *addr);	  /* 127/8, ::1, ::ffff:127/104 */
bool inet_is_link_local(int family, const uint8_t *addr); /* 169.254/16, fe80::/10 */
bool inet_is_mapped(const uint8_t addr[static 16]);	  /* ::ffff:0:0/96 */

#endif
