/* SPDX-License-Identifier: MIT */
/* What numbers are called: hosts, services, protocols, programs. */
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

#include <arpa/inet.h>

#include "base/inet.h"
#include "cli/netstat/netstat.h"
#include "ui/text/escape.h"

#define MAPPED_BYTES 12 /* before the IPv4 address in ::ffff:0:0/96 */

void netstat_put_host(struct buf *b, int family, const uint8_t *addr, const char *name,
		      bool numeric)
{
	char text[INET6_ADDRSTRLEN] = "";

	if (family == AF_INET6 && inet_is_mapped(addr)) {
		/* shown as what it is; the hosts file has no names of such addresses */
		family = AF_INET;
		addr += MAPPED_BYTES;
	} else if (name) {
		buf_puts(b, name);
		return;
	}
	if (family == AF_INET)
		inet_put(b, family, addr);
	else if (!numeric && inet_is_any(family, addr))
		buf_puts(b, "[::]");
	else
		/* libc's form: ::10.0.0.1 */
		buf_puts(b, inet_ntop(family, addr, text, sizeof(text)) ? text : "");
}

int netstat_resolve(const struct netstat_values *v, struct pv_name *names, size_t n,
		    struct pv_names **ret_owner)
{
	*ret_owner = NULL;
	if (v->numeric & NETSTAT_NUMERIC_HOSTS)
		return 0;
	return pv_names_resolve(names, n, (int)v->dns_timeout_ms, v->dns_servers, ret_owner);
}

static const char *protocol_name(uint32_t number)
{
	const struct protoent *p = getprotobynumber((int)number);

	return p ? p->p_name : NULL;
}

void netstat_put_port(struct buf *b, const struct services *s, const struct pv_conversation *row,
		      uint32_t port, bool numeric)
{
	bool is_udp = row->proto == PV_PROTO_UDP || row->proto == PV_PROTO_UDPLITE;
	const char *name = NULL;

	if (port == 0) {
		buf_putc(b, '*');
		return;
	}
	if (!numeric && row->proto == PV_PROTO_RAW)
		name = protocol_name(port);
	else if (!numeric && s)
		name = services_name(s, is_udp, port);
	if (name)
		netstat_put_foreign(b, name, strlen(name));
	else
		buf_u64(b, port);
}

void netstat_put_foreign(struct buf *b, const char *data, size_t len)
{
	text_put(b, data, len, 0);
}

/* The first word of the command line; of an absolute path its last part. */
static struct pv_bytes program_name(const struct pv_bytes *cmdline)
{
	size_t n = strnlen(cmdline->data, cmdline->len);
	const char *slash = n && cmdline->data[0] == '/' ? memrchr(cmdline->data, '/', n) : NULL;
	size_t skip = slash ? (size_t)(slash + 1 - cmdline->data) : 0;

	return (struct pv_bytes){ cmdline->data + skip, (uint32_t)(n - skip) };
}

/* Of several holders it is the one with the lowest pid. */
bool netstat_program(const struct pv_snapshot *s, const struct pv_conversation *row,
		     int32_t *ret_pid, struct pv_bytes *ret_name)
{
	const struct pv_process *first = NULL;

	for (uint32_t i = 0; i < row->n_holders; i++) {
		const struct pv_process *p =
			pv_snapshot_process(s, pv_snapshot_holder(s, row, i)->process);

		if (p->cmdline.len && (!first || p->pid < first->pid))
			first = p;
	}
	if (!first)
		return false;
	*ret_pid = first->pid;
	*ret_name = program_name(&first->cmdline);
	return true;
}
