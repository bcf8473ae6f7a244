/* SPDX-License-Identifier: MIT */
/* Saved text of ss, netstat and lsof: sockets with their processes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <portavoz/capture.h>

/* name(pid/fd) of each holder, behind state and ends */
static void check_listing(const char *text, const char *expected)
{
	char got[512] = "";
	size_t n = 0;
	struct pv_snapshot *s;

	assert_int_equal(pv_listing_parse(text, strlen(text), &s), 0);
	for (size_t i = 0; i < pv_snapshot_count(s); i++) {
		const struct pv_conversation *c = pv_snapshot_get(s, i);

		n += (size_t)snprintf(got + n, sizeof(got) - n, "%s%s/%d %s %u-%u", i ? "; " : "",
				      pv_proto_name(c->proto), c->family == AF_INET ? 4 : 6,
				      pv_state_name(c->proto, c->state), c->local.port,
				      c->remote.port);
		for (uint32_t k = 0; k < c->n_holders; k++) {
			const struct pv_holder *h = pv_snapshot_holder(s, c, k);
			const struct pv_process *p = pv_snapshot_process(s, h->process);

			n += (size_t)snprintf(got + n, sizeof(got) - n, " %.*s(%d/%d)",
					      (int)p->comm.len, p->comm.data, p->pid, h->fd);
		}
	}
	assert_string_equal(got, expected);
	pv_snapshot_free(s);
}

/* A name may hold what looks like another process: it is part of the name as ss wrote it. */
static void listings(void **state)
{
	struct pv_snapshot *s;

	(void)state;
	check_listing("Netid State Recv-Q Send-Q Local Address:Port Peer Address:Port Process\n"
		      "tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:* users:((\"sshd\",pid=8,fd=3))\n"
		      "tcp ESTAB 0 0 [::1%lo]:22 [::1]:5000 users:((\"a "
		      "b\",pid=9,fd=4),(\"c\",pid=8,fd=5))\n"
		      "udp UNCONN 0 0 *:53 *:*\r\n",
		      "tcp/4 LISTEN 22-0 sshd(8/3); tcp/6 ESTABLISHED 22-5000 a b(9/4) sshd(8/5); "
		      "udp/6 UNCONNECTED 53-0");
	check_listing("ESTAB 0 0 10.0.0.1:22 10.0.0.2:5000 users:((\"sshd\",pid=8,fd=3))",
		      "tcp/4 ESTABLISHED 22-5000 sshd(8/3)");
	check_listing("tcp 0 36 10.0.0.1:22 10.0.0.2:5000 ESTABLISHED 8/sshd: root@pts \n"
		      "tcp6 0 0 :::80 :::* LISTEN - \n"
		      "udp 0 0 0.0.0.0:68 0.0.0.0:* 7/dhclient\n",
		      "tcp/4 ESTABLISHED 22-5000 sshd: root@pts(8/-1); tcp/6 LISTEN 80-0; "
		      "udp/4 UNCONNECTED 68-0 dhclient(7/-1)");
	check_listing("sshd 8 root 3u IPv4 1 0t0 TCP *:22 (LISTEN)\n"
		      "sshd 9 root 4u IPv6 2 0t0 TCP [::1]:22->[::1]:5000 (ESTABLISHED)\n",
		      "tcp/4 LISTEN 22-0 sshd(8/3); tcp/6 ESTABLISHED 22-5000 sshd(9/4)");
	assert_int_equal(pv_listing_parse("hello\n", 6, &s), -EBADMSG);
	assert_int_equal(pv_listing_parse("tcp 0 0 1.2.3.4:99999 0.0.0.0:* LISTEN -", 40, &s),
			 -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(listings) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
