/* SPDX-License-Identifier: MIT */
/* Community IDs of conversations, against what the specification has. */
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <sys/socket.h>

#include <cmocka.h>

#include <portavoz/conversation.h>
#include <portavoz/flow.h>

/* The specification's own examples (seed 0). */
static void community_ids(void **state)
{
	static const struct {
		const char *local, *remote, *id;
		int family;
		uint16_t local_port, remote_port;
		uint8_t protocol, icmp_type, icmp_code;
	} cases[] = {
		{ "128.232.110.120", "66.35.250.204", "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", AF_INET,
		  34855, 80, IPPROTO_TCP, 0, 0 },
		{ "66.35.250.204", "128.232.110.120", "1:LQU9qZlK+B5F3KDmev6m5PMibrg=", AF_INET, 80,
		  34855, IPPROTO_TCP, 0, 0 },
		{ "192.168.1.52", "8.8.8.8", "1:d/FP5EW3wiY1vCndhwleRRKHowQ=", AF_INET, 54585, 53,
		  IPPROTO_UDP, 0, 0 },
		{ "192.168.0.89", "192.168.0.1", "1:X0snYXpgwiv9TZtqg64sgzUn6Dk=", AF_INET, 0, 0,
		  IPPROTO_ICMP, 8, 0 },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		const struct pv_flow f = { .ip_proto = cases[i].protocol,
					   .icmp_type = cases[i].icmp_type,
					   .icmp_code = cases[i].icmp_code };
		struct pv_conversation c = { .family = (uint8_t)cases[i].family, .flow = &f };
		char id[PV_COMMUNITY_ID_MAX];

		inet_pton(cases[i].family, cases[i].local, c.local.addr);
		inet_pton(cases[i].family, cases[i].remote, c.remote.addr);
		c.local.port = cases[i].local_port;
		c.remote.port = cases[i].remote_port;
		assert_true(pv_conversation_community_id(&c, id));
		assert_string_equal(id, cases[i].id);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(community_ids) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
