/* SPDX-License-Identifier: MIT */
/* Answers of generic netlink made by hand: of a WireGuard interface nothing but its port is taken.
 */
#include "netlink_messages.h"

#include <linux/genetlink.h>
#include <linux/wireguard.h>

#include "netlink/wireguard.h"

#define FAMILY 0x1c

static size_t begin(struct message *m, uint16_t type)
{
	const struct genlmsghdr g = { .cmd = 1, .version = 1 };

	return put_message(m, type, &g, sizeof(g));
}

static void put_family(struct message *m, const char *name, size_t len, uint16_t id)
{
	size_t at = begin(m, GENL_ID_CTRL);

	put_attribute(m, at, CTRL_ATTR_FAMILY_NAME, name, len);
	put_attribute(m, at, CTRL_ATTR_FAMILY_ID, &id, sizeof(id));
}

static void family(void **state)
{
	struct message m = { .len = 0 };

	(void)state;
	put_family(&m, "nlctrl", 7, GENL_ID_CTRL);
	assert_int_equal(wireguard_family_parse(m.data, m.len), 0);
	put_family(&m, "wireguards", 11, 0x20);
	put_family(&m, "wire", 5, 0x21);
	assert_int_equal(wireguard_family_parse(m.data, m.len), 0);
	put_family(&m, "wireguard", 10, FAMILY);
	assert_int_equal(wireguard_family_parse(m.data, m.len), FAMILY);
	for (size_t i = 0; i < m.len; i++)
		assert_int_equal(wireguard_family_parse(m.data, i), 0);
	assert_int_equal(wireguard_family_parse(m.data + 1, m.len - 1), 0);
}

static void port(void **state)
{
	const uint16_t wanted = 51820;
	struct message m = { .len = 0 };
	size_t at = begin(&m, FAMILY);

	(void)state;
	put_attribute(&m, at, WGDEVICE_A_PRIVATE_KEY, "01234567890123456789012345678901", 32);
	put_u32(&m, at, WGDEVICE_A_FWMARK, 7);
	assert_int_equal(wireguard_port_parse(m.data, m.len, FAMILY), 0);
	put_attribute(&m, at, WGDEVICE_A_LISTEN_PORT, &wanted, sizeof(wanted));
	assert_int_equal(wireguard_port_parse(m.data, m.len, FAMILY), 51820);
	/* of another family, or of none */
	assert_int_equal(wireguard_port_parse(m.data, m.len, FAMILY + 1), 0);
	assert_int_equal(wireguard_port_parse(m.data, m.len, 0), 0);
	m.len = 0;
	put_attribute(&m, begin(&m, FAMILY), WGDEVICE_A_LISTEN_PORT, &wanted, 1);
	assert_int_equal(wireguard_port_parse(m.data, m.len, FAMILY), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(family), cmocka_unit_test(port) };

	return cmocka_run_group_tests(tests, NULL, NULL);
}
