/* SPDX-License-Identifier: MIT */
/* Packets of an interface, by libpcap. Invariant: a packet handed out lies in `bytes`. */
#include "capture/live.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/cleanup.h"
#include "capture/linktype.h"
#include "capture/pcap_api.h"

#define BATCH_BYTES (1U << 20)
#define POLL_MS 4 /* how long the kernel may keep a block that is not full */

struct live {
	const struct pcap_api *api;
	pcap_t *pcap;
	uint16_t link_type;
	bool is_nano;
	char name[IF_NAMESIZE]; /* empty: any interface */
	uint64_t delivered, dropped;
	struct buf bytes;
};

static int of_status(int status)
{
	switch (status) {
	case PCAP_ERROR_NO_SUCH_DEVICE:
		return -ENODEV;
	case PCAP_ERROR_PERM_DENIED:
	case PCAP_ERROR_PROMISC_PERM_DENIED:
		return -EPERM;
	case PCAP_ERROR_IFACE_NOT_UP:
		return -ENETDOWN;
	default:
		return -EIO;
	}
}

static int complain(char *message, int error, const char *what, const char *detail)
{
	snprintf(message, LIVE_MESSAGE_MAX, "%s%s%s", what, *detail ? ": " : "", detail);
	return error;
}

static void configure(const struct pcap_api *api, pcap_t *p, const struct live_request *request)
{
	bool is_any = strcmp(request->interface, "any") == 0;

	api->pcap_set_snaplen(p, (int)request->snaplen);
	api->pcap_set_buffer_size(p, (int)request->ring_bytes);
	api->pcap_set_promisc(p, request->is_promiscuous && !is_any);
	api->pcap_set_timeout(p, POLL_MS);
	api->pcap_set_tstamp_precision(p, PCAP_TSTAMP_PRECISION_NANO);
}

static int activate(struct live *l, char *message)
{
	int status = l->api->pcap_activate(l->pcap);

	if (status < 0) {
		const char *detail = l->api->pcap_geterr(l->pcap);

		return complain(message, of_status(status), l->api->pcap_statustostr(status),
				strcmp(detail, l->api->pcap_statustostr(status)) == 0 ? ""
										      : detail);
	}
	/* the second cooked format tells the interface of each packet; libpcap before 1.10 lacks it
	 */
	if (l->api->pcap_datalink(l->pcap) == DLT_LINUX_SLL)
		l->api->pcap_set_datalink(l->pcap, DLT_LINUX_SLL2);
	l->is_nano = l->api->pcap_get_tstamp_precision(l->pcap) == PCAP_TSTAMP_PRECISION_NANO;
	return 0;
}

static int set_filter(struct live *l, const char *filter, char *message)
{
	struct bpf_program program;
	int r;

	if (l->api->pcap_compile(l->pcap, &program, filter, 1, PCAP_NETMASK_UNKNOWN) < 0)
		return complain(message, -EINVAL, l->api->pcap_geterr(l->pcap), "");
	r = l->api->pcap_setfilter(l->pcap, &program);
	l->api->pcap_freecode(&program);
	return r < 0 ? complain(message, -EIO, l->api->pcap_geterr(l->pcap), "") : 0;
}

int live_open(const struct live_request *request, struct live **ret, char *message)
{
	char error[PCAP_ERRBUF_SIZE] = "";
	const struct pcap_api *api = pcap_api();
	struct live *l;
	int r;

	if (!api)
		return complain(message, -ELIBACC, pcap_api_error(), "");
	l = calloc(1, sizeof(*l));
	if (!l)
		return complain(message, -ENOMEM, "out of memory", "");
	l->api = api;
	if (strcmp(request->interface, "any") != 0)
		snprintf(l->name, sizeof(l->name), "%s", request->interface);
	l->pcap = l->api->pcap_create(request->interface, error);
	if (!l->pcap) {
		free(l);
		return complain(message, -ENODEV, error, "");
	}
	configure(l->api, l->pcap, request);
	r = activate(l, message);
	/* LINKTYPE_ and DLT_ numbers agree for what Linux interfaces give, but for raw IP */
	if (r == 0)
		l->link_type = l->api->pcap_datalink(l->pcap) == DLT_RAW
				       ? LINKTYPE_RAW
				       : (uint16_t)l->api->pcap_datalink(l->pcap);
	if (r == 0 && request->filter)
		r = set_filter(l, request->filter, message);
	if (r == 0 && l->api->pcap_setnonblock(l->pcap, 1, error) < 0)
		r = complain(message, -EIO, error, "");
	if (r < 0) {
		live_close(l);
		return r;
	}
	*ret = l;
	return 0;
}

void live_close(struct live *l)
{
	if (!l)
		return;
	l->api->pcap_close(l->pcap);
	buf_deinit(&l->bytes);
	free(l);
}

uint16_t live_link_type(const struct live *l)
{
	return l->link_type;
}

int live_fd(const struct live *l)
{
	return l->api->pcap_get_selectable_fd(l->pcap);
}

/* data holds the offset in l->bytes until the buffer stays where it is. */
static void take_packet(struct live *l, const struct pcap_pkthdr *h, const uint8_t *data,
			struct packet *ret)
{
	uint64_t fraction = (uint64_t)h->ts.tv_usec * (l->is_nano ? 1 : 1000);

	*ret = (struct packet){ .time_ns = (uint64_t)h->ts.tv_sec * 1000000000 + fraction,
				.data = (const uint8_t *)l->bytes.len,
				.captured = h->caplen,
				.wire = h->len,
				.link_type = l->link_type };
	buf_put(&l->bytes, data, h->caplen);
}

int live_read(struct live *l, struct packet *ret, size_t max, size_t *ret_n)
{
	struct pcap_pkthdr *header;
	const uint8_t *data;
	size_t n = 0;
	int status = 1;

	*ret_n = 0;
	buf_clear(&l->bytes);
	while (n < max && l->bytes.len < BATCH_BYTES &&
	       (status = l->api->pcap_next_ex(l->pcap, &header, &data)) == 1)
		take_packet(l, header, data, &ret[n++]);
	if (buf_error(&l->bytes))
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		ret[i].data = (const uint8_t *)l->bytes.data + (uintptr_t)ret[i].data;
	l->delivered += n;
	*ret_n = n;
	if (n || status >= 0)
		return 0;
	/* libpcap has words only for what ends a run: the interface went down or away */
	return status == PCAP_ERROR ? -ENETDOWN : of_status(status);
}

/*
 * libpcap waits without a word for an interface that went down to come up again, which the kernel's
 * socket does by itself.
 */
bool live_is_up(const struct live *l)
{
	struct ifreq q = { 0 };

	memcpy(q.ifr_name, l->name, sizeof(l->name));
	return !*l->name || ioctl(l->api->pcap_fileno(l->pcap), SIOCGIFFLAGS, &q) < 0 ||
	       q.ifr_flags & IFF_UP;
}

/* Not pcap_stats(), which opens files of /sys. The kernel begins anew at each reading. */
int live_get_stats(struct live *l, struct live_stats *ret)
{
	struct tpacket_stats_v3 s = { 0 };
	socklen_t len = sizeof(s);

	if (getsockopt(l->api->pcap_fileno(l->pcap), SOL_PACKET, PACKET_STATISTICS, &s, &len) < 0)
		return -errno;
	l->dropped += s.tp_drops;
	*ret = (struct live_stats){ .received = l->delivered, .dropped = l->dropped };
	return 0;
}
