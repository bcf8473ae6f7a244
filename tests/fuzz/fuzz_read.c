/* SPDX-License-Identifier: MIT */
/*
 * A capture file all the way, as `portavoz read` takes it: file, packets, layers, conversations,
 * observed protocols, every writer. With a table of few conversations, so that most leave early.
 * No control byte reaches an output, and no packet is counted twice outside of tunnels.
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <portavoz/capture.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "capture/linktype.h"
#include "ui/render/flow_summary.h"
#include "ui/render/flow_tree.h"

#define MEMORY (1 << 16)
#define NODES 64

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char all[] = COLUMNS_FLOW_MACHINE ",series";

static void require(bool condition)
{
	if (!condition)
		abort();
}

/* What was written to a file of memory: text of lines. */
static void check_output(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	const unsigned char *text;

	if (size <= 0)
		return;
	text = mmap(NULL, (size_t)size, PROT_READ, MAP_SHARED, fd, 0);
	require(text != MAP_FAILED);
	for (off_t i = 0; i < size; i++)
		require((text[i] >= ' ' && text[i] != 0x7f) || text[i] == '\n');
	munmap((void *)text, (size_t)size);
}

static void write_all(const struct pv_snapshot *s, const struct column *const *columns, size_t n)
{
	for (int format = 0; format < RENDER_FORMAT_N; format++) {
		_cleanup_(cleanup_fd) int fd = memfd_create("output", MFD_CLOEXEC);
		struct render_options o = { .format = (enum render_format)format,
					    .columns = columns,
					    .n_columns = n,
					    .header = true,
					    .width = 100 };

		require(fd >= 0 && render_snapshot(s, &o, fd) == 0);
		check_output(fd);
	}
}

static void sum_up(struct flow_tree *tree, struct flow_summary *summary,
		   const struct pv_snapshot *last)
{
	for (int json = 0; json < 2; json++) {
		enum render_format format = json ? RENDER_JSON : RENDER_TABLE;
		_cleanup_(cleanup_fd) int fd = memfd_create("output", MFD_CLOEXEC);

		require(fd >= 0 && flow_tree_write(tree, last, format, !json, fd) == 0);
		require(flow_summary_write(summary, last, format, !json, fd) == 0);
		check_output(fd);
	}
}

static uint64_t outermost_packets(const struct pv_snapshot *s)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < pv_snapshot_count(s); i++) {
		const struct pv_flow *f = pv_snapshot_get(s, i)->flow;

		require(f && f->start_ns <= f->end_ns);
		if (!f->is_inner)
			sum += f->out.packets + f->in.packets;
	}
	return sum;
}

/* A pcap file of anything but 802.11, where one frame may carry several packets side by side. */
static bool is_packet_a_frame(const uint8_t *data, size_t size)
{
	uint8_t link;

	if (size < 24 || (data[0] != 0xa1 && data[3] != 0xa1))
		return false;
	link = data[0] == 0xa1 ? data[23] : data[20];
	return link != LINKTYPE_IEEE802_11 && link != LINKTYPE_IEEE802_11_PRISM &&
	       link != LINKTYPE_IEEE802_11_RADIOTAP && link != LINKTYPE_IEEE802_11_AVS;
}

/* Returns how many packets the conversations outside of tunnels have. */
static uint64_t read_all(struct pv_capture *c, const struct column *const *columns, size_t n)
{
	struct pv_snapshot *s = NULL, *last = NULL;
	struct flow_summary *summary;
	struct flow_tree *tree;
	uint64_t packets = 0;

	require(flow_tree_new(NULL, NODES, &tree) == 0 && flow_summary_new(&summary) == 0);
	while (pv_capture_next(c, &s) == 0) {
		pv_snapshot_free(last);
		last = s;
		packets += outermost_packets(s);
		write_all(s, columns, n);
		require(flow_tree_add(tree, s) == 0 && flow_summary_add(summary, s) == 0);
	}
	require(last);
	sum_up(tree, summary, last);
	pv_snapshot_free(last);
	flow_tree_free(tree);
	flow_summary_free(summary);
	return packets;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	_cleanup_(cleanup_fd) int fd = memfd_create("fuzz", MFD_CLOEXEC);
	struct pv_capture_request q = PV_CAPTURE_INIT;
	struct columns_error error;
	const struct column **columns;
	struct pv_capture *c;
	const char *paths[1];
	uint64_t packets;
	char path[32];
	size_t n;

	require(fd >= 0 && fd_write_all(fd, data, size) == 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	paths[0] = path;
	q.paths = paths;
	q.n_paths = 1;
	q.memory = MEMORY;
	q.bin_ns = 1000000;
	q.seed = 1;
	require(pv_capture_open(&q, &c, NULL) == 0);
	require(columns_parse(all, "", &columns, &n, &error) == 0);
	packets = read_all(c, columns, n);
	require(!is_packet_a_frame(data, size) || packets <= pv_capture_progress(c)->packets);
	for (size_t i = 0; pv_capture_damage(c, i); i++)
		require(pv_capture_damage(c, i)->expected != NULL);
	free(columns);
	pv_capture_free(c);
	return 0;
}
