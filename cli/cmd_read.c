/* SPDX-License-Identifier: MIT */
/*
 * portavoz read: captures -> conversations -> writer. Files are opened first, everything else
 * happens in the sandbox.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/fdio.h"
#include "cli/commands.h"
#include "cli/reading.h"

struct read_values {
	struct reading_values reading;
	const char *joined;
	uint64_t unpacked_max;
};

static int set_unpacked_max(void *values, const char *arg, const struct option_def *def)
{
	struct read_values *v = values;

	(void)def;
	if (parse_with_unit(arg, units_of_size, &v->unpacked_max) && v->unpacked_max)
		return 0;
	usage_error("--unpacked-max", "\"%s\": expected a size such as 512M or 10G", arg);
	return -EINVAL;
}

static const struct option_def read_options[] = {
	OPTION_HEADING("What is read"),
	READING_INPUT_OPTIONS,
	{ 0, "unpacked-max", "SIZE", "what a compressed file may become; more is damage (any size)",
	  OPTION_CALL, 0, 0, 0, set_unpacked_max },
	{ 0, "joined", "DIR|FILE",
	  "processes from list --record, or saved text of ss, netstat or lsof", OPTION_TEXT,
	  offsetof(struct read_values, joined), 0, 0, NULL },
	READING_OUTPUT_OPTIONS,
};

#define ABOUT                                                                                      \
	"FILE is a capture: pcap or pcapng, gzip, zstd and lz4 too; - is standard input.\n"        \
	"Several are read as one. FILTER is an expression such as 'dport = :443',\n"               \
	"'conn_state S0' or 'proto udp and out_bytes > 10000': see portavoz-filter(7).\n"          \
	"The initiator's end is the local one. Columns are in portavoz-columns(7)."

static int run_read(int argc, char **argv);

const struct command command_read = {
	.name = "read",
	.summary = "list the conversations of a capture file",
	.usage = "[OPTION]... FILE... [FILTER]",
	.about = ABOUT,
	.defs = read_options,
	.operands = OPERAND_CAPTURE,
	.run = run_read,
};

static bool has_suffix(const char *text, const char *suffix)
{
	size_t n = strlen(text), m = strlen(suffix);

	return n > m && !strcmp(text + n - m, suffix);
}

/* The first operand is a file; so is what follows as long as it looks like one. */
static bool is_file(const char *word)
{
	static const char *const suffixes[] = { ".pcap", ".pcapng", ".cap", ".gz", ".zst", ".lz4" };

	for (size_t i = 0; i < sizeof(suffixes) / sizeof(*suffixes); i++)
		if (has_suffix(word, suffixes[i]))
			return true;
	return !strcmp(word, "-") || access(word, F_OK) == 0;
}

/* A folder is a recording, of which everything is taken; anything else is text. */
static int read_joined(const char *path, struct pv_snapshot **ret)
{
	_cleanup_(cleanup_buf) struct buf text = BUF_INIT;
	struct pv_request q = PV_REQUEST_INIT;
	struct stat st;
	int r;

	if (stat(path, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode)) {
		r = file_read_at(AT_FDCWD, path, &text);
		return r < 0 ? r : pv_listing_parse(text.data, text.len, ret);
	}
	q.needs = PV_NEED_OWNERS | PV_NEED_EXE | PV_NEED_CMDLINE | PV_NEED_CGROUP | PV_NEED_PUSER;
	q.netns = "all";
	q.replay_dir = path;
	return pv_collect(&q, ret);
}

/* For the processes at both ends. */
static int open_joined(const char *path, struct pv_snapshot **ret)
{
	int r = path ? read_joined(path, ret) : 0;

	if (r == 0 && path && pv_snapshot_is_from_redacted(*ret)) {
		usage_error(path, "is redacted: it has other addresses than the packets");
		pv_snapshot_free(*ret);
		return -EKEYREJECTED;
	}
	if (r == -EINVAL || r == -EBADMSG)
		usage_error(path, "is neither a recording made by portavoz list --record nor text "
				  "of ss -tunap, netstat -tunap or lsof -nPi");
	else if (r < 0)
		usage_error(path, "%s", strerror(-r));
	return r;
}

static int run_read(int argc, char **argv)
{
	struct read_values v = { .reading = READING_VALUES_INIT };
	struct reading g = { .command = "read", .values = &v.reading, .request = PV_CAPTURE_INIT };
	struct pv_snapshot *joined = NULL;
	int first, after, r = command_options(&command_read, argc, argv, &v, &first);

	if (r >= 0)
		return r;
	if (first >= argc) {
		usage_error("read", "a capture file is missing; - is standard input");
		return EXIT_USAGE;
	}
	if (reading_check(&v.reading) < 0)
		return EXIT_USAGE;
	if (open_joined(v.joined, &joined) < 0)
		return EXIT_FAILURE;
	for (after = first + 1; after < argc && is_file(argv[after]); after++)
		;
	g.request.paths = (const char *const *)argv + first;
	g.request.n_paths = (size_t)(after - first);
	g.request.unpacked_max = v.unpacked_max;
	g.request.joined = joined;
	r = reading_run(&g, argv + after, argc - after);
	pv_snapshot_free(joined);
	return r;
}
