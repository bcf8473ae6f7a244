/* SPDX-License-Identifier: MIT */
/*
 * Who uses the kernel's own sockets. A port alone is no proof: the use has to stand in a table of
 * the kernel's (mounted file systems, the NFS server's ports, tunnel interfaces, WireGuard
 * devices).
 */
#include "judge/kernel.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netlink.h>
#include <string.h>
#include <sys/socket.h>

#include "base/cleanup.h"
#include "judge/judge-internal.h"
#include "netlink/links.h"
#include "netlink/wireguard.h"
#include "procfs/text.h"

#define NFS_EVIDENCE "/proc/fs/nfsfs/servers names the server"
#define NFSD_EVIDENCE "/proc/fs/nfsd/portlist names the port"
#define CIFS_EVIDENCE "a file system of this server is mounted"
#define CIFS_PORT 445
#define WIREGUARD "wireguard"

/* --- parsers --- */

static int hex_digit(char c)
{
	return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* 8 digits (IPv4) or 32 (IPv6), in the order of the bytes */
static bool hex_address(struct text t, struct kernel_use *use)
{
	size_t n = text_len(t) / 2;

	if (text_len(t) != 8 && text_len(t) != 32)
		return false;
	for (size_t i = 0; i < n; i++) {
		int high = hex_digit(t.p[2 * i]), low = hex_digit(t.p[2 * i + 1]);

		if (high < 0 || low < 0)
			return false;
		use->remote.addr[i] = (uint8_t)(high << 4 | low);
	}
	use->family = n == 4 ? AF_INET : AF_INET6;
	return true;
}

/* "v4 0a000001  801   1 host": version, address, port in hexadecimal */
int kernel_nfs_servers_parse(const void *data, size_t len, kernel_use_fn *fn, void *userdata)
{
	struct text t = text_of(data, len), line, word;
	int r = 0;

	while (r == 0 && text_line(&t, &line, NULL)) {
		struct kernel_use use = { .kind = "an NFS client",
					  .evidence = NFS_EVIDENCE,
					  .proto = PV_PROTO_TCP };

		if (!text_word(&line, &word) || !text_starts(word, "v") ||
		    !text_word(&line, &word) || !hex_address(word, &use) ||
		    !text_word_u32(&line, 16, &use.remote.port) || !use.remote.port)
			continue;
		r = fn(userdata, &use);
	}
	return r;
}

/* "tcp 2049" */
int kernel_nfsd_ports_parse(const void *data, size_t len, kernel_use_fn *fn, void *userdata)
{
	struct text t = text_of(data, len), line, word;
	int r = 0;

	while (r == 0 && text_line(&t, &line, NULL)) {
		struct kernel_use use = { .kind = "the NFS server", .evidence = NFSD_EVIDENCE };
		uint32_t port;

		if (!text_word(&line, &word) || !text_word_u32(&line, 10, &port) || !port ||
		    port > UINT16_MAX)
			continue;
		use.proto = text_starts(word, "udp") ? PV_PROTO_UDP : PV_PROTO_TCP;
		use.local_port = (uint16_t)port;
		r = fn(userdata, &use);
	}
	return r;
}

static bool text_address(struct text t, struct kernel_use *use)
{
	char text[INET6_ADDRSTRLEN];

	if (text_len(t) >= sizeof(text))
		return false;
	memcpy(text, t.p, text_len(t));
	text[text_len(t)] = 0;
	use->family = AF_INET;
	if (inet_pton(AF_INET, text, use->remote.addr) == 1)
		return true;
	use->family = AF_INET6;
	return inet_pton(AF_INET6, text, use->remote.addr) == 1;
}

static bool cifs_mount(struct text line, struct kernel_use *use)
{
	struct text word, option;
	bool is_cifs = false, has_address = false;

	/* "... - TYPE SOURCE OPTIONS" (proc(5)) */
	while (text_word(&line, &word) && !text_is(word, "-"))
		;
	is_cifs = text_word(&line, &word) && (text_is(word, "cifs") || text_is(word, "smb3"));
	if (!is_cifs || !text_word(&line, &word) || !text_word(&line, &word))
		return false;
	use->remote.port = CIFS_PORT;
	while (text_until(&word, ',', &option)) {
		bool is_port = text_starts(option, "port=");

		if (!is_port && !text_starts(option, "addr="))
			continue;
		option.p += 5;
		if (is_port && !text_u32(option, 10, &use->remote.port))
			return false;
		has_address = has_address || (!is_port && text_address(option, use));
	}
	return has_address;
}

int kernel_cifs_mounts_parse(const void *data, size_t len, kernel_use_fn *fn, void *userdata)
{
	struct text t = text_of(data, len), line;
	int r = 0;

	while (r == 0 && text_line(&t, &line, NULL)) {
		struct kernel_use use = { .kind = "a CIFS client",
					  .evidence = CIFS_EVIDENCE,
					  .proto = PV_PROTO_TCP };

		if (cifs_mount(line, &use))
			r = fn(userdata, &use);
	}
	return r;
}

/* --- gathering --- */

static int take(void *userdata, const struct kernel_use *use)
{
	struct judge *j = userdata;

	return vec_push(&j->kernel_uses, *use);
}

/* Interfaces that the kernel has sockets for. */
struct links {
	struct judge *j;
	int generic_fd;	 /* -1 = not needed yet */
	uint16_t family; /* WireGuard's; 0 = not asked for yet */
};

static int read_table(struct judge *j, const char *path,
		      int (*parse)(const void *data, size_t len, kernel_use_fn *fn, void *userdata))
{
	_cleanup_(cleanup_buf) struct buf b = BUF_INIT;
	int r = tape_proc_read(j->tape, -1, path, &b);

	if (r == -ENOMEM || buf_error(&b) < 0)
		return -ENOMEM;
	return r < 0 ? 0 : parse(b.data, b.len, take, j);
}

static uint16_t parse_port(const struct pv_bytes *value)
{
	uint32_t port = 0;

	if (!text_u32(text_of(value->data, value->len), 10, &port) || port > UINT16_MAX)
		return 0;
	return (uint16_t)port;
}

/* 0 in *ret = not known. What is recorded is the port, not the answer, which has the keys. */
static int wireguard_port(struct links *l, uint32_t index, uint16_t *ret)
{
	struct recall *recall = &l->j->recall;
	struct pv_bytes value;
	char key[48], text[8];
	int n;

	snprintf(key, sizeof(key), "wireguard port of %u", index);
	if (recall_get(recall, key, &value)) {
		*ret = parse_port(&value);
		return 0;
	}
	if (l->generic_fd < 0)
		l->generic_fd = netlink_open_family(NETLINK_GENERIC);
	if (l->generic_fd >= 0 &&
	    wireguard_read_port(l->generic_fd, index, &l->family, ret) == -ENOMEM)
		return -ENOMEM;
	n = snprintf(text, sizeof(text), "%u", *ret);
	recall_put(recall, key, text, (size_t)n);
	return 0;
}

static int take_link(void *userdata, const struct link_entry *link)
{
	static const struct {
		const char *kind, *name;
	} kinds[] = { { "vxlan", "a VXLAN tunnel" },
		      { "geneve", "a GENEVE tunnel" },
		      { WIREGUARD, "WireGuard" } };
	struct kernel_use use = { .proto = PV_PROTO_UDP,
				  .local_port = link->tunnel_port,
				  .evidence = "an interface of that kind has the port" };
	struct links *l = userdata;
	int r = 0;

	for (size_t i = 0; i < sizeof(kinds) / sizeof(*kinds); i++)
		if (!strcmp(link->kind, kinds[i].kind))
			use.kind = kinds[i].name;
	if (!strcmp(link->kind, WIREGUARD))
		r = wireguard_port(l, link->index, &use.local_port);
	return r < 0 || !use.local_port ? r : take(l->j, &use);
}

static int read_links(struct judge *j)
{
	_cleanup_(cleanup_fd) int fd = -1;
	struct links l = { .j = j, .generic_fd = -1 };
	uint64_t malformed = 0;
	int r;

	if (j->tape->mode != TAPE_REPLAY)
		fd = netlink_open_family(NETLINK_ROUTE);
	r = links_read(j->tape, fd, ".judge", take_link, &l, &malformed);
	close_fd(l.generic_fd);
	return r == -ENOMEM ? r : 0;
}

int kernel_gather(struct judge *j)
{
	int r;

	if (j->has_kernel_uses)
		return 0;
	j->has_kernel_uses = true;
	r = read_table(j, "fs/nfsfs/servers", kernel_nfs_servers_parse);
	if (r == 0)
		r = read_table(j, "fs/nfsd/portlist", kernel_nfsd_ports_parse);
	if (r == 0)
		r = read_table(j, "self/mountinfo", kernel_cifs_mounts_parse);
	return r < 0 ? r : read_links(j);
}

static bool uses(const struct kernel_use *use, const struct pv_conversation *c)
{
	if (use->proto != c->proto || (use->local_port && use->local_port != c->local.port))
		return false;
	if (!use->remote.port)
		return use->local_port;
	return use->family == c->family && use->remote.port == c->remote.port &&
	       !memcmp(use->remote.addr, c->remote.addr, use->family == AF_INET ? 4 : 16);
}

const struct kernel_use *kernel_use_of(const struct judge *j, const struct pv_conversation *c)
{
	/* the tables are those of our own network namespace */
	for (size_t i = 0; j->request->is_home && c->netns == 0 && i < j->kernel_uses.n; i++)
		if (uses(&j->kernel_uses.items[i], c))
			return &j->kernel_uses.items[i];
	return NULL;
}
