/* SPDX-License-Identifier: MIT */
/* Recordings of rules, interfaces and addresses, made by nft, iptables-nft and ip. */
#include "netlink_messages.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>

#include "netlink/links.h"
#include "netlink/nftables.h"

/* A rule in words, so that a test says what it expects on one line. */
static void put_addr(struct buf *b, uint8_t family, const uint8_t *addr)
{
	char text[INET6_ADDRSTRLEN];

	buf_puts(b, inet_ntop(family, addr, text, sizeof(text)));
}

static void put_match(struct buf *b, const struct nft_match *m)
{
	if (m->family)
		buf_puts(b, m->family == AF_INET ? " v4" : " v6");
	if (m->protocol)
		buf_printf(b, " proto %u", m->protocol);
	if (m->dst_prefix) {
		buf_puts(b, " dst ");
		put_addr(b, m->family, m->dst);
		buf_printf(b, "/%u", m->dst_prefix);
	}
	for (uint8_t i = 0; !ports_are_any(&m->ports) && i < m->ports.n; i++)
		buf_printf(b, " port %u-%u", m->ports.ranges[i].first, m->ports.ranges[i].last);
	if (m->is_dst_local)
		buf_puts(b, " local");
	if (m->is_partial)
		buf_puts(b, m->is_port_unsure ? " partial unsure" : " partial");
}

static int put_rule(void *userdata, const struct nft_rule *r)
{
	struct buf *b = userdata;

	buf_printf(b, "%u %.*s %.*s:", r->family, (int)r->table.len, r->table.data,
		   (int)r->chain.len, r->chain.data);
	put_match(b, &r->match);
	if (r->verdict == NFT_LEADS_TO_CHAIN)
		buf_printf(b, " %s %.*s", r->is_goto ? "goto" : "jump", (int)r->to_chain.len,
			   r->to_chain.data);
	else if (r->verdict == NFT_ENDS)
		buf_puts(b, " ends");
	else
		buf_puts(b, r->is_redirect ? " redirect" : " dnat");
	if (r->has_address && !r->is_unknown) {
		buf_putc(b, ' ');
		put_addr(b, r->to_family, r->first_addr);
		assert_memory_equal(r->first_addr, r->last_addr, 16);
	}
	if (r->has_ports)
		buf_printf(b, " to %u-%u", r->first_port, r->last_port);
	if (r->is_unknown)
		buf_puts(b, " unknown");
	buf_putc(b, '\n');
	return 0;
}

static void assert_rules(const char *name, const char *expected)
{
	_cleanup_(cleanup_buf) struct buf data = BUF_INIT;
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;
	uint64_t malformed = 0;

	read_data(name, &data);
	assert_int_equal(nft_rules_parse(data.data, data.len, put_rule, &text, &malformed), 0);
	assert_int_equal(malformed, 0);
	assert_string_equal(buf_str(&text), expected);
}

static void test_rules_of_nft(void **state)
{
	(void)state;
	assert_rules("nft-rules-plain",
		     "2 nat pre: proto 6 port 8080-8080 dnat 10.9.0.2 to 80-80\n"
		     "2 nat pre: proto 17 port 5353-5353 dnat 10.9.0.3 to 53-53\n"
		     "2 nat pre: v4 proto 6 dst 192.0.2.1/32 port 9000-9010 dnat 10.9.0.3\n"
		     "2 nat pre: proto 6 port 7000-7000 redirect to 7001-7001\n"
		     "2 nat pre: proto 6 partial unsure dnat 10.9.0.2\n"
		     "2 nat pre: proto 6 partial unsure dnat unknown\n"
		     "2 nat pre: proto 6 port 4200-4200 partial jump sub\n"
		     "2 nat sub: v4 proto 6 dst 192.0.2.0/25 port 4200-4200 dnat 10.9.0.3 to "
		     "4201-4201\n");
}

static void test_rules_of_iptables(void **state)
{
	(void)state;
	assert_rules("nft-rules-iptables",
		     "2 nat DOCKER: proto 6 port 8080-8080 partial dnat 172.17.0.2 to 80-80\n"
		     "2 nat DOCKER: v4 proto 17 dst 192.0.2.1/32 port 5000-5010 dnat 172.17.0.3\n"
		     "2 nat PREROUTING: local jump DOCKER\n"
		     "2 nat PREROUTING: proto 6 port 80-80 redirect to 8080-8080\n"
		     "2 nat PREROUTING: proto 6 port 1-3 dnat 172.17.0.4\n"
		     "2 nat OUTPUT: local partial jump DOCKER\n"
		     "10 nat PREROUTING: v6 proto 6 dst 2001:db8::/64 port 443-443 dnat fd00::2 to "
		     "8443-8443\n"
		     "10 nat OUTPUT: proto 6 port 81-81 redirect to 8081-8081\n"
		     "1 fw pre: v4 proto 6 dst 198.51.100.0/24 port 22-22 dnat 10.1.2.3 to "
		     "2222-2222\n"
		     "1 fw pre: proto 17 port 53-53 local dnat fd00::53\n"
		     "1 fw pre: proto 6 port 100-100 partial dnat 10.1.2.4\n"
		     "1 fw pre: proto 6 port 0-6 port 8-65535 redirect\n");
}

static void assert_ports(const struct port_set *p, const char *expected)
{
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;

	for (uint8_t i = 0; i < p->n; i++)
		buf_printf(&text, "%u-%u ", p->ranges[i].first, p->ranges[i].last);
	assert_string_equal(buf_str(&text) ? buf_str(&text) : "", expected);
}

static void test_ports(void **state)
{
	struct port_set p = PORTS_ANY, by = { .n = 0 };

	(void)state;
	assert_true(ports_add(&by, 90, 95) && ports_add(&by, 10, 20) && ports_add(&by, 50, 50));
	assert_true(ports_add(&by, 21, 30) && ports_add(&by, 40, 39));
	assert_ports(&by, "10-30 50-50 90-95 ");
	assert_true(ports_narrow(&p, &by, true));
	assert_ports(&p, "0-9 31-49 51-89 96-65535 ");
	assert_false(ports_have(&p, 50));
	assert_true(ports_have(&p, 51) && ports_have(&p, UINT16_MAX));
	by = ports_of(40, 100);
	assert_true(ports_narrow(&p, &by, false));
	assert_ports(&p, "40-49 51-89 96-100 ");
	by = ports_of(0, UINT16_MAX);
	assert_true(ports_narrow(&p, &by, true));
	assert_int_equal(p.n, 0);
	assert_false(ports_have(&p, 0));
	/* what has no room leaves it as it was */
	by.n = 0;
	for (uint16_t i = 0; i < PORTS_MAX; i++)
		assert_true(ports_add(&by, (uint16_t)(10 * i + 5), (uint16_t)(10 * i + 6)));
	assert_false(ports_add(&by, 1000, 1000));
	p = PORTS_ANY;
	assert_false(ports_narrow(&p, &by, true));
	assert_true(ports_are_any(&p));
	assert_true(ports_add(&by, 0, UINT16_MAX) && ports_are_any(&by));
}

/* ---- elements, as the kernel lays them out ---- */

static void put_attr(struct buf *b, uint16_t type, const void *data, size_t len)
{
	struct nlattr a = { .nla_len = (uint16_t)(NLA_HDRLEN + len), .nla_type = type };
	static const char padding[NLA_ALIGNTO];

	buf_put(b, &a, sizeof(a));
	buf_put(b, data, len);
	buf_put(b, padding, NLA_ALIGN(len) - len);
}

static void put_nested(struct buf *b, uint16_t type, struct buf *inner)
{
	put_attr(b, type | NLA_F_NESTED, inner->data, inner->len);
	buf_clear(inner);
}

static void put_value(struct buf *b, uint16_t type, const void *data, size_t len)
{
	_cleanup_(cleanup_buf) struct buf inner = BUF_INIT;

	put_attr(&inner, NFTA_DATA_VALUE, data, len);
	put_nested(b, type, &inner);
}

static void put_verdict(struct buf *b, int32_t code, const char *chain)
{
	_cleanup_(cleanup_buf) struct buf verdict = BUF_INIT;
	_cleanup_(cleanup_buf) struct buf inner = BUF_INIT;
	uint32_t be = htonl((uint32_t)code);

	put_attr(&verdict, NFTA_VERDICT_CODE, &be, sizeof(be));
	if (chain)
		put_attr(&verdict, NFTA_VERDICT_CHAIN, chain, strlen(chain) + 1);
	put_nested(&inner, NFTA_DATA_VERDICT, &verdict);
	put_nested(b, NFTA_SET_ELEM_DATA, &inner);
}

static void put_flags(struct buf *b, uint32_t flags)
{
	uint32_t be = htonl(flags);

	put_attr(b, NFTA_SET_ELEM_FLAGS, &be, sizeof(be));
}

/* One of each kind. */
static void put_elements(struct buf *list)
{
	static const char big[NFT_ELEMENT_MAX + 1];
	_cleanup_(cleanup_buf) struct buf e = BUF_INIT;

	put_value(&e, NFTA_SET_ELEM_KEY, "\x00\x50", 2);
	put_value(&e, NFTA_SET_ELEM_KEY_END, "\x00\x5a", 2);
	put_value(&e, NFTA_SET_ELEM_DATA, "\x0a\x09\x00\x02", 4);
	put_nested(list, NFTA_LIST_ELEM, &e);
	put_value(&e, NFTA_SET_ELEM_KEY, "\x00\x51", 2);
	put_flags(&e, NFT_SET_ELEM_INTERVAL_END);
	put_nested(list, NFTA_LIST_ELEM, &e);
	put_flags(&e, NFT_SET_ELEM_CATCHALL);
	put_verdict(&e, NFT_GOTO, "sub");
	put_nested(list, NFTA_LIST_ELEM, &e);
	put_value(&e, NFTA_SET_ELEM_KEY, big, sizeof(big));
	put_verdict(&e, NFT_JUMP, "sub");
	put_nested(list, NFTA_LIST_ELEM, &e);
	put_value(&e, NFTA_SET_ELEM_KEY, "\x00", 1);
	put_verdict(&e, NF_ACCEPT, NULL);
	put_nested(list, NFTA_LIST_ELEM, &e);
	put_verdict(&e, NFT_CONTINUE, NULL);
	put_nested(list, NFTA_LIST_ELEM, &e);
}

static void put_hex(struct buf *b, const char *name, struct pv_bytes bytes)
{
	if (bytes.len)
		buf_puts(b, name);
	for (uint32_t i = 0; i < bytes.len; i++)
		buf_printf(b, "%02x", (uint8_t)bytes.data[i]);
}

static int put_element(void *userdata, const struct nft_element *e)
{
	static const char *const verdicts[] = { "", " jump", "", " ends" };
	struct buf *b = userdata;

	put_hex(b, " ", e->key);
	put_hex(b, "-", e->last);
	put_hex(b, ":", e->data);
	buf_printf(b, "%s%s%s%s", e->is_end ? " end" : "", e->is_catchall ? " all" : "",
		   e->is_goto ? " goto" : verdicts[e->verdict], e->to_chain.len ? " " : "");
	buf_printf(b, "%.*s\n", (int)e->to_chain.len, e->to_chain.data);
	return 0;
}

static int refuse_element(void *userdata, const struct nft_element *e)
{
	(void)userdata, (void)e;
	return -E2BIG;
}

static void test_elements(void **state)
{
	static const struct nfgenmsg fixed = { .nfgen_family = NFPROTO_IPV4 };
	_cleanup_(cleanup_buf) struct buf list = BUF_INIT;
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;
	struct message m = { .len = 0 };
	uint64_t malformed = 0;
	size_t at;

	(void)state;
	put_elements(&list);
	at = put_message(&m, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM, &fixed, sizeof(fixed));
	put_attribute(&m, at, NFTA_SET_ELEM_LIST_ELEMENTS, list.data, list.len);
	assert_int_equal(nft_elements_parse(m.data, m.len, put_element, &text, &malformed), 0);
	assert_int_equal(malformed, 0);
	assert_string_equal(buf_str(&text), " 0050-005a:0a090002\n 0051 end\n all goto sub\n"
					    " jump sub\n 00 ends\n\n");
	assert_int_equal(nft_elements_parse(m.data, m.len, refuse_element, NULL, &malformed),
			 -E2BIG);
	/* a list that is cut is not taken for a whole one */
	m.len = 0;
	at = put_message(&m, NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWSETELEM, &fixed, sizeof(fixed));
	put_attribute(&m, at, NFTA_SET_ELEM_LIST_ELEMENTS, list.data, list.len - 4);
	assert_int_equal(nft_elements_parse(m.data, m.len, put_element, &text, &malformed), 0);
	assert_int_equal(malformed, 1);
}

static int put_chain(void *userdata, const struct nft_chain *c)
{
	struct buf *b = userdata;

	buf_printf(b, "%u %.*s %.*s%s", c->family, (int)c->table.len, c->table.data,
		   (int)c->name.len, c->name.data, c->is_nat ? " nat" : "");
	if (c->has_hook)
		buf_printf(b, " hook %u", c->hook);
	buf_putc(b, '\n');
	return 0;
}

static void test_chains(void **state)
{
	_cleanup_(cleanup_buf) struct buf data = BUF_INIT;
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;
	uint64_t malformed = 0;

	(void)state;
	read_data("nft-chains-iptables", &data);
	assert_int_equal(nft_chains_parse(data.data, data.len, put_chain, &text, &malformed), 0);
	assert_int_equal(malformed, 0);
	assert_string_equal(buf_str(&text), "2 nat DOCKER\n"
					    "2 nat PREROUTING nat hook 0\n"
					    "2 nat OUTPUT nat hook 3\n"
					    "2 nat POSTROUTING nat hook 4\n"
					    "10 nat PREROUTING nat hook 0\n"
					    "10 nat OUTPUT nat hook 3\n"
					    "1 fw pre nat hook 0\n");
}

static int put_link(void *userdata, const struct link_entry *l)
{
	buf_printf(userdata, "%u %s kind=%s peer=%u/%d master=%u\n", l->index, l->name, l->kind,
		   l->peer, l->peer_nsid, l->master);
	return 0;
}

static void test_links(void **state)
{
	_cleanup_(cleanup_buf) struct buf data = BUF_INIT;
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;
	uint64_t malformed = 0;

	(void)state;
	read_data("links-bridge", &data);
	assert_int_equal(links_parse(data.data, data.len, put_link, &text, &malformed), 0);
	assert_int_equal(malformed, 0);
	assert_string_equal(buf_str(&text), "1 lo kind= peer=0/-1 master=0\n"
					    "2 br0 kind=bridge peer=0/-1 master=0\n"
					    "3 vc1 kind=veth peer=2/0 master=2\n"
					    "4 vc2 kind=veth peer=2/1 master=2\n"
					    "5 up0 kind=veth peer=2/2 master=0\n");
}

/* An answer to RTM_GETNSID, as the kernel lays it out: header, family, two attributes. */
static void test_nsid(void **state)
{
	uint32_t answer[] = { 36, 88, 1, 0, 0, 1 << 16 | 8, 7, 4 << 16 | 8, 9 };
	const char *bytes = (const char *)answer;
	uint64_t malformed = 0;
	int32_t nsid = LINK_NSID_NONE;

	(void)state;
	assert_int_equal(link_nsid_parse(answer, sizeof(answer), &nsid, &malformed), 0);
	assert_int_equal(nsid, 7);
	assert_int_equal(malformed, 0);
	for (uint32_t cut = 17; cut < sizeof(answer); cut++) {
		malformed = 0;
		answer[0] = cut;
		assert_int_equal(link_nsid_parse(answer, cut, &nsid, &malformed), 0);
		/* whole up to the first attribute, or the second */
		assert_int_equal(malformed, cut != 20 && cut != 28);
	}
	answer[0] = 36;
	answer[5] = 1 << 16 | 6;
	malformed = 0;
	assert_int_equal(link_nsid_parse(answer, sizeof(answer), &nsid, &malformed), 0);
	assert_int_equal(malformed, 1);
	assert_int_equal(link_nsid_parse(bytes + 1, 16, &nsid, &malformed), -EINVAL);
}

static int put_address(void *userdata, const struct link_address *a)
{
	struct buf *b = userdata;

	/* link-local ones are made of random hardware addresses */
	if (a->family == AF_INET6 && a->addr[0] == 0xfe)
		return 0;
	put_addr(b, a->family, a->addr);
	buf_printf(b, "/%u dev %u\n", a->prefix, a->index);
	return 0;
}

static void test_addresses(void **state)
{
	_cleanup_(cleanup_buf) struct buf data = BUF_INIT;
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;
	uint64_t malformed = 0;

	(void)state;
	read_data("addresses-bridge", &data);
	assert_int_equal(link_addresses_parse(data.data, data.len, put_address, &text, &malformed),
			 0);
	assert_int_equal(malformed, 0);
	assert_string_equal(buf_str(&text), "127.0.0.1/8 dev 1\n10.9.0.1/24 dev 2\n"
					    "192.0.2.1/24 dev 5\n::1/128 dev 1\n"
					    "2001:db8::1/64 dev 2\n");
}

static int refuse_link(void *userdata, const struct link_entry *l)
{
	(void)userdata, (void)l;
	return -ENOMEM;
}

/* Cut anywhere, or with any byte another, it is passed over or understood, and nothing else. */
static void test_hostile(void **state)
{
	_cleanup_(cleanup_buf) struct buf data = BUF_INIT;
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;
	uint64_t malformed = 0;

	(void)state;
	read_data("links-bridge", &data);
	for (size_t cut = 1; cut < 1200; cut++) {
		malformed = 0;
		buf_clear(&text);
		assert_int_equal(links_parse(data.data, cut, put_link, &text, &malformed), 0);
	}
	assert_int_equal(malformed, 1);
	assert_int_equal(links_parse(data.data, data.len, refuse_link, NULL, &malformed), -ENOMEM);
	assert_int_equal(links_parse(data.data + 1, 64, refuse_link, NULL, &malformed), -EINVAL);
	malformed = 0;
	assert_int_equal(nft_chains_parse(data.data, data.len, put_chain, &text, &malformed), 0);
	assert_true(malformed >= 5);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rules_of_nft), cmocka_unit_test(test_rules_of_iptables),
		cmocka_unit_test(test_chains),	     cmocka_unit_test(test_links),
		cmocka_unit_test(test_addresses),    cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_nsid),	     cmocka_unit_test(test_ports),
		cmocka_unit_test(test_elements),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
