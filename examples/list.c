/* SPDX-License-Identifier: MIT */
/* Every TCP socket with the processes that hold it, through the library alone. */
#include <arpa/inet.h>
#include <stdio.h>
#include <portavoz/portavoz.h>

static void print_end(const struct pv_conversation *c, const struct pv_endpoint *end)
{
	char text[INET6_ADDRSTRLEN] = "?";

	inet_ntop(c->family, end->addr, text, sizeof(text));
	printf(" %s %u", text, end->port);
}

int main(void)
{
	struct pv_request request = PV_REQUEST_INIT;
	struct pv_snapshot *s;

	request.protos = PV_PROTO_BIT(PV_PROTO_TCP);
	request.needs = PV_NEED_OWNERS;
	if (pv_collect(&request, &s) < 0)
		return 1;
	for (size_t i = 0; i < pv_snapshot_count(s); i++) {
		const struct pv_conversation *c = pv_snapshot_get(s, i);

		printf("%s", pv_state_name(c->proto, c->state));
		print_end(c, &c->local);
		print_end(c, &c->remote);
		for (uint32_t n = 0; n < c->n_holders; n++) {
			uint32_t process = pv_snapshot_holder(s, c, n)->process;

			printf(" pid=%d", pv_snapshot_process(s, process)->pid);
		}
		printf(" %s\n", pv_reason_name(c->owner_reason));
	}
	pv_snapshot_free(s);
	return fflush(stdout);
}
