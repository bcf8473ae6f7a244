/* SPDX-License-Identifier: MIT */
/*
 * Interfaces: counters from net/dev, IPv6 addresses from net/if_inet6, the rest by ioctl, which is
 * the only one that knows the labels of addresses ("eth0:1") as interfaces.
 */
#include <errno.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include "base/cleanup.h"
#include "base/vec.h"
#include "procfs/tables.h"

#define LABELS_MAX (1 << 20)

typedef VEC(struct pv_interface) interfaces;

/* bytes, packets, errors, dropped, overruns, frame, compressed, multicast; then sent: the same but
 * collisions and carrier */
static bool parse_counters(struct text line, struct pv_interface_counters *c)
{
	uint64_t v[15];

	for (size_t i = 0; i < sizeof(v) / sizeof(*v); i++)
		if (!text_word_u64(&line, 10, &v[i]))
			return false;
	*c = (struct pv_interface_counters){
		.rx_bytes = v[0],
		.rx_packets = v[1],
		.rx_errors = v[2],
		.rx_dropped = v[3],
		.rx_overruns = v[4],
		.rx_frame = v[5],
		.tx_bytes = v[8],
		.tx_packets = v[9],
		.tx_errors = v[10],
		.tx_dropped = v[11],
		.tx_overruns = v[12],
		.tx_collisions = v[13],
		.tx_carrier = v[14],
	};
	return true;
}

int procfs_devices_parse(const void *data, size_t len, struct pv_interface **ret_interfaces,
			 size_t *ret_n)
{
	struct text t = text_of(data, len), line, name, word;
	interfaces all = { 0 };

	/* two lines of headings */
	text_line(&t, &line, NULL);
	text_line(&t, &line, NULL);
	while (text_line(&t, &line, NULL)) {
		struct pv_interface i = { .has_counters = true };

		if (!text_until(&line, ':', &name) || !text_word(&name, &word) ||
		    !parse_counters(line, &i.counters))
			continue;
		procfs_ifname_set(i.name, word);
		if (vec_push(&all, i) < 0) {
			vec_deinit(&all);
			return -ENOMEM;
		}
	}
	*ret_interfaces = all.items;
	*ret_n = all.n;
	return 0;
}

static struct pv_interface *find(struct pv_interface *all, size_t n, struct text name)
{
	for (size_t i = 0; i < n; i++)
		if (text_is(name, all[i].name))
			return &all[i];
	return NULL;
}

static int add_inet6(struct pv_interface *i, const struct pv_inet6_address *address)
{
	struct pv_inet6_address *grown = reallocarray(i->inet6, i->n_inet6 + 1, sizeof(*i->inet6));

	if (!grown)
		return -ENOMEM;
	i->inet6 = grown;
	i->inet6[i->n_inet6++] = *address;
	return 0;
}

/* address, index, prefix length, scope, flags, name */
int procfs_inet6_parse(const void *data, size_t len, struct pv_interface *all, size_t n)
{
	struct text t = text_of(data, len), line, word;

	while (text_line(&t, &line, NULL)) {
		struct pv_inet6_address address = { 0 };
		struct pv_interface *i;
		uint32_t prefix, scope;

		if (!text_word(&line, &word) || !procfs_inet6_of(word, address.addr) ||
		    !text_skip(&line, 1) || !text_word_u32(&line, 16, &prefix) ||
		    !text_word_u32(&line, 16, &scope) || !text_skip(&line, 1) ||
		    !text_word(&line, &word))
			continue;
		address.prefix = (uint8_t)prefix;
		address.scope = (uint8_t)scope;
		i = find(all, n, word);
		if (i && add_inet6(i, &address) < 0)
			return -ENOMEM;
	}
	return 0;
}

static int add_labels(const struct ifconf *list, interfaces *all)
{
	size_t n = (size_t)list->ifc_len / sizeof(struct ifreq);

	for (size_t k = 0; k < n; k++) {
		const char *name = list->ifc_req[k].ifr_name;
		struct text t = text_of(name, strnlen(name, IFNAMSIZ - 1));
		struct pv_interface i = { 0 };

		if (text_len(t) == 0 || find(all->items, all->n, t))
			continue;
		procfs_ifname_set(i.name, t);
		if (vec_push(all, i) < 0)
			return -ENOMEM;
	}
	return 0;
}

/* Names of every IPv4 address. The kernel fills what fits, so there must be room left over. */
static int read_labels(int fd, interfaces *all)
{
	for (size_t size = 64 * sizeof(struct ifreq); size <= LABELS_MAX; size *= 2) {
		_cleanup_(cleanup_free) char *room = malloc(size);
		struct ifconf list = { .ifc_len = (int)size, .ifc_buf = room };

		if (!room)
			return -ENOMEM;
		if (ioctl(fd, SIOCGIFCONF, &list) < 0)
			return -errno;
		if (list.ifc_len >= 0 && (size_t)list.ifc_len + sizeof(struct ifreq) <= size)
			return add_labels(&list, all);
	}
	return -E2BIG;
}

static bool ask(int fd, const struct pv_interface *i, unsigned long what, struct ifreq *req)
{
	memset(req, 0, sizeof(*req));
	memcpy(req->ifr_name, i->name, sizeof(i->name));
	return ioctl(fd, what, req) == 0;
}

static void ask_inet(int fd, const struct pv_interface *i, unsigned long what,
		     uint8_t addr[static 4])
{
	struct ifreq req;
	struct sockaddr_in in;

	if (!ask(fd, i, what, &req))
		return;
	memcpy(&in, &req.ifr_addr, sizeof(in));
	memcpy(addr, &in.sin_addr, 4);
}

/* false: it went away meanwhile */
static bool ask_all(int fd, struct pv_interface *i)
{
	struct ifreq req;

	if (!ask(fd, i, SIOCGIFFLAGS, &req))
		return false;
	i->flags = (uint16_t)req.ifr_flags;
	if (ask(fd, i, SIOCGIFMTU, &req))
		i->mtu = req.ifr_mtu;
	if (ask(fd, i, SIOCGIFTXQLEN, &req))
		i->queue_length = req.ifr_qlen;
	if (ask(fd, i, SIOCGIFMAP, &req))
		i->media = req.ifr_map.port;
	if (ask(fd, i, SIOCGIFHWADDR, &req)) {
		i->hardware = req.ifr_hwaddr.sa_family;
		memcpy(i->hardware_address, req.ifr_hwaddr.sa_data, sizeof(i->hardware_address));
	}
	i->has_inet = ask(fd, i, SIOCGIFADDR, &req);
	ask_inet(fd, i, SIOCGIFADDR, i->inet);
	ask_inet(fd, i, SIOCGIFNETMASK, i->netmask);
	ask_inet(fd, i, SIOCGIFBRDADDR, i->broadcast);
	ask_inet(fd, i, SIOCGIFDSTADDR, i->peer);
	return true;
}

static int read_rest(interfaces *all)
{
	_cleanup_(cleanup_fd) int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	size_t kept = 0;
	int r = fd < 0 ? -errno : read_labels(fd, all);

	if (r < 0)
		return r;
	for (size_t k = 0; k < all->n; k++)
		if (ask_all(fd, &all->items[k]))
			all->items[kept++] = all->items[k];
	all->n = kept;
	/* a kernel without IPv6 lacks it */
	if (procfs_table_read("net/if_inet6", &b) < 0)
		return 0;
	return procfs_inet6_parse(b.data, b.len, all->items, all->n);
}

int pv_interfaces_read(struct pv_interface **ret_interfaces, size_t *ret_n)
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	interfaces all = { 0 };
	int r = procfs_table_read("net/dev", &b);

	if (r == 0)
		r = procfs_devices_parse(b.data, b.len, &all.items, &all.n);
	all.cap = all.n;
	if (r == 0)
		r = read_rest(&all);
	if (r < 0) {
		pv_interfaces_free(all.items, all.n);
		return r;
	}
	*ret_interfaces = all.items;
	*ret_n = all.n;
	return 0;
}

void pv_interfaces_free(struct pv_interface *all, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(all[i].inet6);
	free(all);
}
