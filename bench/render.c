/* SPDX-License-Identifier: MIT */
/*
 * render [ROWS [CASE]]: what the writers cost. A snapshot of ROWS TCP sockets (200,000), each held
 * by one of 13 processes, is written to a pipe that a child reads and throws away. Prints one JSON
 * object a case: processor time a row (best of 5; other load on the machine does not count) and
 * bytes a row.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "model/snapshot.h"
#include "ui/render/render.h"

#define ROUNDS 5
#define PROCESSES 13
#define TABLE "proto,state,recv_q,send_q,local,remote,service,process"

struct bench_case {
	const char *name, *columns;
	enum render_format format;
	bool numeric;
	size_t width;
	const char *sort;
};

static const struct bench_case cases[] = {
	{ "table, numeric", TABLE, RENDER_TABLE, true, 0, NULL },
	{ "table, names", COLUMNS_TABLE, RENDER_TABLE, false, 0, NULL },
	{ "table, 80 columns wide", COLUMNS_TABLE, RENDER_TABLE, false, 80, NULL },
	{ "table, sorted", TABLE, RENDER_TABLE, true, 0, "remote,local" },
	{ "json, the table's columns", TABLE, RENDER_JSON, true, 0, NULL },
	{ "json", COLUMNS_MACHINE, RENDER_JSON, true, 0, NULL },
	{ "jsonl", COLUMNS_MACHINE, RENDER_JSONL, true, 0, NULL },
	{ "csv", COLUMNS_MACHINE, RENDER_CSV, true, 0, NULL },
};

static void die(const char *what, int error)
{
	fprintf(stderr, "render: %s: %s\n", what, strerror(error));
	exit(1);
}

static void add_row(struct pv_snapshot *s, uint32_t i)
{
	bool server = i & 1;
	struct pv_conversation c = {
		.cookie = 1000000 + i,
		.inode = 2000000 + i,
		.family = AF_INET,
		.type = SOCK_STREAM,
		.state = PV_STATE_ESTABLISHED,
		.direction = server ? PV_DIR_INCOMING : PV_DIR_OUTGOING,
		.direction_by = server ? PV_BY_LISTENER : PV_BY_PEER_LISTENER,
		.local.addr = { 127, (uint8_t)(i >> 16), 0, 1 },
		.remote.addr = { 127, 0, (uint8_t)(i >> 17), 1 },
		.local.port = server ? 8080 : 32768 + i % 28000,
		.remote.port = server ? 32768 + i % 28000 : 8080,
	};
	struct pv_holder h = { i % PROCESSES, (int32_t)(3 + i / PROCESSES) };
	struct pv_conversation *row = snapshot_add(s, &c);

	if (!row || snapshot_set_holders(s, row, &h, 1) < 0)
		die("snapshot", ENOMEM);
}

static struct pv_snapshot *make_snapshot(uint32_t rows)
{
	struct pv_netns n = { .inode = 4026531840,
			      .ephemeral_first = 32768,
			      .ephemeral_last = 60999 };
	struct pv_snapshot *s = snapshot_new();
	uint32_t index;

	if (!s || vec_push(&s->netns, n) < 0 || snapshot_add_user(s, 0, "root") < 0)
		die("snapshot", ENOMEM);
	for (int i = 0; i < PROCESSES; i++) {
		struct pv_process p = { .pid = 4700 + i,
					.start_ticks = 123456,
					.comm = { "load", 4 } };

		if (snapshot_add_process(s, &p, &index) < 0)
			die("snapshot", ENOMEM);
	}
	for (uint32_t i = 0; i < rows; i++)
		add_row(s, i);
	snapshot_seal(s);
	return s;
}

/* Reads until the end and throws away; tells how many bytes they were. */
static void __attribute__((noreturn)) count_bytes(int in, int result)
{
	static char bytes[1 << 16];
	uint64_t total = 0;
	ssize_t n;

	while ((n = read(in, bytes, sizeof(bytes))) > 0)
		total += (uint64_t)n;
	_exit(write(result, &total, sizeof(total)) != sizeof(total));
}

static uint64_t cpu_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static uint64_t run_once(const struct pv_snapshot *s, const struct render_options *o,
			 uint64_t *ret_bytes)
{
	int data[2], result[2], r, status;
	uint64_t start;
	pid_t reader;

	if (pipe2(data, O_CLOEXEC) < 0 || pipe2(result, O_CLOEXEC) < 0)
		die("pipe", errno);
	reader = fork();
	if (reader < 0)
		die("fork", errno);
	if (reader == 0) {
		close(data[1]);
		count_bytes(data[0], result[1]);
	}
	close(data[0]);
	start = cpu_ns();
	r = render_snapshot(s, o, data[1]);
	start = cpu_ns() - start;
	if (r < 0)
		die("render", -r);
	close(data[1]);
	if (read(result[0], ret_bytes, sizeof(*ret_bytes)) != sizeof(*ret_bytes))
		die("reader", EIO);
	waitpid(reader, &status, 0);
	close(result[0]);
	close(result[1]);
	return start;
}

static void run_case(const struct pv_snapshot *s, const struct bench_case *bc)
{
	_cleanup_(cleanup_free) const struct column **columns = NULL;
	_cleanup_(cleanup_free) struct sort_key *sort = NULL;
	struct render_options o = {
		.format = bc->format, .numeric = bc->numeric, .header = true, .width = bc->width
	};
	uint64_t best = UINT64_MAX, bytes = 0;
	size_t rows = pv_snapshot_count(s);

	if (columns_parse(bc->columns, "", &columns, &o.n_columns, NULL) < 0 ||
	    (bc->sort && columns_parse_sort(bc->sort, &sort, &o.n_sort, NULL) < 0))
		die(bc->columns, EINVAL);
	o.columns = columns;
	o.sort = sort;
	for (int i = 0; i < ROUNDS; i++) {
		uint64_t took = run_once(s, &o, &bytes);

		best = took < best ? took : best;
	}
	printf("{\"bench\":\"render\",\"case\":\"%s\",\"rows\":%zu,\"cpu_ms\":%.1f,\"cpu_ns_per_"
	       "row\":%.0f,"
	       "\"bytes_per_row\":%.0f}\n",
	       bc->name, rows, (double)best / 1e6, (double)best / (double)rows,
	       (double)bytes / (double)rows);
	fflush(stdout);
}

int main(int argc, char **argv)
{
	long rows = argc > 1 ? strtol(argv[1], NULL, 10) : 200000;
	struct pv_snapshot *s;

	if (rows < 1 || rows > 10000000)
		die("ROWS", EINVAL);
	s = make_snapshot((uint32_t)rows);
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		if (argc < 3 || !strcmp(argv[2], cases[i].name))
			run_case(s, &cases[i]);
	pv_snapshot_free(s);
	return 0;
}
