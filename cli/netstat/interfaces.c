/* SPDX-License-Identifier: MIT */
/* netstat -i: a line an interface, or with -e all that is known of it. */
#include <net/if.h>
#include <net/if_arp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "base/inet.h"
#include "cli/netstat/netstat.h"

/* Letters of the short form and words of the long one, each in its order. */
static const struct {
	uint16_t bit;
	char letter;
} letters[] = {
	{ IFF_ALLMULTI, 'A' },	  { IFF_BROADCAST, 'B' },  { IFF_DEBUG, 'D' },
	{ IFF_LOOPBACK, 'L' },	  { IFF_MULTICAST, 'M' },  { IFF_DYNAMIC, 'd' },
	{ IFF_PROMISC, 'P' },	  { IFF_NOTRAILERS, 'N' }, { IFF_NOARP, 'O' },
	{ IFF_POINTOPOINT, 'P' }, { IFF_SLAVE, 's' },	   { IFF_MASTER, 'm' },
	{ IFF_RUNNING, 'R' },	  { IFF_UP, 'U' },
};

static const struct {
	uint16_t bit;
	const char *word;
} words[] = {
	{ IFF_UP, "UP" },
	{ IFF_BROADCAST, "BROADCAST" },
	{ IFF_DEBUG, "DEBUG" },
	{ IFF_LOOPBACK, "LOOPBACK" },
	{ IFF_POINTOPOINT, "POINTOPOINT" },
	{ IFF_NOTRAILERS, "NOTRAILERS" },
	{ IFF_RUNNING, "RUNNING" },
	{ IFF_NOARP, "NOARP" },
	{ IFF_PROMISC, "PROMISC" },
	{ IFF_ALLMULTI, "ALLMULTI" },
	{ IFF_SLAVE, "SLAVE" },
	{ IFF_MASTER, "MASTER" },
	{ IFF_MULTICAST, "MULTICAST" },
	{ IFF_DYNAMIC, "DYNAMIC" },
};

static const struct hardware {
	uint16_t type;
	const char *name, *title;
	uint8_t n_bytes; /* of the address; 0 = none is shown */
} hardware[] = {
	{ ARPHRD_ETHER, "ether", "Ethernet", 6 },
	{ ARPHRD_LOOPBACK, "loop", "Local Loopback", 0 },
	{ ARPHRD_PPP, "ppp", "Point-to-Point Protocol", 0 },
	{ ARPHRD_TUNNEL, "tunnel", "IPIP Tunnel", 0 },
	{ ARPHRD_SIT, "sit", "IPv6-in-IPv4", 0 },
};

static const struct hardware *find_hardware(uint16_t type)
{
	for (size_t i = 0; i < sizeof(hardware) / sizeof(*hardware); i++)
		if (hardware[i].type == type)
			return &hardware[i];
	return NULL;
}

/* "1.5 KiB": cut, not rounded, after the first decimal */
static void put_size(struct buf *b, uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	unsigned power = 0;

	while (power < 6 && bytes >> (10 * (power + 1)))
		power++;
	buf_u64(b, bytes >> (10 * power));
	buf_printf(b, ".%llu %s",
		   (unsigned long long)((bytes & ((UINT64_C(1) << (10 * power)) - 1)) * 10 >>
					(10 * power)),
		   units[power]);
}

static void put_flag_words(struct buf *b, uint16_t flags)
{
	const char *separator = "";

	for (size_t i = 0; i < sizeof(words) / sizeof(*words); i++)
		if (flags & words[i].bit) {
			buf_printf(b, "%s%s", separator, words[i].word);
			separator = ",";
		}
}

static void put_inet(struct buf *b, const struct pv_interface *i)
{
	if (!i->has_inet)
		return;
	buf_puts(b, "        inet ");
	inet_put(b, AF_INET, i->inet);
	buf_puts(b, "  netmask ");
	inet_put(b, AF_INET, i->netmask);
	if (i->flags & IFF_BROADCAST) {
		buf_puts(b, "  broadcast ");
		inet_put(b, AF_INET, i->broadcast);
	}
	if (i->flags & IFF_POINTOPOINT) {
		buf_puts(b, "  destination ");
		inet_put(b, AF_INET, i->peer);
	}
	buf_putc(b, '\n');
}

static const char *scope_name(uint8_t scope)
{
	switch (scope & 0x70) {
	case 0x00:
		return "global";
	case 0x10:
		return "host";
	case 0x20:
		return "link";
	case 0x40:
		return "site";
	default:
		return "unknown";
	}
}

static void put_inet6(struct buf *b, const struct pv_inet6_address *a)
{
	buf_puts(b, "        inet6 ");
	netstat_put_host(b, AF_INET6, a->addr, NULL, true);
	buf_printf(b, "  prefixlen %u  scopeid 0x%x<%s%s>\n", a->prefix, a->scope,
		   a->scope & 0x80 ? "compat," : "", scope_name(a->scope));
}

static void put_hardware(struct buf *b, const struct pv_interface *i)
{
	const struct hardware *h = find_hardware(i->hardware);

	if (h) {
		buf_printf(b, "        %s", h->name);
		for (size_t k = 0; k < h->n_bytes; k++)
			buf_printf(b, "%c%02x", k ? ':' : ' ', i->hardware_address[k]);
	} else {
		buf_puts(b, "        unspec");
		for (size_t k = 0; k < 16; k++)
			buf_printf(b, "%c%02X", k ? '-' : ' ',
				   k < sizeof(i->hardware_address) ? i->hardware_address[k] : 0);
	}
	buf_printf(b, "  txqueuelen %d  (%s)\n", i->queue_length, h ? h->title : "UNSPEC");
	if (i->flags & IFF_PORTSEL)
		buf_printf(b, "        media %s%s\n", "unknown",
			   i->flags & IFF_AUTOMEDIA ? "autoselect" : "");
}

static void put_counters(struct buf *b, const struct pv_interface_counters *c)
{
	buf_printf(b, "        RX packets %llu  bytes %llu (", (unsigned long long)c->rx_packets,
		   (unsigned long long)c->rx_bytes);
	put_size(b, c->rx_bytes);
	buf_printf(b, ")\n        RX errors %llu  dropped %llu  overruns %llu  frame %llu\n",
		   (unsigned long long)c->rx_errors, (unsigned long long)c->rx_dropped,
		   (unsigned long long)c->rx_overruns, (unsigned long long)c->rx_frame);
	buf_printf(b, "        TX packets %llu  bytes %llu (", (unsigned long long)c->tx_packets,
		   (unsigned long long)c->tx_bytes);
	put_size(b, c->tx_bytes);
	buf_printf(b,
		   ")\n        TX errors %llu  dropped %llu overruns %llu  carrier %llu  "
		   "collisions %llu\n",
		   (unsigned long long)c->tx_errors, (unsigned long long)c->tx_dropped,
		   (unsigned long long)c->tx_overruns, (unsigned long long)c->tx_carrier,
		   (unsigned long long)c->tx_collisions);
}

void netstat_put_interface(struct buf *b, const struct pv_interface *i)
{
	buf_printf(b, "%s: flags=%d<", i->name, (int16_t)i->flags);
	put_flag_words(b, i->flags);
	buf_printf(b, ">  mtu %d\n", i->mtu);
	put_inet(b, i);
	for (size_t k = 0; k < i->n_inet6; k++)
		put_inet6(b, &i->inet6[k]);
	put_hardware(b, i);
	if (i->has_counters)
		put_counters(b, &i->counters);
	buf_putc(b, '\n');
}

static void put_line(struct buf *b, const struct pv_interface *i)
{
	const struct pv_interface_counters *c = &i->counters;

	buf_printf(b, "%-15s %5d ", i->name, i->mtu);
	if (i->has_counters)
		buf_printf(b, "%8llu %6llu %6llu %-6llu %8llu %6llu %6llu %6llu ",
			   (unsigned long long)c->rx_packets, (unsigned long long)c->rx_errors,
			   (unsigned long long)c->rx_dropped, (unsigned long long)c->rx_overruns,
			   (unsigned long long)c->tx_packets, (unsigned long long)c->tx_errors,
			   (unsigned long long)c->tx_dropped, (unsigned long long)c->tx_overruns);
	else
		buf_printf(b, "%-56s", "     - no statistics available -");
	if (!i->flags)
		buf_puts(b, "[NO FLAGS]");
	for (size_t k = 0; k < sizeof(letters) / sizeof(*letters); k++)
		if (i->flags & letters[k].bit)
			buf_putc(b, letters[k].letter);
	buf_putc(b, '\n');
}

/* "eth10": the name up to the number at its end, and that number; -1 = none */
static size_t split_number(const char *name, size_t len, long *ret_number)
{
	size_t n = len;

	while (n > 0 && name[n - 1] >= '0' && name[n - 1] <= '9')
		n--;
	*ret_number = n < len ? strtol(name + n, NULL, 10) : -1;
	return n;
}

static int compare_parts(const char *a, size_t a_len, const char *b, size_t b_len)
{
	long a_number, b_number;
	size_t a_n = split_number(a, a_len, &a_number), b_n = split_number(b, b_len, &b_number);
	int r = memcmp(a, b, a_n < b_n ? a_n : b_n);

	if (r)
		return r;
	if (a_n != b_n)
		return a_n < b_n ? -1 : 1;
	return a_number < b_number ? -1 : a_number > b_number;
}

/* eth1, eth1:2, eth1:12, eth2, eth10 */
static int compare(const void *pa, const void *pb)
{
	const char *a = ((const struct pv_interface *)pa)->name;
	const char *b = ((const struct pv_interface *)pb)->name;
	size_t a_len = strcspn(a, ":"), b_len = strcspn(b, ":");
	int r = compare_parts(a, a_len, b, b_len);

	if (r == 0)
		r = compare_parts(a + a_len, strlen(a + a_len), b + b_len, strlen(b + b_len));
	return r ? r : strcmp(a, b);
}

int netstat_interfaces(const struct netstat_values *v, struct buf *b)
{
	struct pv_interface *all = NULL;
	size_t n = 0;
	int r = pv_interfaces_read(&all, &n);

	if (r == 0 && v->redactor)
		r = pv_redact_interfaces(v->redactor, all, n);
	if (r < 0) {
		pv_interfaces_free(all, n);
		return r;
	}
	if (n)
		qsort(all, n, sizeof(*all), compare);
	if (!v->is_repeated)
		buf_puts(b, "Kernel Interface table\n");
	if (!v->extended)
		buf_puts(b, "Iface             MTU    RX-OK RX-ERR RX-DRP RX-OVR    TX-OK TX-ERR "
			    "TX-DRP TX-OVR Flg\n");
	for (size_t i = 0; i < n; i++) {
		if (!v->all && !(all[i].flags & IFF_UP))
			continue;
		if (v->extended)
			netstat_put_interface(b, &all[i]);
		else
			put_line(b, &all[i]);
	}
	pv_interfaces_free(all, n);
	return 0;
}
