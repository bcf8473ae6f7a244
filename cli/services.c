/* SPDX-License-Identifier: MIT */
#include "cli/services.h"

#include <netdb.h>
#include <nss.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>

#define PORTS 65536

struct services {
	const char *names[2][PORTS]; /* tcp, udp; NULL = none */
};

struct services *services_read(void)
{
	struct services *s = calloc(1, sizeof(*s));
	struct servent *e;

	if (!s)
		return NULL;
	__nss_configure_lookup("services", "files");
	__nss_configure_lookup("protocols", "files");
	setservent(1);
	while ((e = getservent())) {
		int is_udp = !strcmp(e->s_proto, "udp");
		uint16_t port = ntohs((uint16_t)e->s_port);

		if ((!is_udp && strcmp(e->s_proto, "tcp")) || s->names[is_udp][port])
			continue;
		s->names[is_udp][port] = strdup(e->s_name);
	}
	endservent();
	return s;
}

void services_free(struct services *s)
{
	if (!s)
		return;
	for (size_t i = 0; i < PORTS; i++) {
		free((void *)s->names[0][i]);
		free((void *)s->names[1][i]);
	}
	free(s);
}

const char *services_name(const struct services *s, bool is_udp, uint32_t port)
{
	return port < PORTS ? s->names[is_udp][port] : NULL;
}
